"""What the summary says of several data folders. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.formats.dataset import ImageRow
from components.images.places import name_of
from components.tools.wording import named


def describe_folders(places: Sequence[str], rows: Sequence[ImageRow]) -> dict[str, dict[str, Any]]:
    """Return by name, in the order of age, how many images each folder has, of each class and of each given split.

    Args:
        places: names of the folders; none where there is one folder.
        rows: the images.
    """
    found: dict[str, dict[str, Any]] = {
        name: {"images": 0, "classes": Counter(), "splits": Counter()} for name in places
    }
    for row in rows if places else ():
        folder = found[name_of(row.id, found)]
        folder["images"] += 1
        folder["classes"][row.label] += 1
        if row.split:
            folder["splits"][row.split] += 1
    return {
        name: {
            "images": folder["images"],
            "classes": dict(sorted(folder["classes"].items())),
            "splits": dict(sorted(folder["splits"].items())),
        }
        for name, folder in found.items()
    }


def notes_on_folders(folders: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each thing that somebody may not have meant.

    Args:
        folders: of `describe_folders`.
    """
    if empty := [name for name, folder in folders.items() if not folder["images"]]:
        yield f"There is no image in {named(empty)}."
    full = {name: folder for name, folder in folders.items() if folder["images"]}
    where = Counter(label for folder in full.values() for label in folder["classes"])
    for name, folder in full.items() if len(full) > 1 else ():
        if alone := [label for label in folder["classes"] if where[label] == 1]:
            yield f"{_classes(alone)} only in {name}."
    for split in ("eval", "test"):
        given = [name for name, folder in full.items() if split in folder["splits"]]
        if given and len(given) < len(full):
            others = [name for name in full if name not in given]
            yield (
                f"Images for {split} are given in {named(given)}, so there are no others: {named(others)}, which "
                f"{'has' if len(others) == 1 else 'have'} none, {'adds' if len(others) == 1 else 'add'} nothing to it."
            )


def _classes(labels: Sequence[str]) -> str:
    return f"The class {labels[0]} is" if len(labels) == 1 else f"The classes {named(labels)} are"
