"""Run networks on a split's images, a batch in memory at a time, and take the time."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.formats.dataset import read_shard, shard_paths
from components.images.model_input import model_input
from components.images.options import ImageOptions

BATCH = 32

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def batches(dataset: Path, split: str, image: ImageOptions) -> Iterator[NDArray[np.uint8]]:
    """Yield the images of a split as a network takes them, in the order of its shards."""
    rows = (row.image for path in shard_paths(dataset, split) for row in read_shard(path))
    with ThreadPoolExecutor(thread_name_prefix="decode") as pool:
        while some := list(islice(rows, BATCH)):
            yield np.stack(list(pool.map(partial(model_input, image=image), some)))


def run_on(images: Iterator[NDArray[np.uint8]], classify: Classify) -> tuple[NDArray[np.float32], float]:
    """Return [N, C] probabilities, and the milliseconds that an image took.

    The first batch runs twice, and its first time doesn't count: there a runtime plans its memory.
    """
    found: list[Any] = []
    seconds = 0.0
    for pixels in images:
        if not found:
            classify(pixels)
        before = time.perf_counter()
        found.append(classify(pixels))
        seconds += time.perf_counter() - before
    answers = np.concatenate(found)
    return answers, 1000 * seconds / len(answers)
