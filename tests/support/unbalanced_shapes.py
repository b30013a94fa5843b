"""Small pictures of eight shapes, drawn so that none is sure: of very many of one to a handful of another."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SHAPES = ("disc", "square", "triangle", "cross", "ring", "bar", "half", "frame")
# Of one for each shape, 700 : 1 by equal factors.
COUNTS = tuple(round(2100 * 700 ** (-step / 7)) for step in range(8))
SIZE = 32


def draw_shapes(counts: Sequence[int], seed: int, noise: float = 45.0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return N×32×32×3 uint8 pictures and [N] labels, of so many of each shape; the same seed draws the same ones.

    Args:
        counts: pictures of each shape.
        seed: decides everything.
        noise: standard deviation of what is added to each pixel.
    """
    labels = np.repeat(np.arange(len(counts)), counts)
    images = [_draw(int(label), np.random.default_rng([seed, place]), noise) for place, label in enumerate(labels)]
    return np.stack(images), labels


def _draw(shape: int, rng: np.random.Generator, noise: float) -> NDArray[np.uint8]:
    ground, colour = (tuple(int(value) for value in rng.integers(*span, 3)) for span in ((20, 130), (110, 236)))
    picture = np.full((4 * SIZE, 4 * SIZE, 3), ground, np.uint8)  # drawn large, then averaged
    radius, angle = rng.uniform(24, 40), rng.uniform(0, 2 * np.pi)
    centre = rng.uniform(44, 84, 2)

    def corners(*places: tuple[float, float]) -> NDArray[np.int32]:
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return np.round(np.array(places) * radius @ turn.T + centre).astype(np.int32)

    def bar(width: float, turned: bool = False) -> NDArray[np.int32]:
        a, b = (width, 1.0) if turned else (1.0, width)
        return corners((-a, -b), (a, -b), (a, b), (-a, b))

    middle = (round(centre[0]), round(centre[1]))
    name = SHAPES[shape]
    if name == "disc":
        cv2.circle(picture, middle, round(0.9 * radius), colour, -1)
    elif name == "ring":
        cv2.circle(picture, middle, round(0.85 * radius), colour, round(0.3 * radius))
    elif name == "half":
        cv2.ellipse(picture, middle, (round(radius),) * 2, np.degrees(angle), 0, 180, colour, -1)
    elif name == "triangle":
        cv2.fillPoly(picture, [corners((-0.9, -0.6), (0.9, -0.6), (0.0, 1.0))], colour)
    elif name == "square":
        cv2.fillPoly(picture, [bar(0.8) * 1], colour)
    elif name == "frame":
        cv2.polylines(picture, [bar(0.8)], True, colour, round(0.3 * radius))
    else:
        cv2.fillPoly(picture, [bar(0.3)], colour)
        if name == "cross":
            cv2.fillPoly(picture, [bar(0.3, turned=True)], colour)
    small = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.clip(small + rng.normal(0.0, noise, small.shape), 0, 255).astype(np.uint8)
