"""File names of augmented copies, made and read in one place.

Ours are `<stem>_aug<n><extension>` (`smile.jpg` → `smile_aug1.jpg`), or `<file name>_aug<n><extension>` where the
copy's format differs from its source's (`smile.gif` → `smile.gif_aug1.png`). Where a name is taken, all copies of the
source get a counter behind the copy number: `smile_aug1-2.jpg`. The published Facial Affect Dataset has
`aug_<n><file name>` (`aug_0smile.jpg`).

A name proves nothing: somebody's photo of August may be called `aug_2020_001.jpg`. What a copy is known by is decided
in `components.images.copies`.
"""

import os
import re
from collections.abc import Iterable, Sequence

# What files of a format are usually called; the first is what a copy gets whose source has another ending.
EXTENSIONS = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png",),
    "bmp": (".bmp", ".dib"),
    "webp": (".webp",),
    "tiff": (".tif", ".tiff"),
}
_OURS = re.compile(
    r"^(?P<stem>.+)_aug(?P<number>[1-9][0-9]*)(?:-(?P<variant>[1-9][0-9]*))?(?:\.[A-Za-z0-9]+)?$", re.DOTALL
)
_PUBLISHED = re.compile(r"^aug_(?P<rest>[0-9].*)$", re.DOTALL)
# Of a file name's 255 bytes (ext4, NTFS, …), kept free for what a program puts behind a name while it writes the file.
_LONGEST = 240


def copy_name(name: str, number: int, extension: str | None = None, variant: int = 1) -> str:
    """Return the file name of a source's n-th augmented copy.

    Args:
        name: the source's file name, or its path.
        number: 1, 2, …
        extension: of the copy, with its dot; None keeps the source's.
        variant: above 1 where the plain name is taken, see `free_variants`.

    Raises:
        ValueError: `number` is below 1.
    """
    if number < 1:
        raise ValueError(f"copies are numbered from 1. Received: {number}")
    stem, ending = _base(name, extension)
    ending = f"_aug{number}{f'-{variant}' if variant > 1 else ''}{ending}"
    folder, slash, stem = stem.rpartition("/")
    return folder + slash + _shortened(stem, _LONGEST - len(os.fsencode(ending))) + ending


def copy_extension(path: str, encoding: str) -> str | None:
    """Return the extension of copies in that encoding: None for the source's own, where it fits."""
    usual = EXTENSIONS[encoding]
    return None if split_extension(path)[1].lower() in usual else usual[0]


def free_variants(
    sources: Sequence[str], counts: Sequence[int], existing: Iterable[str], extensions: Sequence[str | None]
) -> list[int]:
    """Return for each source the variant with which none of its copies gets a name that is taken.

    Args:
        sources: paths.
        counts: copies of each.
        existing: paths that are taken.
        extensions: of each source's copies, see `copy_name`.
    """
    taken = {path for path in existing if is_copy(path.rpartition("/")[2])}
    if not taken and not any(extensions) and max(map(len, sources), default=0) < _LONGEST // 4 - 32:
        return [1] * len(sources)  # each copy's name gives its source's away
    claimed = {source for path in taken for source in _claimed(path)}
    bases: set[tuple[str, str]] = set()
    variants = [1] * len(sources)
    for index in sorted(range(len(sources)), key=lambda i: sources[i]):
        source, count, extension = sources[index], counts[index], extensions[index]
        if not count:
            continue
        base = _base(source, extension)
        if not taken and base not in bases and len(os.fsencode(base[0].rpartition("/")[2])) < _LONGEST - 32:
            bases.add(base)
            continue
        # Rare, so it may be slow: somebody's file looks like a copy, or two sources would share their copies' names.
        variant = 1
        while True:
            names = [copy_name(source, number, extension, variant) for number in range(1, count + 1)]
            free = taken.isdisjoint(names) and claimed.isdisjoint([*names, *map(_stem, names)])
            if free and not (variant == 1 and base in bases):
                break
            variant += 1
        variants[index] = variant
        bases.add(base)
        taken.update(names)
    return variants


def _claimed(path: str) -> Iterable[str]:
    """Return names of copies that a photo, which is named like a copy of theirs, would be taken for one of."""
    folder, slash, name = path.rpartition("/")
    sources = (source for reading in possible_sources(name) for _, source in reading)
    return (folder + slash + source for source in sources if is_copy(source))


def _stem(path: str) -> str:
    return split_extension(path)[0]


def is_copy(name: str) -> bool:
    """Return whether a file name has the form of an augmented copy, ours or the published data set's."""
    return bool(_OURS.match(name) or _PUBLISHED.match(name))


def possible_sources(name: str) -> list[list[tuple[int, str]]]:
    """Return what a copy's number and its source's name may be, by its own name.

    Returns:
        Readings, the likelier ones first: a later one counts only if nothing of an earlier one is there. In each are
        copy numbers, from 0, and file names with or without their extension. None where the name isn't a copy's.
    """
    readings: list[list[tuple[int, str]]] = []
    if match := _OURS.match(name):
        number = int(match["number"])
        readings.append([(number, match["stem"] + split_extension(name)[1]), (number, match["stem"])])
    if match := _PUBLISHED.match(name):
        rest = match["rest"]
        digits = len(rest) - len(rest.lstrip("0123456789"))
        # `aug_112.jpg` may be copy 1 of `12.jpg` or copy 11 of `2.jpg`; `aug_012.jpg` is hardly copy 01 of that one.
        usual = digits if rest[0] != "0" else 1
        for ends in (range(1, usual + 1), range(usual + 1, digits + 1)):
            found = [
                (int(rest[:end]), source)
                for end in ends
                for source in dict.fromkeys((rest[end:], rest[end:].lstrip("_")))
                if source and not source.startswith(".")
            ]
            if found:
                readings.append(found)
    return readings


def shortened(name: str) -> tuple[str, int] | None:
    """Return how its source's name begins, for a copy whose name may have been cut for its length, and the variant.

    Of sources whose names begin alike, the first by name with copies has variant 1: see `free_variants`.
    """
    match = _OURS.match(name)
    # Where the cut fell into a character, up to three bytes more are gone.
    if not match or len(os.fsencode(name)) <= _LONGEST - 4:
        return None
    return match["stem"], int(match["variant"] or 1)


def _base(name: str, extension: str | None) -> tuple[str, str]:
    """Return what stands before and behind the copy number."""
    stem, own_extension = split_extension(name)
    if extension is None or extension.lower() == own_extension.lower():
        return stem, own_extension
    return name, extension


def split_extension(name: str) -> tuple[str, str]:
    """Stem and extension with its dot; a dot that begins or ends the file name makes no extension."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not extension or "/" in extension or not stem.rpartition("/")[2]:
        return name, ""
    return stem, dot + extension


def _shortened(stem: str, most: int) -> str:
    """Return the longest beginning of a stem that takes at most that many bytes in a file name."""
    data = os.fsencode(stem)
    return stem if len(data) <= most else data[:most].decode("utf-8", "ignore")
