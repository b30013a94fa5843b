"""`affect report`."""

import webbrowser
from pathlib import Path

import click

from components.tools.files import replacing
from components.tools.places import not_writable, why_no_file
from pipeline.cli.host import HostOptions, make_host
from pipeline.cli.where import kubeflow_options, workdir_option
from pipeline.kubeflow.api import Host, SubmitError
from pipeline.lineage.store import LineageStore, StoreError
from pipeline.local.workdir import Workdir


@click.command("report")
@click.argument("run", required=False, metavar="[RUN]")
@workdir_option
@kubeflow_options("Fetch the page of a run on this Kubeflow Pipelines.")
@click.option("--mlmd", metavar="URI", help="Its ML Metadata, as grpc://host:port, up to release 2.17.")
@click.option("--output", metavar="FILE", help="Where the fetched page goes.  [default: report-<run>.html]")
@click.option("--open", "open_it", is_flag=True, help="Open it in a browser as well.")
def report(
    run: str | None,
    workdir: str,
    kubeflow: str | None,
    host_options: HostOptions,
    mlmd: str | None,
    output: str | None,
    open_it: bool,
) -> None:
    """Print the path of the latest report.

    With --kubeflow, fetch that of RUN, a run's id or name there, the latest by
    default, and print the path of the file.
    """
    if output and (problem := why_no_file(output)):
        raise click.UsageError(not_writable(f"--output {output}", problem))
    if kubeflow:
        path = _fetched(make_host(kubeflow, host_options, "--kubeflow"), run or "latest", mlmd, output)
    elif run or any(host_options) or mlmd or output:
        raise click.UsageError("RUN, --mlmd, --output, --namespace, and what lets in, belong to --kubeflow")
    else:
        path = Workdir(workdir).report
    if not path.exists():
        raise click.ClickException(f"no report at {path}: run the pipeline first, or name its folder with --workdir")
    click.echo(path)
    if open_it:
        webbrowser.open(path.absolute().as_uri())


def _fetched(host: Host, name: str, mlmd: str | None, output: str | None) -> Path:
    """Fetch the page of a run, and return the file that it is in."""
    from pipeline.kubeflow.report_page import fetch, find_page
    from pipeline.kubeflow.run_store import KubeflowStore
    from pipeline.lineage.mlmd_store import open_store
    from pipeline.lineage.runs import find_run

    try:
        store = KubeflowStore(host, remark=lambda _: None)
        run = find_run(store, name)
        artifacts: LineageStore = store
        if not store.has_artifacts:
            if mlmd is None:
                raise StoreError("this release has its artifacts in ML Metadata: name it with --mlmd grpc://host:port")
            artifacts = open_store(mlmd)
        page = fetch(host, find_page(artifacts, find_run(artifacts, str(run.id))))
    except (StoreError, SubmitError) as error:
        raise click.ClickException(str(error)) from None
    path = Path(output or f"report-{run.id}.html")
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(page)
    except OSError as error:
        raise click.UsageError(not_writable(f"--output {path}", error.strerror or str(error))) from None
    return path
