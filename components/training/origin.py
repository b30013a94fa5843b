"""Where the weights that a training begins with come from: for its summary, the model card and the screen."""

import hashlib
from pathlib import Path
from typing import Any

from components.models import torch_weights
from components.models.pretrained import IMAGENET, conventions_for
from components.training.options import ModelOptions

_CHUNK = 1 << 20  # bytes


def weights_origin(weights: str | None) -> dict[str, str] | str | None:
    """Return `{"file": name, "sha256": hex digest}`, "imagenet", or None for random ones.

    That of a folder is the digest of a line for each file, its path and digest, as `sha256sum` writes them.
    """
    if weights is None or weights == IMAGENET:
        return weights
    path = Path(weights)
    return {"file": path.name, "sha256": _folder_digest(path) if path.is_dir() else _digest(path)}


def first_words(origin: Any, options: ModelOptions, channels: int, classes: int) -> str:
    """Say in a line what a training begins with, and what isn't obvious about it.

    Raises:
        ValueError: the weights don't fit.
    """
    if options.weights is None:
        return "Beginning with random weights"
    text = f"Beginning with {_name(origin)}"
    conventions = conventions_for(options.weights, channels, **options.conventions())
    if conventions.mean is not None and conventions.std is not None:
        numbers = (", ".join(f"{value:g}" for value in values) for values in (conventions.mean, conventions.std))
        text += "; pixels are standardized by mean {} and std {}".format(*numbers)
    if options.weights.endswith(torch_weights.SUFFIX):
        theirs = torch_weights.check_file(options.weights, options.architecture, channels)
        if theirs != classes:
            left_out = "they have no classifier" if theirs is None else f"their classifier of {theirs} is left out"
            text += f"; {left_out}, that of {classes} classes begins at random"
    return text


def _name(origin: Any) -> str:
    if origin == IMAGENET:
        return "ImageNet's weights"
    return f"the weights of {origin['file']} (SHA-256 {origin['sha256'][:12]}…)"


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _folder_digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    lines = "".join(f"{_digest(file)}  {file.relative_to(folder).as_posix()}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()
