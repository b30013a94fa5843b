"""Sample faces as three cameras saw them, one of which is out of focus and in the dark, and a table that says so."""

import csv
import re
import shutil
from pathlib import Path

import cv2
import numpy as np

from components.images.codec import encode
from pipeline.sample.dataset import GROUP_REGEX, write_sample_data

LABELS = ("anger", "happy", "surprise")  # few, so that a short training learns them
CAMERAS = ("front", "side", "cellar")
WEAK = "cellar"


def write_weak_camera(folder: Path, images: int, seed: int = 0) -> Path:
    """Draw `faces` and `metadata.csv` into a folder, and return the table's path.

    Of `images` sample faces those of `LABELS` stay, two in five. A person's images are one camera's, and of one age.
    What the weak camera shows is a face, but hardly an expression.
    """
    faces = folder / "faces"
    write_sample_data(faces, images, seed)
    for label in (faces / "train").iterdir():
        if label.name not in LABELS:
            shutil.rmtree(label)
    table = folder / "metadata.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "camera", "age", "note"])
        for number, path in enumerate(sorted((faces / "train").glob("*/*.jpg"))):
            found = re.match(GROUP_REGEX, path.name)
            assert found
            person = int(found[1].removeprefix("id"))
            camera = CAMERAS[person % len(CAMERAS)]
            if camera == WEAK:
                path.write_bytes(_spoilt(path.read_bytes(), number))
            writer.writerow([path.relative_to(faces).as_posix(), camera, 18 + 7 * person % 60, f"roll {number}"])
    return table


def _spoilt(data: bytes, seed: int) -> bytes:
    """Return a blurred, darkened and noisy copy of an image."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB).astype(np.float32)
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigmaX=pixels.shape[1] / 7)
    noise = np.random.default_rng(seed).normal(0.0, 6.0, pixels.shape)
    return encode(np.clip(blurred * 0.2 + noise, 0, 255).astype(np.uint8), "jpeg")
