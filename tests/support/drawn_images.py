"""Small smooth random pictures in a folder `train/<label>/`, for tests of splitting and augmenting."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np


def draw(path: Path, seed: int, size: int = 24) -> None:
    """Write one picture in the format of the path's extension."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    pixels = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    path.parent.mkdir(parents=True, exist_ok=True)
    done, encoded = cv2.imencode(path.suffix.lower() or ".jpg", pixels)
    assert done
    path.write_bytes(encoded.tobytes())


def draw_folder(root: Path, counts: dict[str, int], *, extension: str = ".jpg", order: Iterable[int] = ()) -> Path:
    """Write so many pictures a label; `order` is the order in which a label's are written."""
    for number, (label, count) in enumerate(counts.items()):
        wanted = [index for index in order if index < count] or list(range(count))
        for index in wanted:
            draw(root / "train" / label / f"img{index}{extension}", seed=number * 1000 + index)
    return root
