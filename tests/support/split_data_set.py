"""A split of an ingested folder, and what its shards hold."""

import hashlib
from pathlib import Path
from typing import Any

from components.formats.dataset import ImageRow, read_shard, shard_paths
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.split_balance_augment.split_dataset import split_dataset
from components.work.options import BeamOptions

COUNTS = {"anger": 40, "happy": 90, "sad": 61}
SPLIT = SplitOptions(seed=5)


def run(source: Path, target: Path, **options: Any) -> dict[str, Any]:
    target.mkdir()
    arguments = {
        "split": SPLIT,
        "balance": BalanceOptions(),
        "augment": AugmentOptions(),
        "beam": BeamOptions(workers=1),
    }
    return split_dataset(str(source), str(target), **(arguments | options))


def rows(folder: Path, split: str) -> list[ImageRow]:
    return [row for path in shard_paths(folder, split) for row in read_shard(path)]


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


def ingested(folder: Path, images: Path) -> Path:
    images.mkdir()
    ingest(str(folder), images, DataOptions())
    return images
