"""Weights under torchvision's names, drawn from a seed: what a file of PyTorch's holds, without PyTorch or a file.

`RandomState` promises the same numbers with every release of numpy.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.models.blocks import BLOCKS, EXPANSION
from components.models.torch_weights import expected_shapes


def draw_weights(architecture: str, classes: int, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Return a state dict that keeps activations finite, with running statistics that are no one's initial values.

    Variances go from 1e-6 to 10, and their convolutions along: in small ones PyTorch's epsilon differs from Keras'.
    """
    random = np.random.RandomState(seed)
    kind = BLOCKS[architecture][0]
    tensors: dict[str, NDArray[np.float32]] = {}
    kernel = ""

    def put(name: str, value: Any) -> None:
        tensors[name] = np.asarray(value, np.float32)

    for name, shape in expected_shapes(architecture, 3).items():
        if len(shape) == 4:
            kernel = name
            put(name, random.standard_normal(shape) * np.sqrt(2.0 / np.prod(shape[1:])))
        elif name.endswith(".weight"):  # the last of a block small, or activations would double with each block
            last = re.search(r"\.bn2\." if kind == "basic" else r"\.bn3\.", name)
            put(name, random.uniform(0.1, 0.3, shape) if last else random.uniform(0.5, 1.5, shape))
        elif name.endswith(".running_var"):
            variance = 10.0 ** random.uniform(-6.0, 1.0, shape)
            put(name, variance)
            put(kernel, tensors[kernel] * np.sqrt(variance)[:, np.newaxis, np.newaxis, np.newaxis])
            mean = name.replace("running_var", "running_mean")
            put(mean, tensors[mean] * np.sqrt(variance))
            put(name.replace("running_var", "num_batches_tracked"), 7)
        else:
            put(name, random.standard_normal(shape) * 0.1)
    features = 512 * EXPANSION[kind]
    put("fc.weight", random.standard_normal((classes, features)) / np.sqrt(features))
    put("fc.bias", random.standard_normal(classes))
    return tensors


def draw_pixels(height: int, width: int, seed: int = 1) -> NDArray[np.float32]:
    """Return two RGB images in 0–255, as 2×H×W×3."""
    return np.random.RandomState(seed).randint(0, 256, (2, height, width, 3)).astype(np.float32)
