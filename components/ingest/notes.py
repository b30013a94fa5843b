"""What a person should hear of a folder that was ingested, beside its figures. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.ingest.describe_folders import notes_on_folders
from components.ingest.text_table import UNICODE
from components.tools.wording import counted, named


def notes(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each thing that somebody may not have meant.

    Args:
        summary: of ingest.
    """
    folders = summary["unused_images"]
    if folders:
        places = named([f"{count:,} in {folder}/" for folder, count in folders.items()])
        one, several = "image isn't part of the data, since it lies", "images aren't part of the data, since they lie"
        what = counted(sum(folders.values()), one, several)
        yield f"{what} beside its splits: {places}. data.splits names the folders to use."
    if conflicts := summary["duplicates"]["conflict"]:
        yield (
            f"{counted(conflicts, 'image has', 'images have')} the very pixels of one with another label: the table of "
            "duplicates, beside that of unusable files, lists them."
        )
    for doubt in summary["doubtful_copies"]["reasons"]:
        first = _first([repr(name) for name in doubt["first"]], doubt["images"])
        yield f"In doubt: {counted(doubt['images'], 'image')} {doubt['reason']} ({first})."
    used = summary["labels_table"]
    if used and used.get("undecided"):
        undecided = counted(used["undecided"], "image isn't", "images aren't")
        yield (
            f"data.labels_csv is a list in which {undecided} decided: these keep their labels. "
            "Write a class into its column label, or yes into exclude."
        )
    if used and used["labels"] and not used["changed"]:
        yield (
            f"data.labels_csv changes no label: the folders say the same of all images that it names "
            f"({used['labels']:,})."
        )
    if used and used["encoding"] not in UNICODE:
        yield f"data.labels_csv isn't UTF-8; it was read as {used['encoding']}."
    yield from notes_on_folders(summary["folders"])
    yield from _of_metadata(summary["metadata_table"], summary["images"])
    for reason, count in summary["excluded"].items():
        yield f"{counted(count, 'image is', 'images are')} left out: {reason}."
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
        first = _first(table["missing"]["first"], missing)
        yield f"data.metadata_csv says nothing of {missing:,} of {images:,} images ({first}): not given, in slices."
    if unmatched := table["unmatched"]["rows"]:
        first = _first(table["unmatched"]["first"], unmatched)
        verb = "names" if unmatched == 1 else "name"
        lines = f"{unmatched:,} of {table['rows']:,} lines of data.metadata_csv {verb}"
        yield f"{lines} no image of the data folder ({first})."
    if lines := table["without_path"]:
        what = counted(lines, "line of data.metadata_csv names", "lines of data.metadata_csv name")
        yield f"{what} no image at all: their path is empty."
    if columns := table["unnamed_columns"]:
        one, several = (
            "column of data.metadata_csv has no name and is",
            "columns of data.metadata_csv have no name and are",
        )
        yield f"{counted(columns, one, several)} left out."
    if table["encoding"] not in UNICODE:
        yield f"data.metadata_csv isn't UTF-8; it was read as {table['encoding']}."


def _first(names: Sequence[str], count: int) -> str:
    return ", ".join(names) + (", …" if count > len(names) else "")
