"""A model with random weights, and a folder of what is given to one: pictures of several kinds, and what is none."""

from pathlib import Path

import keras
import numpy as np
from drawn_images import draw
from PIL import Image

from components.images.options import ImageOptions
from components.models.resnets import ResNet18
from components.training.export import export

LABELS = ["happy", "neutral", "sad"]


def export_model(folder: Path, seed: int = 1) -> Path:
    keras.utils.set_random_seed(seed)
    network = ResNet18(3, (32, 32, 3), normalize=True, classifier_activation=None)
    export(network, str(folder), LABELS, ImageOptions(height=32, width=32), 1.0, {}, thresholds=[0.8, 0.8, None])
    return folder


def draw_served(folder: Path) -> Path:
    """21 pictures, one of them grey, one turned by EXIF, one WebP, and two files that can't be predicted."""
    for number in range(18):
        draw(folder / "ab"[number % 2] / f"{number}.jpg", seed=number, size=40 + number)
    pixels = np.random.default_rng(7).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(pixels).convert("L").save(folder / "grey.png")
    Image.fromarray(pixels).save(folder / "webp.webp", lossless=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(folder / "turned.jpg", exif=exif)
    (folder / "notes.txt").write_text("no image")
    (folder / "half.png").write_bytes((folder / "grey.png").read_bytes()[:200])
    return folder
