"""`affect status`."""

import sys
from dataclasses import asdict

import click

from components.tools.console import uncut_console
from pipeline.cli.host import HostOptions, host_option, make_host
from pipeline.cli.tables import show
from pipeline.cli.usage_error import UsageError
from pipeline.cli.values import DURATION, NOT_EMPTY


@click.command("status")
@click.argument("run_id", metavar="RUN", type=NOT_EMPTY)
@host_option
@click.option("--wait", is_flag=True, help="Follow it to its end.")
@click.option("--timeout", type=DURATION, metavar="TIME", help="With --wait: give up after it, e.g. 90s, 30m or 12h.")
@click.option("--json", "as_json", is_flag=True, help="Print the tasks as one JSON list.")
def status(
    run_id: str,
    host: str | None,
    host_options: HostOptions,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Show how a run on Kubeflow stands, task by task.

    RUN is its id, the link that `submit` printed, or `latest`.

    Exit status: 0 it goes on or succeeded, 1 failed, 2 bad usage, 3 the model
    isn't good enough, 4 gave up waiting (the run may go on), 5 canceled.
    """
    from pipeline.cli.following import exit_status, follow_to_the_end, show_run
    from pipeline.kubeflow.api import SubmitError
    from pipeline.kubeflow.run_state import RunReader, latest_run

    if timeout is not None and not wait:
        raise UsageError("--timeout is how long --wait may take: give both")
    if wait and as_json:
        raise UsageError("--json shows one moment; it doesn't go with --wait")
    installation = make_host(host, host_options)
    try:
        found = latest_run(installation) if run_id == "latest" else run_id.rstrip("/").rpartition("/")[2]
        reader = RunReader(installation, found)
        if wait:
            sys.exit(follow_to_the_end(reader, installation.run_link(found), timeout))
        run = reader.read()
    except SubmitError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        show([asdict(task) for task in run.tasks], as_json=True, empty="")
    else:
        show_run(uncut_console(), run)
    sys.exit(exit_status(run))
