"""`affect submit`."""

import os
import sys
from pathlib import Path

import click

from pipeline.cli.run import UsageError

_GAVE_UP = 4


@click.command("submit")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--host", required=True, metavar="URL", help="Address of Kubeflow Pipelines, e.g. http://localhost:8080.")
@click.option("--experiment", default="facial-affect", show_default=True, metavar="NAME", help="The run's experiment.")
@click.option("--namespace", metavar="NAME", help="Namespace, in a multi-user installation.")
@click.option(
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Set a parameter of the run; can be repeated."
)
@click.option("--schedule", metavar="CRON", help="Run again and again, e.g. `0 3 * * 1` every Monday at three.")
@click.option("--token-env", metavar="VAR", help="Environment variable that holds the bearer token.")
@click.option("--cache/--no-cache", default=True, show_default=True, help="Reuse earlier results where that is sound.")
@click.option("--wait", is_flag=True, help="Follow the run to its end.")
def submit(
    path: Path,
    host: str,
    experiment: str,
    namespace: str | None,
    parameters: tuple[str, ...],
    schedule: str | None,
    token_env: str | None,
    cache: bool,
    wait: bool,
) -> None:
    """Submit FILE, a compiled pipeline, to Kubeflow Pipelines.

    Exit status: 0 submitted, or with --wait succeeded; 1 refused or failed;
    2 bad usage; 4 gave up waiting, since the host didn't answer for a quarter
    of an hour. The run may go on then.
    """
    from pipeline.kubeflow import follow  # kfp takes two seconds to import
    from pipeline.kubeflow import submit as kubeflow
    from pipeline.kubeflow.api import Host, LostError, SubmitError

    given = dict(_pair(text) for text in parameters)
    if wait and schedule:
        raise UsageError("--wait follows one run; a schedule has no end")
    token = os.environ.get(token_env) if token_env else None
    if token_env and not token:
        raise UsageError(f"--token-env: the variable {token_env} is empty")
    request = kubeflow.Request(path, Host(host, namespace, token), experiment, given, schedule, cache)
    try:
        result = kubeflow.submit(request, lambda problem: click.echo(f"Warning: {problem}", err=True))
        click.echo(f"version {result.version}\n{result.link}")
        if wait:
            try:
                state = follow.wait(request.host, result.run_id, lambda text: click.echo(text, err=True))
            except LostError as error:
                click.echo(f"Error: {error}. Gave up waiting; the run may go on: {result.link}", err=True)
                sys.exit(_GAVE_UP)
            sys.exit(0 if state == follow.SUCCEEDED else 1)
    except SubmitError as error:
        raise click.ClickException(str(error)) from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--param requires NAME=VALUE. Received: {text}")
    return name, value
