"""`python -m pipeline inspect`: what ML Metadata knows. Reads it alone: no TFX, no TensorFlow."""

import click

from pipeline.cli.tables import show
from pipeline.lineage.difference import difference
from pipeline.lineage.runs import artifact_rows, execution_rows, find_run, run_row, size_of, state_of
from pipeline.lineage.store import Artifact, LineageStore, StoreError, open_store
from pipeline.lineage.tree import as_dot, as_mermaid, as_text, get, lineage, parse_id
from pipeline.local.workdir import Workdir

# Noun → least and most arguments, and how it is called.
_NOUNS = {
    "runs": (0, 0, "runs"),
    "executions": (0, 1, "executions [RUN]"),
    "artifacts": (0, 1, "artifacts [RUN]"),
    "show": (1, 1, "show ID"),
    "lineage": (1, 1, "lineage ID"),
    "diff": (2, 2, "diff RUN RUN"),
}


@click.command("inspect")
@click.argument("words", nargs=-1, metavar="[NOUN] [RUN|ID]…")
@click.option("--workdir", default="runs/local", show_default=True, metavar="DIR", help="The pipeline's folder.")
@click.option("--mlmd", metavar="URI", help="A SQLite file, or grpc://host:port, in place of the workdir's store.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of objects instead of a table.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="The newest N.")
@click.option("--type", "kind", metavar="T", help="Only artifacts of this type.")
@click.option("--name", metavar="X", help="Only artifacts with this in their URI or name.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    type=click.Choice(["text", "mermaid", "dot"]),
    help="Of lineage.",
)
def inspect(
    words: tuple[str, ...],
    workdir: str,
    mlmd: str | None,
    as_json: bool,
    limit: int,
    kind: str | None,
    name: str | None,
    form: str,
) -> None:
    r"""Look at runs, executions, artifacts and lineage in ML Metadata.

    \b
    runs                what ran, when, and what came of it (also without a noun)
    executions [RUN]    the components of a run, the latest by default
    artifacts [RUN]     what was made: in a run, or at all
    show ID             everything of one execution or artifact
    lineage ID          from the source folder to whatever was made from it
    diff RUN RUN        what changed between two runs

    RUN is a run's id or latest; ID is artifact:3 or execution:3. Nothing is ever written.
    """
    noun, arguments = (words[0], words[1:]) if words else ("runs", ())
    if noun not in _NOUNS:
        raise click.UsageError(f"no noun {noun!r}. Nouns: {', '.join(_NOUNS)}")
    least, most, form_of = _NOUNS[noun]
    if not least <= len(arguments) <= most:
        raise click.UsageError(f"say: inspect {form_of}")
    folder = Workdir(workdir)
    # Only the folder's own lock tells whether something is still running; of a server we don't know.
    locked = folder.is_locked() if mlmd is None else True
    try:
        store = open_store(mlmd or str(folder.metadata))
        if noun == "runs":
            # Whoever holds the lock works on the newest run: older ones that were left running are interrupted.
            runs = store.runs()[:limit]
            rows = [run_row(store, run, locked and (run is runs[0] or mlmd is not None)) for run in runs]
            show(rows, as_json, "No run is recorded here yet.")
        elif noun == "executions":
            run = find_run(store, arguments[0] if arguments else "latest")
            working = locked and (mlmd is not None or run == store.runs()[0])
            show(execution_rows(store, run, working), as_json, "No execution.")
        elif noun == "artifacts":
            if arguments:
                found = store.artifacts_of(find_run(store, arguments[0]))
            else:
                found = store.artifacts() if kind or name else store.newest_artifacts(limit)
            rows = artifact_rows(sorted(found, key=lambda artifact: -artifact.id), kind, name, sizes=False)[:limit]
            for row in rows:
                row["bytes"] = size_of(row["uri"])
            show(rows, as_json, "No such artifact.")
        elif noun == "show":
            show(_describe(store, arguments[0], locked), as_json, "Nothing.")
        elif noun == "lineage":
            _lineage(store, arguments[0], form, as_json, locked)
        else:
            first, second = (find_run(store, run) for run in arguments)
            show(difference(store, first, second), as_json, "Nothing changed between the two.")
    except StoreError as error:
        raise click.ClickException(str(error)) from None


def _describe(store: LineageStore, text: str, locked: bool) -> list[dict[str, object]]:
    """Everything of one execution or artifact, a row a property."""
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


def _lineage(store: LineageStore, text: str, form: str, as_json: bool, locked: bool) -> None:
    graph = lineage(store, parse_id(text), locked)
    if as_json:
        rows = [
            {"from": f"{source[0]}:{source[1]}", "to": f"{target[0]}:{target[1]}", "name": key,
             "from_label": graph.labels[source], "to_label": graph.labels[target]}
            for source, target, key in graph.edges
        ]  # fmt: skip
        show(rows, True, "")
        return
    click.echo({"text": as_text, "mermaid": as_mermaid, "dot": as_dot}[form](graph))
