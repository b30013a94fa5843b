"""What a person should hear of a folder that was ingested, beside its figures. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.ingest.describe_folders import notes_on_folders
from components.ingest.text_table import UNICODE

_NAMED = 10


def notes(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each thing that somebody may not have meant.

    Args:
        summary: of ingest.
    """
    folders = summary["unused_images"]
    if folders:
        named = ", ".join(f"{count} in {folder}/" for folder, count in list(folders.items())[:_NAMED])
        yield (
            f"{sum(folders.values())} images aren't part of the data, since they lie beside its splits: {named}"
            f"{', …' if len(folders) > _NAMED else ''}. data.splits names the folders to use."
        )
    if conflicts := summary["duplicates"]["conflict"]:
        yield (
            f"{conflicts} images have the very pixels of one with another label: the table of duplicates, beside that "
            "of unusable files, lists them."
        )
    for doubt in summary["doubtful_copies"]["reasons"]:
        named = ", ".join(map(repr, doubt["first"])) + (", …" if doubt["images"] > len(doubt["first"]) else "")
        yield f"In doubt: {doubt['images']} images {doubt['reason']} ({named})."
    used = summary["labels_table"]
    if used and used.get("undecided"):
        yield (
            f"data.labels_csv is a list in which {used['undecided']} images aren't decided: these keep their labels. "
            "Write a class into its column label, or yes into exclude."
        )
    if used and used["labels"] and not used["changed"]:
        yield (
            f"data.labels_csv changes no label: the folders say the same of all {used['labels']} images that it names."
        )
    if used and used["encoding"] not in UNICODE:
        yield f"data.labels_csv isn't UTF-8; it was read as {used['encoding']}."
    yield from notes_on_folders(summary["folders"])
    yield from _of_metadata(summary["metadata_table"], summary["images"])
    for reason, count in summary["excluded"].items():
        yield f"{count} images are left out: {reason}."
    for table in summary["unused_tables"]:
        if table["would_change"]:
            yield (
                f"{table['file']}, which lies among the images, isn't used: it would change the label of "
                f"{table['would_change']} of {table['images']} images. To use it, name its path by data.labels_csv, "
                "taken out of the archive if it is in one."
            )


def _of_metadata(table: Mapping[str, Any] | None, images: int) -> Iterator[str]:
    if table is None:
        return
    if missing := table["missing"]["images"]:
        named = _first(table["missing"]["first"], missing)
        yield f"data.metadata_csv says nothing of {missing} of {images} images ({named}): not given, in slices."
    if unmatched := table["unmatched"]["rows"]:
        named = _first(table["unmatched"]["first"], unmatched)
        yield f"{unmatched} of {table['rows']} lines of data.metadata_csv name no image of the data folder ({named})."
    if lines := table["without_path"]:
        yield f"{lines} lines of data.metadata_csv name no image at all: their path is empty."
    if columns := table["unnamed_columns"]:
        yield f"{columns} columns of data.metadata_csv have no name and are left out."
    if table["encoding"] not in UNICODE:
        yield f"data.metadata_csv isn't UTF-8; it was read as {table['encoding']}."


def _first(names: Sequence[str], count: int) -> str:
    return ", ".join(names) + (", …" if count > len(names) else "")
