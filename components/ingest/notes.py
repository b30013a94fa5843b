"""What a person should hear of a folder that was ingested, beside its figures. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

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
    if used and used["encoding"] not in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        yield f"data.labels_csv isn't UTF-8; it was read as {used['encoding']}."
    for reason, count in summary["excluded"].items():
        yield f"{count} images are left out: {reason}."
    for table in summary["unused_tables"]:
        if table["would_change"]:
            yield (
                f"{table['file']}, which lies among the images, isn't used: it would change the label of "
                f"{table['would_change']} of {table['images']} images. To use it, name its path by data.labels_csv, "
                "taken out of the archive if it is in one."
            )
