"""Splits as tables of images name them, and the folders that they have in a data folder."""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from components.images.source import SourceError

_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "eval": "val",
    "test": "test",
    "testing": "test",
}
# `train-00000-of-00002`, `test_0003`, `validation`
_SHARD = re.compile(r"^(?P<split>.*?)[-_.]?(?:\d+(?:[-_]of[-_]\d+)?)?$", re.IGNORECASE)
# `data/train-00000-of-00002.parquet`
_COUNTED = re.compile(r"^(?P<start>.*?)(?P<number>\d+)(?P<of>-of-)(?P<count>\d+)(?P<end>\.\w+)$")
_MOST_SHARDS = 100_000


def split_folders(shards: Iterable[str]) -> Mapping[str, str]:
    """Return the folder of each shard's images: "train", "val" or "test", or "" where all shards are of one split.

    The split stands in the shard's name (`test-00000-of-00001.parquet`), else in its folder's (`test/0000.parquet`).

    Args:
        shards: paths below the data folder.

    Raises:
        SourceError: there are several splits, and of one it isn't known what it is for.
    """
    named = {shard: _named(shard) for shard in shards}
    if len(set(named.values())) < 2:
        return dict.fromkeys(named, "")
    unknown = sorted(shard for shard, split in named.items() if split not in _FOLDERS)
    if unknown:
        what = named[unknown[0]] or "without a name"
        raise SourceError(
            f"data: {unknown[0]} is of a split ({what}) that isn't known, beside others: "
            "name it train-…, validation-… or test-…, or take it out of the folder"
        )
    folders = {shard: _FOLDERS[split] for shard, split in named.items()}
    return folders if len(set(folders.values())) > 1 else dict.fromkeys(named, "")


def missing_shards(shards: Iterable[str]) -> list[str]:
    """Return the shards that aren't there of those that `train-00000-of-00003.parquet` says there are.

    Args:
        shards: paths below the data folder.
    """
    there = set(shards)
    missing = set()
    for match in filter(None, map(_COUNTED.match, there)):
        digits = len(match["number"])
        missing |= {
            f"{match['start']}{number:0{digits}}{match['of']}{match['count']}{match['end']}"
            for number in range(min(int(match["count"]), _MOST_SHARDS))
        }
    return sorted(missing - there)


def _named(shard: str) -> str:
    path = PurePosixPath(shard)
    own = _split_in(path.stem)
    above = _split_in(path.parent.name)
    return above if own not in _FOLDERS and above in _FOLDERS else own


def _split_in(name: str) -> str:
    match = _SHARD.match(name.lower())
    stem = match["split"] if match else ""
    # The hub's older names begin with the data set's: `beans-train`.
    last = re.split(r"[-_.]", stem)[-1]
    return last if last in _FOLDERS else stem
