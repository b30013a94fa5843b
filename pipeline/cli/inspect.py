"""`affect inspect`: what ML Metadata knows. Reads it alone: no TFX, no TensorFlow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from pipeline.cli.nouns import Noun, NounGroup
from pipeline.cli.tables import show
from pipeline.cli.values import NOT_EMPTY
from pipeline.lineage.difference import difference
from pipeline.lineage.runs import artifact_rows, execution_rows, find_run, run_row, size_of, state_of
from pipeline.lineage.store import Artifact, LineageStore, StoreError, open_store
from pipeline.lineage.tree import as_dot, as_mermaid, as_text, get, lineage, parse_id
from pipeline.local.workdir import Workdir

_FORMS = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}


@click.group(cls=NounGroup, subcommand_metavar="[NOUN] [RUN|ID]...")
def inspect() -> None:
    """Look at runs, executions, artifacts and lineage in ML Metadata.

    Without a noun, runs are listed. RUN is a run's id, or latest; ID is one
    like artifact:3 or execution:3. Nothing is ever written.

    Every noun takes --workdir, --mlmd and --json, before it or behind it. Its
    own --help lists what else it takes.
    """


def _noun(name: str, about: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of `inspect`, with the options that every noun takes."""

    def decorate(function: Callable[..., None]) -> click.Command:
        for option in (
            click.option("--json", "as_json", is_flag=True, help="Print one JSON list of objects, not a table."),
            click.option("--mlmd", metavar="URI", help="Read this SQLite file or grpc://host:port instead."),
            click.option(
                "--workdir",
                type=NOT_EMPTY,
                default="runs/local",
                show_default=True,
                metavar="DIR",
                help="The pipeline's folder.",
            ),
        ):
            function = option(function)
        return inspect.command(name, cls=Noun, short_help=about)(function)

    return decorate


_limit = click.option(
    "--limit", default=20, show_default=True, metavar="N", type=click.IntRange(min=1), help="List the newest N."
)


@contextmanager
def _opened(workdir: str, mlmd: str | None) -> Iterator[tuple[LineageStore, bool]]:
    """Return the store, and whether its newest run may still be running; what goes wrong is one line on the screen."""
    folder = Workdir(workdir)
    # Only the folder's own lock says whether something is still running; of a server we don't know.
    locked = folder.is_locked() if mlmd is None else True
    try:
        yield open_store(mlmd or str(folder.metadata)), locked
    except StoreError as error:
        raise click.ClickException(str(error)) from None


@_noun("runs", "What ran, when, and what came of it.")
@_limit
def _runs(workdir: str, mlmd: str | None, as_json: bool, limit: int) -> None:
    """List runs, the newest first: when, how long, accuracy, blessed, pushed."""
    with _opened(workdir, mlmd) as (store, locked):
        runs = store.runs(limit)
        # Whoever holds the lock works on the newest run: older ones that were left running are interrupted.
        rows = [run_row(store, run, locked and (run is runs[0] or mlmd is not None)) for run in runs]
        show(rows, as_json, "No run is recorded here yet.")


@_noun("executions", "The components of a run.")
@click.argument("run", default="latest", metavar="[RUN]")
def _executions(workdir: str, mlmd: str | None, as_json: bool, run: str) -> None:
    """List the components of RUN, the latest run by default: state and time."""
    with _opened(workdir, mlmd) as (store, locked):
        found = find_run(store, run)
        working = locked and (mlmd is not None or found.id == store.runs(1)[0].id)
        show(execution_rows(store, found, working), as_json, "No execution.")


@_noun("artifacts", "What was made, in a run or in all.")
@click.argument("run", required=False, metavar="[RUN]")
@_limit
@click.option("--type", "kind", metavar="TYPE", help="List only artifacts of this type.")
@click.option("--name", metavar="TEXT", help="List only artifacts with this text in their URI or name.")
def _artifacts(
    workdir: str, mlmd: str | None, as_json: bool, run: str | None, limit: int, kind: str | None, name: str | None
) -> None:
    """List artifacts, the newest first: those of RUN, or of all runs."""
    with _opened(workdir, mlmd) as (store, _):
        if run is not None:
            found = store.artifacts_of(find_run(store, run))
        else:
            found = store.artifacts() if kind or name else store.newest_artifacts(limit)[::-1]
        rows = artifact_rows(found[::-1], kind, name, sizes=False)[:limit]
        for row in rows:
            row["bytes"] = size_of(row["uri"])
        show(rows, as_json, "No such artifact.")


@_noun("show", "Everything of one execution or artifact.")
@click.argument("wanted", metavar="ID")
def _show(workdir: str, mlmd: str | None, as_json: bool, wanted: str) -> None:
    """Show everything that is recorded of ID, such as artifact:3 or execution:3."""
    with _opened(workdir, mlmd) as (store, locked):
        show(_describe(store, wanted, locked), as_json, "Nothing.")


@_noun("lineage", "From the source folder to all that was made from it.")
@click.argument("wanted", metavar="ID")
@click.option("--format", "form", type=click.Choice(list(_FORMS)), help="How it is drawn.  [default: text]")
def _lineage(workdir: str, mlmd: str | None, as_json: bool, wanted: str, form: str | None) -> None:
    """Draw what ID was made from, up to the source folder, and what was made from it.

    With --json, a list of the arrows.
    """
    if as_json and form is not None:
        raise click.UsageError("--json lists the arrows and --format draws them: give one of the two")
    with _opened(workdir, mlmd) as (store, locked):
        graph = lineage(store, parse_id(wanted), locked)
    if not as_json:
        click.echo(_FORMS[form or "text"](graph))
        return
    rows = [
        {"from": f"{source[0]}:{source[1]}", "to": f"{target[0]}:{target[1]}", "name": key,
         "from_label": graph.labels[source], "to_label": graph.labels[target]}
        for source, target, key in graph.edges
    ]  # fmt: skip
    show(rows, True, "")


@_noun("diff", "What changed between two runs.")
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
def _diff(workdir: str, mlmd: str | None, as_json: bool, first: str, second: str) -> None:
    """List what two runs don't have in common: options, data, code, figures."""
    with _opened(workdir, mlmd) as (store, _):
        rows = difference(store, find_run(store, first), find_run(store, second))
        show(rows, as_json, "Nothing changed between the two.")


def _describe(store: LineageStore, text: str, locked: bool) -> list[dict[str, object]]:
    """Return everything of one execution or artifact, a row a property."""
    found = get(store, parse_id(text))
    rows: list[dict[str, object]] = [{"property": "id", "value": text}]

    def add(name: str, value: object) -> None:
        rows.append({"property": name, "value": value})

    add("type", found.type)
    add("state", found.state.lower() if isinstance(found, Artifact) else state_of(found, None, locked))
    if isinstance(found, Artifact):
        add("uri", found.uri)
        add("size in bytes", size_of(found.uri))
        events = store.events_of_artifacts([found.id])
    else:
        add("component", found.component)
        add("seconds", (found.updated - found.created) / 1000)
        events = store.events_of_executions([found.id])
    for event in events:
        if isinstance(found, Artifact):
            add("taken by" if event.is_input else "made by", f"execution:{event.execution} [{event.key}]")
        else:
            add("takes" if event.is_input else "makes", f"artifact:{event.artifact} [{event.key}]")
    for name, value in sorted(found.properties.items()):
        add(name, value)
    return rows
