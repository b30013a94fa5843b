"""File names of augmented copies, made and read in one place.

Ours are `<stem>_aug<n><extension>` (`smile.jpg` → `smile_aug1.jpg`), or `<file name>_aug<n><extension>` where the
copy's format differs from its source's (`smile.gif` → `smile.gif_aug1.png`). Where a name is taken, all copies of the
source get a counter behind the copy number: `smile_aug1-2.jpg`. The published Facial Affect Dataset has
`aug_<n><file name>` (`aug_0smile.jpg`).
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence

# What files of a format are usually called; the first is what a copy gets whose source has another ending.
EXTENSIONS = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png",),
    "bmp": (".bmp", ".dib"),
    "webp": (".webp",),
    "tiff": (".tif", ".tiff"),
}
_OURS = re.compile(r"^(?P<stem>.+)_aug[1-9][0-9]*(?:-[1-9][0-9]*)?(?:\.[A-Za-z0-9]+)?$", re.DOTALL)
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
    return None if _split(path)[1].lower() in usual else usual[0]


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
            if taken.isdisjoint(names) and not (variant == 1 and base in bases):
                break
            variant += 1
        variants[index] = variant
        bases.add(base)
        taken.update(names)
    return variants


def is_copy(name: str) -> bool:
    """Return whether a file name has the form of an augmented copy, ours or the published data set's."""
    return bool(_OURS.match(name) or _PUBLISHED.match(name))


def source_keys(paths: Sequence[str]) -> list[str | None]:
    """Return a key that each copy shares with its source, and with the source's other copies; None for all other files.

    A source and its copies lie in one folder of a class, so the paths are to begin with the class, not with the split:
    then a copy that lies in another split than its source shares the key as well.

    Args:
        paths: `<label>/…/<file name>` each.
    """
    originals = {path for path in paths if not is_copy(path.rpartition("/")[2])}
    by_stem: dict[str, str] = {}
    for path in sorted(originals):
        by_stem.setdefault(_split(path)[0], path)

    def key_of(path: str) -> str | None:
        folder, slash, name = path.rpartition("/")
        candidates = [folder + slash + candidate for candidate in _source_candidates(name)]
        for candidate in candidates:
            if candidate in originals:
                return candidate
            if candidate in by_stem:
                return by_stem[candidate]
        if len(os.fsencode(name)) > _LONGEST - 4:  # a long source's name was cut
            stem = candidates[-1]
            return min((original for original in originals if original.startswith(stem)), default=candidates[0])
        return candidates[0] if candidates else None

    keys = {path: key_of(path) for path in paths if path not in originals}
    sources = set(keys.values())
    return [keys.get(path, path if path in sources else None) for path in paths]


def _source_candidates(name: str) -> Iterator[str]:
    """Yield what a copy's source may be called, the likeliest first: a file name, or one without its extension."""
    if match := _OURS.match(name):
        extension = _split(name)[1]
        yield match["stem"] + extension
        yield match["stem"]
    if match := _PUBLISHED.match(name):
        rest = match["rest"]
        digits = len(rest) - len(rest.lstrip("0123456789"))
        # `aug_012.jpg` may be copy 0 of `12.jpg` or copy 01 of `2.jpg`.
        for end in range(1, digits + 1):
            if rest[end:]:
                yield rest[end:]
                yield rest[end:].lstrip("_")


def _base(name: str, extension: str | None) -> tuple[str, str]:
    """Return what stands before and behind the copy number."""
    stem, own_extension = _split(name)
    if extension is None or extension.lower() == own_extension.lower():
        return stem, own_extension
    return name, extension


def _split(name: str) -> tuple[str, str]:
    """Stem and extension with its dot; a dot that begins or ends the file name makes no extension."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not extension or "/" in extension or not stem.rpartition("/")[2]:
        return name, ""
    return stem, dot + extension


def _shortened(stem: str, most: int) -> str:
    """Return the longest beginning of a stem that takes at most that many bytes in a file name."""
    data = os.fsencode(stem)
    return stem if len(data) <= most else data[:most].decode("utf-8", "ignore")
