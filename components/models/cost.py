"""What a network costs to run, counted and not measured: the same on every machine."""

import math

import keras


def multiplications(model: keras.Model) -> int:
    """Count the multiplications of one image's way through the convolutions and the classifier.

    Args:
        model: functional, of images of a given size.
    """
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            total += math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
        elif isinstance(layer, keras.layers.Dense):
            total += math.prod(layer.kernel.shape)
    return total
