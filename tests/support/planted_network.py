"""Networks with weights set by hand: each passes on the brightness of the pixel in the middle of what a cell sees."""

import keras
import numpy as np

from components.models.pretrained import Stem
from components.models.resnets import resnet

STEPS = {"imagenet": 32, "small": 16, "tiny": 8}  # pixels between the places that neighbouring cells look at


def planted_network(stem: Stem, height: int, width: int, architecture: str = "resnet18") -> keras.Model:
    """Return a network of two classes. Brightness is evidence for the second; the first gets none of anything.

    Every convolution passes on the first channel at the middle of its kernel, so a cell knows one pixel; with the stem
    "imagenet", whose maximum pooling looks around, the brightest of nine within two pixels of it.
    """
    model = resnet(architecture, 2, (height, width, 3), normalize=True, classifier_activation=None, stem=stem)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = np.zeros(layer.kernel.shape, np.float32)
            kernel[kernel.shape[0] // 2, kernel.shape[1] // 2, 0, 0] = 1.0
            layer.set_weights([kernel, *(np.zeros(weight.shape) for weight in layer.weights[1:])])
        elif isinstance(layer, keras.layers.BatchNormalization):
            ones = np.ones(layer.gamma.shape, np.float32)
            layer.set_weights([ones, 0 * ones, 0 * ones, ones - layer.epsilon])
    head = model.get_layer("predictions")
    kernel = np.zeros(head.kernel.shape, np.float32)
    kernel[0, 1] = 1.0
    head.set_weights([kernel, np.zeros(2, np.float32)])
    return model
