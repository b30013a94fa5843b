"""An exported model's network, from decoded images to probabilities, converted for runtimes without TensorFlow.

What is converted is the signature `serve_pixels`, with temperature and mirror image. In it, the project's convolution
is Keras' (they differ in the gradient alone), and its normalization is one operation, which both converters fold into
the convolution before it, as they do with what Keras' own becomes. Nothing is left but operations that each runtime has
by itself, whatever stem and depth; the members of an ensemble are one graph.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.export.embed_facts import onnx_with_facts, tflite_with_facts
from components.formats.exports import PIXELS, PROBABILITIES, Facts
from components.formats.saved_model import SERVE_PIXELS, loadable

# The newest that onnxruntime 1.16 is sure to know.
OPSET = 17
# Of one file, which is a protocol buffer or a flatbuffer.
MOST_BYTES = 2 * 1024**3


class Network:
    """What a SavedModel does with decoded images.

    Args:
        folder: of the SavedModel.

    Attributes:
        shape: height, width and channels of the images.

    Raises:
        ValueError: an earlier version exported it, or it is too large for one file.
    """

    def __init__(self, folder: Path) -> None:
        with loadable(folder) as path:
            self._model = tf.saved_model.load(path)
        if SERVE_PIXELS not in self._model.signatures:
            raise ValueError(
                f"the model in {folder} has no signature {SERVE_PIXELS}: an earlier version exported it. Train it "
                "again, or set push.formats=[saved_model]"
            )
        signature = self._model.signatures[SERVE_PIXELS]
        size = sum(variable.dtype.size * variable.shape.num_elements() for variable in signature.variables)
        if size >= MOST_BYTES:
            raise ValueError(
                f"a model of {size / 1024**3:.1f} GiB is too large for ONNX and LiteRT, whose files hold less "
                "than 2: set push.formats=[saved_model], or choose a smaller architecture or fewer evaluate.folds"
            )
        spec = signature.structured_input_signature[1][PIXELS]
        self.shape: tuple[int, int, int] = tuple(spec.shape[1:])
        self._spec = tf.TensorSpec(spec.shape, tf.uint8, name=PIXELS)

        def classify(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            return {PROBABILITIES: signature(pixels=pixels)[PROBABILITIES]}

        self._classify = tf.function(classify, input_signature=[self._spec], autograph=False)

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return [N, C] of N×H×W×C images, by TensorFlow."""
        return np.asarray(self._classify(tf.constant(pixels))[PROBABILITIES].numpy())

    def to_onnx(self, facts: Facts) -> bytes:
        """Return the ONNX file."""
        import tf2onnx

        logging.getLogger("tf2onnx").setLevel(logging.WARNING)  # it tells of each of its passes
        model, _ = tf2onnx.convert.from_function(self._classify, [self._spec], opset=OPSET)
        return onnx_with_facts(model, facts)

    def to_litert(self, facts: Facts, calibration: Iterable[NDArray[np.uint8]] | None = None) -> bytes:
        """Return the .tflite file.

        Args:
            facts: to put into it.
            calibration: H×W×C images whose activations tell how to quantize to int8; None: float32.
        """
        converter: Any = tf.lite.TFLiteConverter.from_concrete_functions(
            [self._classify.get_concrete_function()], self._model
        )
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([image[np.newaxis]] for image in calibration)
        return tflite_with_facts(converter.convert(), facts)
