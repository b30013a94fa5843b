"""Unpack FER2013, which is published as a table: a row holds an emotion, 48×48 grey levels and the split.

Images become PNG files with the names that FER+ gives them, `fer0000000.png`, by their rows, so that its table of
labels fits: `train/angry/fer0000000.png`.

Sources: the "Challenges in Representation Learning: Facial Expression Recognition Challenge" of 2013, whose
description numbers the emotions and whose public and private leaderboards are the other two splits; FER+ (Barsoum et
al. 2016) for the names.
"""

import csv
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from components.images.codec import Pixels, encode
from components.images.containers.contents import Contents, listed
from components.images.containers.kind import fer2013_columns
from components.images.containers.members import Member, Pack
from components.images.source import SourceError

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_SPLITS = {"training": "train", "publictest": "val", "privatetest": "test"}
_SIDE = 48


def read_fer2013(path: Path, name: str, target: Path) -> Contents:
    """Write the images of the table into one file, row by row.

    Args:
        path: of the table.
        name: of the table, for messages.
        target: the file to write.

    Raises:
        SourceError: it isn't text.
    """
    members: dict[str, Member] = {}
    unusable: list[tuple[str, str]] = []
    with Pack(target, name, path.stat().st_size) as pack, path.open(encoding="utf-8-sig", newline="") as file:
        for place, found in _rows(file, name):
            if isinstance(found, str):
                unusable.append((place, found))
            else:
                members[place] = pack.add(encode(found, "png"))
    splits = {place.partition("/")[0] for place in members}
    if len(splits) == 1:  # a part of the table is data like any other
        members = {place.partition("/")[2]: member for place, member in members.items()}
    return Contents(target, members, listed(members, unusable))


def _rows(file: TextIO, name: str) -> Iterator[tuple[str, Pixels | str]]:
    """Yield each row's id with its pixels, or with the reason why it has none."""
    rows = csv.reader(file)
    try:
        header = fer2013_columns(next(rows))
        for number, row in enumerate(filter(None, rows)):
            values = dict(zip(header, row, strict=False))
            file_name = f"fer{number:07}.png"
            label, split = _label(values.get("emotion", "")), _split(values.get("usage"))
            pixels = _pixels(values.get("pixels", ""))
            if label is None:
                yield file_name, f"emotion is none of 0–6: {values.get('emotion')!r} in line {rows.line_num}"
            elif split is None:
                yield file_name, f"Usage is no split of FER2013: {values['usage']!r} in line {rows.line_num}"
            elif isinstance(pixels, str):
                yield file_name, f"{pixels}: line {rows.line_num}"
            else:
                yield f"{split}/{label}/{file_name}", pixels
    except (csv.Error, UnicodeDecodeError) as error:
        raise SourceError(f"data: {name}, line {rows.line_num + 1}: {error}") from None


def _label(value: str) -> str | None:
    number = value.strip()
    return EMOTIONS[int(number)] if number.isdecimal() and int(number) < len(EMOTIONS) else None


def _split(value: str | None) -> str | None:
    return "train" if value is None else _SPLITS.get(value.strip().lower())


def _pixels(text: str) -> Pixels | str:
    """Return the image, or what is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # how NumPy tells that something isn't a number
        try:
            levels = np.fromstring(text, np.int64, sep=" ")
        except (DeprecationWarning, ValueError):
            return "pixels that aren't whole numbers"
    if levels.size != _SIDE * _SIDE:
        return f"{levels.size} pixels, not {_SIDE}×{_SIDE}"
    if levels.min() < 0 or levels.max() > 255:
        return f"pixels from {levels.min()} to {levels.max()}, not from 0 to 255"
    return levels.reshape(_SIDE, _SIDE).astype(np.uint8)
