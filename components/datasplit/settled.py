"""What became of a folder's images while they were split: some may have gone, come, or changed in the meantime.

An interrupted run may be finished days later. What it has planned is carried out as far as it can be, and its tables
are made to list what is there.
"""

import csv
import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.datasplit.read_folder import list_files, why_unusable
from components.datasplit.tables import csv_line
from components.datasplit.workspace import leads_out
from components.images.hashing import file_sha256
from components.images.split_tables import LINEAGE, SPLIT_TABLES
from components.tools.files import replacing
from components.tools.printable import printable
from components.tools.wording import counted, named

SOURCES = "sources"  # in the stage: path and SHA-256 of each original


@dataclass(frozen=True)
class Changes:
    """What isn't as it was read; paths begin with the split.

    Attributes:
        gone: images and copies that the tables listed.
        come: images in train that nobody planned.
        changed: originals with other bytes.
    """

    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def told(self) -> Iterator[str]:
        """Yield a line for each kind: how many, which, and what that means."""
        if self.gone:
            yield f"{_line(self.gone, 'gone')}. The tables don't list them, nor the lineage of their copies."
        if self.come:
            yield (
                f"{_line(self.come, 'new')}. train.csv lists them, but they weren't held against the images in "
                "test, so they may be duplicates of those."
            )
        if self.changed:
            yield f"{_line(self.changed, 'other than before')}. Their copies show what they were."


def write_sources(stage: Path, sources: Iterable[tuple[str, str]]) -> None:
    """Write path below `train` and SHA-256 of each original into a stage."""
    with (stage / SOURCES).open("wb") as file:
        for path, sha256 in sources:
            file.write(os.fsencode(path) + b"\0" + sha256.encode() + b"\0")


def read_sources(stage: Path) -> list[tuple[str, str]]:
    """Return what `write_sources` wrote; nothing where it didn't."""
    if not (stage / SOURCES).is_file():
        return []
    fields = (stage / SOURCES).read_bytes().split(b"\0")[:-1]
    pairs = zip(map(os.fsdecode, fields[::2]), fields[1::2], strict=False)
    return [(path, sha256.decode("ascii", "replace")) for path, sha256 in pairs if not leads_out(path)]


def changed_since(target: Path, sources: Iterable[tuple[str, str]], since: int) -> tuple[str, ...]:
    """Return the originals whose bytes are others than those that were read.

    Only files that were touched are read again: of a hundred thousand images that is none or a few.

    Args:
        target: the folder that is split.
        sources: path below `train`, whichever side it is on by now, and SHA-256.
        since: when reading began, in nanoseconds by the clock of the file system.
    """
    found = []
    for path, sha256 in sources:
        for split in ("train", "test"):
            file = target / split / path
            try:
                status = file.lstat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_ctime_ns >= since and not _has(file, sha256):
                found.append(f"{split}/{path}")
            break
    return tuple(found)


def settle(stage: Path, target: Path) -> Changes:
    """Let a stage's tables list what is there, once all has been moved that could be.

    Args:
        stage: with the tables that haven't been moved into place yet.
        target: the folder that is split.

    Returns:
        What they don't list any more, and what they list now.
    """
    gone: list[str] = []
    come: list[str] = []
    for table in SPLIT_TABLES:
        if not (stage / table).is_file():
            continue
        split = table.partition(".")[0]
        header, *rows = _read(stage / table)
        kept = [row for row in rows if os.path.lexists(target / split / "/".join(row))]
        missing = [row for row in rows if not os.path.lexists(target / split / "/".join(row))]
        new = _new(target / split, {"/".join(row) for row in kept}) if split == "train" else []
        if missing or new:
            _write(stage / table, [header, *sorted([*kept, *(path.split("/", 1) for path in new)])])
        gone += [f"{split}/{'/'.join(row)}" for row in missing]
        come += [f"{split}/{path}" for path in new]
    if (stage / LINEAGE).is_file():
        header, *rows = _read(stage / LINEAGE)
        kept = [row for row in rows if all(os.path.lexists(target / path) for path in row[:2])]
        if len(kept) < len(rows):
            _write(stage / LINEAGE, [header, *kept])
    return Changes(gone=tuple(gone), come=tuple(come))


def _has(file: Path, sha256: str) -> bool:
    try:
        return file_sha256(file.read_bytes()) == sha256
    except OSError:  # whoever touched it may have taken the right to read it as well
        return False


def _new(train: Path, known: set[str]) -> list[str]:
    return [path for path in list_files(train) if path not in known and why_unusable(train / path) is None]


def _line(paths: Sequence[str], what: str) -> str:
    which = counted(len(paths), f"image is {what}", f"images are {what}")
    return f"Since the split began, {which}: {named([printable(path) for path in paths])}"


def _read(table: Path) -> list[list[str]]:
    text = table.read_bytes().decode("utf-8", "surrogateescape")
    try:
        return list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    except csv.Error as error:
        raise ValueError(f"{table} is none of datasplit's tables ({error})") from None


def _write(table: Path, rows: Iterable[Sequence[str]]) -> None:
    with replacing(table) as temporary, temporary.open("wb") as file:
        file.writelines(csv_line(*row) for row in rows)
