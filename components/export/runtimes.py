"""Exported files on their own runtimes, without TensorFlow: decoded images in, probabilities out.

model = open_exported(Path("model.onnx"))  # or .tflite
pixels = np.stack([model_input(data, model.image) for data in images])
probabilities = model.probabilities(pixels)
"""

import importlib
import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from components.formats.exports import FACTS, PIXELS, PROBABILITIES, Facts, is_sealed
from components.images.options import ImageOptions

SUFFIXES = (".onnx", ".tflite")


class ExportedModel(Protocol):
    """A model on its runtime.

    Attributes:
        facts: what the file says of itself.
        runtime: the name of the package that runs it.
    """

    facts: Facts
    runtime: str

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return [N, C] of N×H×W×C images."""


class OnnxModel:
    """An .onnx file on onnxruntime."""

    runtime = "onnxruntime"

    def __init__(self, data: bytes, where: str) -> None:
        package = _runtime("onnxruntime", self.runtime)
        options = package.SessionOptions()
        options.log_severity_level = 3  # errors
        self._session = package.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        text = self._session.get_modelmeta().custom_metadata_map.get(FACTS)
        self.facts = Facts.parse(_there(text), where)
        shapes = [
            {one.name: one.shape for one in ends} for ends in (self._session.get_inputs(), self._session.get_outputs())
        ]
        _check_shapes(self.facts, *shapes)

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return [N, C] of N×H×W×C images."""
        return np.asarray(self._session.run([PROBABILITIES], {PIXELS: pixels})[0])


class LiteRtModel:
    """A .tflite file on LiteRT."""

    runtime = "ai-edge-litert"

    def __init__(self, data: bytes, where: str) -> None:
        package = _runtime("ai_edge_litert.interpreter", self.runtime)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                text = archive.read(f"{FACTS}.json")
        except (zipfile.BadZipFile, KeyError):
            text = None
        self.facts = Facts.parse(_there(text), where)
        interpreter = package.Interpreter(model_content=data, num_threads=os.cpu_count())
        interpreter.allocate_tensors()  # here, where LiteRT may still say which of its delegates it has chosen
        self._run = interpreter.get_signature_runner()
        ends = (self._run.get_input_details(), self._run.get_output_details())
        _check_shapes(self.facts, *({name: one["shape_signature"] for name, one in end.items()} for end in ends))

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return [N, C] of N×H×W×C images."""
        return np.asarray(self._run(**{PIXELS: pixels})[PROBABILITIES])


def open_exported(path: Path) -> ExportedModel:
    """Open a file by its suffix, one of `SUFFIXES`.

    Raises:
        OSError: it can't be read.
        ModuleNotFoundError: its runtime isn't installed.
        NewerFormatError: a later version wrote it.
        ValueError: it is damaged, or none of this pipeline's.
    """
    data = path.read_bytes()
    with_digest = is_sealed(data)
    kind = OnnxModel if path.suffix == ".onnx" else LiteRtModel
    try:
        model: ExportedModel = kind(data, str(path))
    except (ValueError, OSError, ModuleNotFoundError):
        raise
    except Exception as error:  # each runtime has its own kinds of errors for a damaged file
        raise ValueError(f"{kind.runtime} can't read it: {' '.join(str(error).split())}") from None
    if model.facts.sealed and not with_digest:
        raise ValueError("it no longer has the digest that it was exported with, so it is damaged: copy it again")
    return model


def image_of(facts: Facts) -> ImageOptions:
    """Return size and channels of the images that a model takes."""
    return ImageOptions.model_validate({"height": facts.height, "width": facts.width, "channels": facts.channels})


def accepted(probabilities: NDArray[Any], thresholds: Sequence[float | None] | None) -> NDArray[np.bool_]:
    """Return of [N, C] probabilities which images are answered, in single precision as the SavedModel's graph."""
    single = np.asarray(probabilities, np.float32)
    if thresholds is None:
        return np.ones(len(single), bool)
    least = np.array([np.inf if one is None else one for one in thresholds], np.float32)
    return np.asarray(single.max(axis=1) >= least[single.argmax(axis=1)])


def _check_shapes(facts: Facts, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Make sure that a graph takes and gives what its file says; shapes are by name, the first number is of images.

    Raises:
        ValueError: it doesn't.
    """
    image, classes = (facts.height, facts.width, facts.channels), (len(facts.labels),)
    for name, shapes, said in ((PIXELS, inputs, image), (PROBABILITIES, outputs, classes)):
        found = tuple(shapes.get(name, (0,)))[1:]
        if found != said:
            raise ValueError(f"its graph has {name} of {_by(found)}, and it says of itself {_by(said)}")


def _by(shape: Sequence[Any]) -> str:
    return "×".join(map(str, shape)) or "nothing"


def _there(text: str | bytes | None) -> str | bytes:
    if text is None:
        raise ValueError("it doesn't say which classes it knows, so this pipeline didn't export it, or it is cut off")
    return text


def _runtime(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"its runtime isn't installed: pip install {package}") from None
