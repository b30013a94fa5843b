"""Images of an ImageDataset that are known by id, read where they are: a data set is large, and few are wanted."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from components.formats.dataset import SPLITS, open_shard, shard_paths


def find_images(dataset: Path, ids: Iterable[str], splits: Iterable[str] = SPLITS) -> Iterator[tuple[str, bytes]]:
    """Yield id and encoded bytes of the images with these ids, as they lie in the shards; others are left out.

    Only the pictures of row groups that hold one of them are read, a row group in memory at a time.
    """
    wanted = set(ids)
    for split in splits:
        for path in shard_paths(dataset, split):
            if not wanted:
                return
            with open_shard(path, str(path)) as file:
                for group in range(file.num_row_groups):
                    for name, image in _in_row_group(file, group, wanted):
                        wanted.discard(name)
                        yield name, image


def _in_row_group(file: pq.ParquetFile, group: int, wanted: Collection[str]) -> list[tuple[str, bytes]]:
    ids = file.read_row_group(group, columns=["id"])["id"].to_pylist()
    rows = [row for row, image in enumerate(ids) if image in wanted]
    if not rows:
        return []
    images = file.read_row_group(group, columns=["image"])["image"].take(pa.array(rows)).to_pylist()
    return [(ids[row], image) for row, image in zip(rows, images, strict=True)]
