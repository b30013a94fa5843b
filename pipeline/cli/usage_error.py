"""What the commands raise of bad options and configurations."""

import click


class UsageError(click.ClickException):
    """Bad options or a bad configuration."""

    exit_code = 2
