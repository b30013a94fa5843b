"""`affect submit`."""

import sys
from pathlib import Path

import click

from pipeline.cli.host import HostOptions, host_option, make_host
from pipeline.cli.usage_error import UsageError
from pipeline.cli.values import DURATION, NOT_EMPTY


@click.command("submit")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@host_option
@click.option("--experiment", default="facial-affect", show_default=True, metavar="NAME", help="The run's experiment.")
@click.option(
    "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Set a parameter of the run; can be repeated."
)
@click.option("--schedule", metavar="CRON", help="Run again and again, e.g. `0 3 * * 1` every Monday at three.")
@click.option(
    "--name",
    type=NOT_EMPTY,
    metavar="NAME",
    help="With --schedule: its name; one of that name is replaced. [facial-affect]",
)
@click.option("--if-changed", is_flag=True, help="Make sure that a run without a change comes from the cache.")
@click.option("--cache/--no-cache", default=True, show_default=True, help="Reuse earlier results where that is sound.")
@click.option(
    "--again",
    multiple=True,
    metavar="COMPONENT",
    help="Make what this component makes once more, past what the cache has: its artifacts are damaged. Later "
    "submissions need the option, too, or a FILE with kubeflow.components.COMPONENT.again=1; can be repeated.",
)
@click.option("--wait", is_flag=True, help="Follow the run to its end.")
@click.option("--timeout", type=DURATION, metavar="TIME", help="With --wait: give up after it, e.g. 90s, 30m or 12h.")
def submit(
    path: Path,
    host: str | None,
    host_options: HostOptions,
    experiment: str,
    parameters: tuple[str, ...],
    schedule: str | None,
    name: str | None,
    if_changed: bool,
    cache: bool,
    again: tuple[str, ...],
    wait: bool,
    timeout: float | None,
) -> None:
    """Submit FILE, a compiled pipeline, to Kubeflow Pipelines.

    Exit status: 0 submitted, or with --wait succeeded; 1 refused or failed;
    2 bad usage. With --wait also 3 the model isn't good enough, 4 gave up
    waiting (the run may go on: `affect status` follows it again), 5 canceled.
    """
    from pipeline.cli.following import follow_to_the_end  # kfp takes two seconds to import
    from pipeline.kubeflow import submit as kubeflow
    from pipeline.kubeflow.api import SubmitError
    from pipeline.kubeflow.run_state import RunReader

    given = dict(_pair(text) for text in parameters)
    if wait and schedule:
        raise UsageError("--wait follows one run; a schedule has no end")
    if name and not schedule:
        raise UsageError("--name is that of a schedule: give --schedule, too")
    if timeout is not None and not wait:
        raise UsageError("--timeout is how long --wait may take: give both")
    request = kubeflow.Request(
        path, make_host(host, host_options), experiment, given, schedule, cache, again, name, if_changed
    )
    try:
        result = kubeflow.submit(request, lambda problem: click.echo(f"Warning: {problem}", err=True))
        click.echo(f"version {result.version}\n{result.link}")
        for run_id, cron in result.replaced.items():
            click.echo(f"In place of the schedule {run_id}, which was: {cron}")
        if wait:
            sys.exit(follow_to_the_end(RunReader(request.host, result.run_id), result.link, timeout))
    except SubmitError as error:
        raise click.ClickException(str(error)) from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--param requires NAME=VALUE. Received: {text}")
    return name, value
