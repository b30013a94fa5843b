"""`python -m pipeline submit`."""

import os
import sys
from pathlib import Path

import click

from pipeline.cli.run import UsageError


@click.command("submit")
@click.argument("path", metavar="F.yaml", type=click.Path(path_type=Path))
@click.option("--host", required=True, metavar="URL", help="Kubeflow Pipelines, e.g. http://localhost:8080.")
@click.option("--experiment", default="facial-affect", show_default=True, metavar="E", help="Made if it isn't there.")
@click.option("--namespace", metavar="N", help="Of a multi-user installation.")
@click.option("--param", "parameters", multiple=True, metavar="k=v", help="A parameter of the run; can be repeated.")
@click.option("--schedule", metavar="CRON", help="Run again and again: `0 3 * * 1` is every Monday at three.")
@click.option("--token-env", metavar="VAR", help="Environment variable that holds the bearer token.")
@click.option("--cache/--no-cache", default=True, show_default=True, help="Take earlier results where that is sound.")
@click.option("--wait", is_flag=True, help="Follow the run to its end; the exit status is its own.")
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
    """Submit a compiled pipeline to Kubeflow Pipelines.

    Exit status: 0 submitted (with --wait: succeeded), 1 refused or failed, 2 bad usage.
    """
    from pipeline.kubeflow import submit as kubeflow  # kfp takes two seconds to import

    given = dict(_pair(text) for text in parameters)
    if wait and schedule:
        raise UsageError("--wait follows one run; a schedule has no end")
    token = os.environ.get(token_env) if token_env else None
    if token_env and not token:
        raise UsageError(f"--token-env: the variable {token_env} is empty")
    request = kubeflow.Request(path, host, experiment, namespace, given, schedule, token, cache)
    try:
        result = kubeflow.submit(request)
        click.echo(f"version {result.version}\n{result.link}")
        if wait:
            state = kubeflow.wait(request, result.run_id, lambda state: click.echo(state.lower(), err=True))
            sys.exit(0 if state == kubeflow.SUCCEEDED else 1)
    except kubeflow.SubmitError as error:
        raise click.ClickException(str(error)) from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--param wants name=value. Received: {text}")
    return name, value
