"""`affect gc`."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import click

from pipeline.cli.tables import human_size, show
from pipeline.cli.usage_error import UsageError
from pipeline.cli.values import NOT_EMPTY
from pipeline.lineage.garbage import Garbage, GarbageError, Places, delete, find_garbage
from pipeline.lineage.mlmd_store import open_store
from pipeline.lineage.store import StoreError
from pipeline.local.workdir import Workdir, WorkdirError, WorkdirLocked

_LISTED = 200  # more than that are summed up, but for programs


@click.command("gc")
@click.option(
    "--workdir", type=NOT_EMPTY, default="runs/local", show_default=True, metavar="DIR", help="The pipeline's folder."
)
@click.option(
    "--keep", default=1, show_default=True, metavar="N", type=click.IntRange(min=1), help="Successful runs to keep."
)
@click.option("--yes", is_flag=True, help="Delete what is listed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list of objects, not a table.")
def gc(workdir: str, keep: int, yes: bool, as_json: bool) -> None:
    """List files that no kept run needs; --yes deletes them.

    Of more than 200 folders the table has the sums.

    Kept are the newest successful runs, everything that a model still at its
    push destination was made from, and the state of the training that was
    interrupted last.
    """
    folder = Workdir(workdir)
    try:
        store = open_store(str(folder.metadata))
        with folder.locked():
            places = Places(folder.artifacts, folder.checkpoints, folder.temporary, folder.serving_model)
            garbage = find_garbage(store, places, keep)
            rows = _rows(garbage) if as_json or len(garbage) <= _LISTED else _summed_up(garbage)
            show(rows, as_json, "Nothing to delete.")
            if yes:
                delete(garbage, folder.metadata)
    except WorkdirError as error:
        raise (click.ClickException if isinstance(error, WorkdirLocked) else UsageError)(str(error)) from None
    except (StoreError, GarbageError) as error:
        raise click.ClickException(str(error)) from None
    if garbage and not as_json:
        total = human_size(sum(one.size for one in garbage))
        each = "" if len(rows) == len(garbage) else f" in {len(garbage):,} folders and files, which --json names"
        click.echo(f"{total} deleted{each}." if yes else f"{total} in all{each}; --yes deletes them.")


def _rows(garbage: Sequence[Garbage]) -> list[dict[str, Any]]:
    return [
        {
            "path": str(one.path),
            "bytes": one.size,
            "reason": one.reason,
            "id": f"artifact:{one.artifact}" if one.artifact is not None else None,
        }
        for one in garbage
    ]


def _summed_up(garbage: Sequence[Garbage]) -> list[dict[str, Any]]:
    """Return a row for each folder of folders and reason, in the order in which they first come."""
    found: dict[tuple[str, str], list[Garbage]] = defaultdict(list)
    for one in garbage:
        found[f"{one.path.parent}/*", one.reason].append(one)
    return [
        {"path": path, "number": len(each), "bytes": sum(one.size for one in each), "reason": reason}
        for (path, reason), each in found.items()
    ]
