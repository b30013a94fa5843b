"""Which image a line of a table of labels means: as tables are published, with paths of another machine. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.images.joined_source import below
from components.images.source import SourceError
from components.ingest.label_table import Label, LabelTable

_SHOWN = 3
_Index = dict[tuple[int, str], list[tuple[str, str]]]


@dataclass(frozen=True)
class Matched:
    """The labels of the images that a table names.

    Attributes:
        labels: by id.
        left_out: why an image isn't used, by id.
    """

    labels: Mapping[str, Label]
    left_out: Mapping[str, str]


class Finder:
    """Finds images by what a table calls them.

    A path may lead from the data folder or from the table's own, be absolute, or have a Windows system's separators.
    What is found by neither is looked for by its last parts, and then by these without the file's extension, where they
    are one image's alone.
    """

    def __init__(self, files: Iterable[str], roots: Mapping[str, str] | None = None, beside: str = "") -> None:
        """Index the files.

        Args:
            files: ids.
            roots: what a data folder may be called at the beginning of an absolute path, with its name among several.
            beside: the table's folder within the data folder; "" for the folder itself, or a table from elsewhere.
        """
        self._files = set(files)
        self._roots = {f"{root.rstrip('/')}/": name for root, name in (roots or {}).items()}
        self._beside = f"{beside}/" if beside else ""
        # Paths, and whose they are, by their last part and by their last two, since thousands may share a name. And the
        # same of paths without the extension.
        self._named: tuple[_Index, ...] = (defaultdict(list), defaultdict(list))
        for file in sorted(self._files):
            stem, dot, extension = file.rpartition(".")
            for index, path in zip(self._named, (file, stem if dot and "/" not in extension else file), strict=True):
                index[1, _last(path, 1)].append((path, file))
                index[2, _last(path, 2)].append((path, file))

    def find(self, path: str) -> list[str]:
        """Return the ids that a path may mean: one, or none, or several."""
        if path in self._files:  # bytes that aren't text are spelled out in ids by a backslash
            return [path]
        path = path.replace("\\", "/")
        for root, name in self._roots.items():
            if path.startswith(root):
                path = below(name, path.removeprefix(root))
        path = re.sub(r"^(\.?/)+", "", re.sub(r"/(\.?/)+", "/", path))
        for exact in (path, self._beside + path):
            if exact in self._files:
                return [exact]
        # A path of several parts may end like one of as many, or be longer than one that has a single part.
        ends = [(2, _last(path, 2)), (2, _last(path, 1))] if "/" in path else [(1, path)]
        for index in self._named:
            candidates = [one for end in ends for one in index.get(end, ())]
            if found := sorted(file for known, file in candidates if _end_alike(known, path)):
                return found
        return []


def _last(path: str, parts: int) -> str:
    return "/".join(path.rsplit("/", parts)[-parts:])


def _end_alike(one: str, other: str) -> bool:
    """Return whether the shorter path is the longer one's end."""
    return f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")


def match_labels(table: LabelTable, finder: Finder) -> Matched:
    """Return the labels of the images in the data folder.

    Raises:
        SourceError: a line names an image that isn't there, or may mean several; or two lines label one image
            differently. The message names the line.
    """
    found: dict[str, tuple[int, Label]] = {}
    unknown: list[tuple[int, str]] = []
    for row in table.rows:
        ids = finder.find(row.path)
        if not ids:
            unknown.append((row.line, row.path))
            continue
        if len(ids) > 1:
            raise SourceError(
                f"{table.where}, line {row.line}: {row.path} may be {' or '.join(ids[:_SHOWN])}: give more of its path"
            )
        line, label = found.setdefault(ids[0], (row.line, row.label))
        if label.name != row.label.name:
            raise SourceError(
                f"{table.where} gives {ids[0]} two labels: {label.name or 'none'} in line {line}, "
                f"{row.label.name or 'none'} in line {row.line}"
            )
        if label != row.label:
            raise SourceError(
                f"{table.where} gives {ids[0]} two confidences or votes: in line {line} and in line {row.line}"
            )
    if unknown:
        line, path = unknown[0]
        raise SourceError(
            f"{table.where}, line {line}: {path} is not in the data folder ({len(unknown)} such of {len(table.rows)}): "
            "take these lines out, or name the folder that the paths begin in"
        )
    labels = {file: label for file, (_, label) in found.items() if label.name}
    return Matched(labels, {file: label.left_out for file, (_, label) in sorted(found.items()) if not label.name})
