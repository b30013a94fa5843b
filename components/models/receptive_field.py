"""Where in an image the cells of a network's last map look: the centres of their receptive fields, in pixels.

Each layer that moves a window over its input puts the centre of window i at `stride · i + (size - 1) / 2 - padding`;
layers one behind the other compose (Araujo, Norris & Sim 2019, "Computing Receptive Fields of Convolutional Neural
Networks", doi 10.23915/distill.00021). Pixel 0 has its centre at 0.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras


class Grid(NamedTuple):
    """Where along one side the cells of a map have their centres: `start + step · i`.

    Attributes:
        start: of cell 0, in pixels.
        step: between cells, in pixels.
    """

    start: float
    step: float

    def behind(self, size: int, stride: int, padding: int) -> "Grid":
        """Return the grid of the map that a window makes which moves over this one."""
        return Grid(self.start + self.step * ((size - 1) / 2 - padding), self.step * stride)

    def first(self, count: int) -> list[float]:
        """Return the centres of the first cells."""
        return [self.start + self.step * index for index in range(count)]


def centres(network: keras.Model) -> tuple[list[float], list[float]]:
    """Return the centres of the rows and of the columns of a network's output, in pixels of its input.

    Args:
        network: functional, from N×H×W×C images of a fixed size to an N×h×w×F map.

    Raises:
        ValueError: branches of the network that meet look at different places.
    """
    found: dict[int, tuple[Grid, Grid]] = {id(network.inputs[0]): (Grid(0.0, 1.0), Grid(0.0, 1.0))}
    for layer in network.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        taken = layer.input if isinstance(layer.input, Sequence) else [layer.input]
        grids = {found[id(tensor)] for tensor in taken}
        if len(grids) != 1:
            raise ValueError(f"the inputs of {layer.name} look at different places: {sorted(grids)}")
        rows, columns = grids.pop()
        found[id(layer.output)] = (_behind(layer, rows, 0), _behind(layer, columns, 1))
    output = network.outputs[0]
    rows, columns = found[id(output)]
    return rows.first(output.shape[1]), columns.first(output.shape[2])


def _behind(layer: Any, grid: Grid, side: int) -> Grid:
    if isinstance(layer, keras.layers.ZeroPadding2D):
        return grid.behind(1, 1, layer.padding[side][0])
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if window is None:  # it works on each pixel by itself
        return grid
    size, stride, length = window[side], layer.strides[side], layer.input.shape[1 + side]
    # "same" fills up to a whole number of windows, and puts the odd pixel behind.
    filled = max((-(-length // stride) - 1) * stride + size - length, 0) if layer.padding == "same" else 0
    return grid.behind(size, stride, filled // 2)
