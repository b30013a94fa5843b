"""Kinds of values that options take."""

import click


class _NotEmpty(click.ParamType):
    """Text, but not none: `--data "$FACES"` with the variable unset must not mean "the sample data"."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Refuse text without a character."""
        if isinstance(value, str) and not value.strip():
            self.fail("a value is missing", param, ctx)
        return value


NOT_EMPTY = _NotEmpty()
