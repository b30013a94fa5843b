"""`affect predict --model model.onnx` or `model.tflite`: the file's own runtime in TensorFlow's place."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np

from components.export.runtimes import SUFFIXES, accepted, image_of, open_exported
from components.formats.version import NewerFormatError
from components.images.codec import BadImage, Pixels
from components.images.model_input import model_input
from components.tools.retries import reason
from pipeline.cli.quiet import quiet_libraries
from pipeline.local.failures import cut


def is_exported(path: Path) -> bool:
    """Return whether a path names a file for another runtime."""
    return path.suffix in SUFFIXES and not path.is_dir()


def load_exported(path: Path) -> tuple[list[str], Callable[[list[bytes]], list[tuple[list[float], bool]]]]:
    """Open an exported file; return its labels and a function from encoded images to answers, as `load_model` does.

    Raises:
        ClickException: it can't be opened.
    """
    try:
        with quiet_libraries():
            model = open_exported(path)
    except NewerFormatError:
        raise
    except (OSError, ValueError, ModuleNotFoundError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise click.ClickException(
            f"--model: {cut(why or reason(error))}. Take a file that push.formats put beside a pushed model. "
            f"Received: {path}"
        ) from None
    image, facts = image_of(model.facts), model.facts

    def decoded(data: bytes) -> Pixels | None:
        try:
            return model_input(data, image)
        except BadImage:
            return None

    def classify(images: list[bytes]) -> list[tuple[list[float], bool]]:
        with ThreadPoolExecutor(thread_name_prefix="decode") as pool:
            pixels = list(pool.map(decoded, images))
        usable = [one for one in pixels if one is not None]
        if not usable:
            return [([math.nan], False)] * len(images)
        found = model.probabilities(np.stack(usable))
        answers = iter(zip(found.tolist(), accepted(found, facts.thresholds).tolist(), strict=True))
        return [next(answers) if one is not None else ([math.nan], False) for one in pixels]

    return list(facts.labels), classify
