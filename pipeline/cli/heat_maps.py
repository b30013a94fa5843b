"""`affect predict --explain DIR`: a picture of each image beside what in it speaks for the label it gets."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from components.explanation.heat_map import heat_maps
from components.formats.folds import ENSEMBLE
from components.formats.saved_model import ASSETS
from components.images.codec import MAX_PIXELS, Pixels, decode, encode
from components.tools.files import replacing
from components.tools.places import why_no_folder
from components.tools.printable import printable
from components.tools.wording import counted, named

LONGEST = 1024  # pixels of a side of what is written
_NAME_BYTES = 60  # of a file's name, each of which may be spelled out as four
_SIGNATURE = "explain"

# Encoded images to each one's activation maps, rows and columns, as the signature returns them.
Explainer = Callable[[list[bytes]], list[tuple[Any, Any, Any]]]


def explainer(model: Any, folder: Path) -> Explainer:
    """Return the function that asks a loaded model.

    Args:
        model: a SavedModel.
        folder: where it lies, for the message.

    Raises:
        UsageError: it is an average of several, or was exported before models explained themselves.
    """
    import tensorflow as tf

    if _SIGNATURE not in model.signatures and ENSEMBLE.exists(folder / ASSETS):
        raise click.UsageError(
            "--explain: the model is an average of several (push.ensemble), which can't be explained as one. Leave "
            f"--explain out, or push a single model. Received: {folder}"
        )
    if _SIGNATURE not in model.signatures:
        raise click.UsageError(
            f"--explain: the model has no signature {_SIGNATURE}, since an earlier version exported it. Train and push "
            f"it again with this one, or leave --explain out. Received: {folder}"
        )

    def explain(images: list[bytes]) -> list[tuple[Any, Any, Any]]:
        found = model.signatures[_SIGNATURE](image_bytes=tf.constant(images, tf.string))
        return list(zip(*(found[name].numpy() for name in ("maps", "rows", "columns")), strict=True))

    return explain


def check_folder(folder: Path, files: Sequence[Path]) -> None:
    """Refuse a folder that pictures can't be written to, or that has some of the images, or other pictures, in it.

    Args:
        folder: which may be missing as yet.
        files: the images that are to be explained.

    Raises:
        UsageError: it is such a folder.
    """
    if problem := why_no_folder(folder):
        raise click.UsageError(f"can't write to --explain {folder}: {problem}")
    real = os.path.realpath(folder)
    pictures = sorted(path.name for path in folder.glob("*.png"))
    inside = next((file for file in files if os.path.realpath(file.parent) == real), None)
    if inside is not None:
        raise click.UsageError(
            f"can't write to --explain {folder}: the image {inside} lies there, and might be replaced: "
            "name another folder"
        )
    if pictures:
        what = f"{counted(len(pictures), 'picture lies', 'pictures lie')} there already ({named(pictures, 3)})"
        raise click.UsageError(
            f"can't write to --explain {folder}: {what}, and might be replaced: name another folder, or delete them"
        )


class HeatMaps:
    """Writes pictures into a folder, each under a name of its own.

    Args:
        folder: of `check_folder`; made if it isn't there.
        labels: class names in the order of their ids.
        explain: of `explainer`.

    Raises:
        ClickException: the folder can't be written to, while pictures are written.
    """

    def __init__(self, folder: Path, labels: list[str], explain: Explainer) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.labels, self.explain = folder, labels, explain
        self._taken: set[str] = set()

    def add(self, rows: Sequence[dict[str, Any]], files: Sequence[Path], images: Sequence[bytes | None]) -> None:
        """Write a picture for each row that has a label, and its path into the row as `heat_map`; None for others.

        Args:
            rows: with `label`.
            files: where each image is from.
            images: encoded.
        """
        asked = [image for row, image in zip(rows, images, strict=True) if image is not None and row["label"]]
        found = iter(self.explain(asked) if asked else [])
        for row, file, image in zip(rows, files, images, strict=True):
            row["heat_map"] = None
            if image is not None and row["label"]:
                row["heat_map"] = self._write(file, image, row["label"], next(found))

    @property
    def count(self) -> int:
        """How many pictures were written."""
        return len(self._taken)

    def _write(self, file: Path, image: bytes, label: str, maps: tuple[Any, Any, Any]) -> str:
        pixels = at_most(decode(image, MAX_PIXELS).pixels, LONGEST)
        [heat] = heat_maps(pixels, *maps, [self.labels.index(label)])
        plain = pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)
        target = self.folder / self._name(file)
        try:
            with replacing(target) as temporary:
                temporary.write_bytes(encode(np.hstack([plain, heat]), "png"))
        except OSError as error:
            raise click.ClickException(f"can't write to --explain {self.folder}: {error.strerror}") from None
        return str(target)

    def _name(self, file: Path) -> str:
        """Return `cat.png` for the first file of the name cat, `cat-2.png` for the next."""
        stem = printable(os.fsdecode(os.fsencode(file.stem)[:_NAME_BYTES]))
        number = 1
        while (name := stem if number == 1 else f"{stem}-{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return f"{name}.png"


def at_most(pixels: Pixels, longest: int) -> Pixels:
    """Return pixels whose longer side is no longer than this."""
    scale = longest / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
