"""`affect inspect`: what ML Metadata, or Kubeflow's API, knows of runs. Reads that alone: no TFX, no TensorFlow."""

from collections.abc import Callable

import click

from pipeline.cli.nouns import Noun, NounGroup
from pipeline.cli.tables import show
from pipeline.cli.values import COUNT
from pipeline.cli.where import Record, Where, with_where
from pipeline.lineage.difference import difference
from pipeline.lineage.files import FILES, verify_rows
from pipeline.lineage.runs import artifact_rows, execution_rows, find_run, run_row, size_of, state_of
from pipeline.lineage.store import Artifact
from pipeline.lineage.tree import as_dot, as_mermaid, as_text, get, lineage, parse_id

_FORMS = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}


@click.group(cls=NounGroup, subcommand_metavar="[NOUN] [RUN|ID]...")
def inspect() -> None:
    """Look at runs, executions, artifacts and lineage, here or on Kubeflow.

    Without a noun, runs are listed. RUN is a run's id, or latest; ID is one
    like artifact:3 or execution:3. Nothing is ever written.

    Every noun takes --json, and --workdir, --mlmd or --kubeflow, before it or
    behind it. Its own --help lists what else it takes.
    """


def _noun(name: str, about: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of `inspect`, with the options that every noun takes."""

    def decorate(function: Callable[..., None]) -> click.Command:
        as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON list of objects, not a table.")
        return inspect.command(name, cls=Noun, short_help=about)(with_where(as_json(function)))

    return decorate


_limit = click.option("--limit", default=20, show_default=True, metavar="N", type=COUNT, help="List the newest N.")


@_noun("runs", "What ran, when, and what came of it.")
@_limit
def _runs(where: Where, as_json: bool, limit: int) -> None:
    """List runs, the newest first: when, how long, accuracy, blessed, pushed."""
    with where.opened() as record:
        rows = [run_row(record.store, run, record.may_run(run)) for run in record.store.runs(limit)]
        show(rows, as_json, "No run is recorded here yet.")


@_noun("executions", "The components of a run.")
@click.argument("run", default="latest", metavar="[RUN]")
def _executions(where: Where, as_json: bool, run: str) -> None:
    """List the components of RUN, the latest run by default: state and time."""
    with where.opened() as record:
        found = find_run(record.store, run)
        show(execution_rows(record.store, found, record.may_run(found)), as_json, "No execution.")


@_noun("artifacts", "What was made, in a run or in all.")
@click.argument("run", required=False, metavar="[RUN]")
@_limit
@click.option("--type", "kind", metavar="TYPE", help="List only artifacts of this type.")
@click.option("--name", metavar="TEXT", help="List only artifacts with this text in their URI or name.")
def _artifacts(where: Where, as_json: bool, run: str | None, limit: int, kind: str | None, name: str | None) -> None:
    """List artifacts, the newest first: those of RUN, or of all runs."""
    with where.opened() as record:
        store = record.store
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
def _show(where: Where, as_json: bool, wanted: str) -> None:
    """Show everything that is recorded of ID, such as artifact:3 or execution:3."""
    with where.opened() as record:
        show(_describe(record, wanted), as_json, "Nothing.")


@_noun("lineage", "From the source folder to all that was made from it.")
@click.argument("wanted", metavar="ID")
@click.option("--format", "form", type=click.Choice(list(_FORMS)), help="How it is drawn.  [default: text]")
def _lineage(where: Where, as_json: bool, wanted: str, form: str | None) -> None:
    """Draw what ID was made from, up to the source folder, and what was made from it.

    With --json, a list of the arrows.
    """
    if as_json and form is not None:
        raise click.UsageError("--json lists the arrows and --format draws them: give one of the two")
    with where.opened() as record:
        graph = lineage(record.store, parse_id(wanted), record.may_run())
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
def _diff(where: Where, as_json: bool, first: str, second: str) -> None:
    """List what two runs don't have in common: options, data, code, figures."""
    with where.opened() as record:
        rows = difference(record.store, find_run(record.store, first), find_run(record.store, second))
        show(rows, as_json, "Nothing changed between the two.")


@_noun("verify", "Are the files of a run those that were made?")
@click.argument("run", default="latest", metavar="[RUN]")
def _verify(where: Where, as_json: bool, run: str) -> None:
    """Read all files of RUN, the latest run by default, and hold them against the digests that were recorded.

    The next run makes again what is damaged. Exit status: 1 if anything is.
    """
    with where.opened() as record:
        rows = verify_rows(record.store.artifacts_of(find_run(record.store, run)))
        show(rows, as_json, "No artifact.")
    if any(row["state"] == "damaged" for row in rows):
        raise click.exceptions.Exit(1)


def _describe(record: Record, text: str) -> list[dict[str, object]]:
    """Return everything of one execution or artifact, a row a property."""
    store = record.store
    found = get(store, parse_id(text))
    rows: list[dict[str, object]] = [{"property": "id", "value": text}]

    def add(name: str, value: object) -> None:
        rows.append({"property": name, "value": value})

    add("type", found.type)
    add("state", found.state.lower() if isinstance(found, Artifact) else state_of(found, None, record.may_run()))
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
    recorded = found.properties if isinstance(found, Artifact) else {**found.parameters, **found.properties}
    for name, value in sorted(recorded.items()):
        if name != FILES:
            add(name, value)
    return rows
