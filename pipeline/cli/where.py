"""Where runs are recorded: options that commands share, and the record that they name."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from pipeline.cli.host import HostOptions, credential_options, make_host
from pipeline.cli.values import NOT_EMPTY
from pipeline.kubeflow.api import SubmitError
from pipeline.lineage.mlmd_store import open_store
from pipeline.lineage.store import LineageStore, Run, StoreError
from pipeline.local.workdir import Workdir

_Command = Callable[..., Any]

workdir_option = click.option(
    "--workdir", type=NOT_EMPTY, default="runs/local", show_default=True, metavar="DIR", help="The pipeline's folder."
)


def kubeflow_options(about: str) -> Callable[[_Command], _Command]:
    """Return what gives a command --kubeflow, with this help, and the options by which it gets in."""

    def decorate(function: _Command) -> _Command:
        address = click.option("--kubeflow", metavar="URL", type=NOT_EMPTY, help=about)
        return address(credential_options(function))

    return decorate


@dataclass(frozen=True)
class Where:
    """What the options name. See their helps."""

    workdir: str
    mlmd: str | None
    kubeflow: str | None
    host_options: HostOptions

    @contextmanager
    def opened(self) -> Iterator["Record"]:
        """Open the record; whatever is wrong with it, then or later, is one line on the screen."""
        if self.kubeflow and self.mlmd:
            raise click.UsageError("--kubeflow asks the API and --mlmd reads ML Metadata: give one of the two")
        try:
            yield self._record()
        except (StoreError, SubmitError) as error:
            raise click.ClickException(str(error)) from None

    def _record(self) -> "Record":
        if self.kubeflow:
            from pipeline.kubeflow.run_store import KubeflowStore

            host = make_host(self.kubeflow, self.host_options, "--kubeflow")
            return Record(KubeflowStore(host, lambda text: click.echo(text, err=True)))
        if any(self.host_options):
            raise click.UsageError("--namespace, and what lets in, belong to --kubeflow")
        if self.mlmd:
            return Record(open_store(self.mlmd))
        folder = Workdir(self.workdir)
        return Record(open_store(str(folder.metadata)), folder.is_locked())


@dataclass(frozen=True)
class Record:
    """An opened record of runs.

    Attributes:
        store: the record.
        locked: whether its folder is in use; None where it has none, so that nobody can tell.
    """

    store: LineageStore
    locked: bool | None = None

    def may_run(self, run: Run | None = None) -> bool:
        """Return whether what was left running may run: in a folder that is in use, and there in its newest run."""
        if self.locked is None:
            return True
        return self.locked and (run is None or run.id == self.store.runs(1)[0].id)


def with_where(function: _Command) -> _Command:
    """Give a command the options, and what they name as its first argument."""

    @functools.wraps(function)
    def called(workdir: str, mlmd: str | None, kubeflow: str | None, host_options: HostOptions, **rest: Any) -> None:
        function(Where(workdir, mlmd, kubeflow, host_options), **rest)

    mlmd = click.option("--mlmd", metavar="URI", help="Read this SQLite file or grpc://host:port instead.")
    kubeflow = kubeflow_options("Ask the API of this Kubeflow Pipelines instead.")
    return workdir_option(mlmd(kubeflow(called)))
