"""Folders of noise, ingested, and what came out."""

from pathlib import Path
from typing import Any

import numpy as np

from components.formats.dataset import read_shard, shard_paths
from components.images.codec import encode
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions


def draw(path: Path, seed: int, size: int = 24) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (size, size, 3), dtype=np.uint8)
    path.write_bytes(encode(pixels, "jpeg"))
    return path


def run(uri: Path | str, target: Path, options: DataOptions | None = None, **more: Any) -> dict[str, Any]:
    target.mkdir(parents=True)
    return ingest(str(uri), target, options or DataOptions(), **more)


def rows(target: Path) -> dict[str, Any]:
    return {row.id: row for path in shard_paths(target, "images") for row in read_shard(path)}
