"""Draw the sample data set: faces of eight emotions in `train/<label>/`, as unbalanced as AffectNet's Kaggle subset."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.images.codec import encode
from pipeline.sample.face import Person, draw_face

# Images per class of AffectNet's subset on Kaggle (29,042 faces).
AFFECTNET_COUNTS = {
    "anger": 3218,
    "contempt": 2871,
    "disgust": 2477,
    "fear": 3176,
    "happy": 5044,
    "neutral": 5126,
    "sad": 3091,
    "surprise": 4039,
}
IMAGES_PER_IDENTITY = 4
# The first capture in a sample's file name is the identity.
GROUP_REGEX = r"^(id\d+)_"
DEFAULT_IMAGES = 1600


def class_counts(images: int) -> dict[str, int]:
    """Return images per class in AffectNet's ratios, by largest remainders; they sum to `images`."""
    total = sum(AFFECTNET_COUNTS.values())
    counts = {label: images * count // total for label, count in AFFECTNET_COUNTS.items()}
    by_remainder = sorted(AFFECTNET_COUNTS, key=lambda label: (-(images * AFFECTNET_COUNTS[label] % total), label))
    for label in by_remainder[: images - sum(counts.values())]:
        counts[label] += 1
    return counts


def write_sample_data(folder: Path, images: int = DEFAULT_IMAGES, seed: int = 0) -> int:
    """Draw the data set into `folder/train/<label>/`; the same arguments give the same bytes.

    The folder appears whole or not at all.

    Args:
        folder: must not exist or be empty.
        images: number of images, at least 8.
        seed: decides everything.

    Returns:
        The number of images.

    Raises:
        ValueError: too few images, or the folder holds something.
    """
    if images < len(AFFECTNET_COUNTS):
        raise ValueError(f"--images must be at least {len(AFFECTNET_COUNTS)}. Received: {images}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is not an empty folder: name another one, or empty it")
    labels = [label for label, count in class_counts(images).items() for _ in range(count)]
    # Shuffled, so that an identity shows any emotion and tells nothing of the label.
    order = np.random.default_rng([seed, 0]).permutation(images)
    temporary = folder.parent / f".{folder.name}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        _draw(temporary, labels, order, seed)
        if folder.exists():
            folder.rmdir()
        temporary.replace(folder)
    except BaseException:  # a full disk would stay full
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return images


def _draw(folder: Path, labels: Sequence[str], order: NDArray[np.int64], seed: int) -> None:
    for label in AFFECTNET_COUNTS:
        (folder / "train" / label).mkdir(parents=True)
    for place, index in enumerate(order):
        identity = place // IMAGES_PER_IDENTITY
        person = Person.draw(np.random.default_rng([seed, 1, identity]))
        face = draw_face(labels[index], person, np.random.default_rng([seed, 2, place]))
        name = f"id{identity:05d}_{place % IMAGES_PER_IDENTITY}.jpg"
        (folder / "train" / labels[index] / name).write_bytes(encode(face, "jpeg"))
