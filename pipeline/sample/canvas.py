"""Shapes and colours for the sample faces: fills and strokes in the face's own coordinates."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_SUBPIXEL = 4  # bits of cv2's fixed-point coordinates

Points = NDArray[np.float64]
Colour = tuple[int, int, int]


class Canvas:
    """Fills and strokes in face coordinates, seen from a pose."""

    def __init__(self, image: NDArray[np.uint8], matrix: Points) -> None:
        self.image, self.matrix = image, matrix
        self.scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))

    def _pixels(self, points: Points) -> NDArray[np.int32]:
        mapped = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.round(mapped * (1 << _SUBPIXEL)).astype(np.int32)

    def fill(self, points: Points, colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.image, [self._pixels(points)], colour, cv2.LINE_AA, _SUBPIXEL)

    def stroke(self, points: Points, colour: Colour, width: float, closed: bool = False) -> None:
        """Draw a line through points; its width is in face units."""
        thickness = max(1, round(width * self.scale))
        cv2.polylines(self.image, [self._pixels(points)], closed, colour, thickness, cv2.LINE_AA, _SUBPIXEL)


def ellipse(x: float, y: float, width: float, height: float) -> Points:
    """Twenty points on an ellipse."""
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return np.column_stack([x + width * np.cos(angle), y + height * np.sin(angle)])


def curve(start: Points, middle: Points, end: Points) -> Points:
    """Return a parabola through three points."""
    t = np.linspace(0, 1, 13)[:, None]
    control = 2 * middle - (start + end) / 2
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def colour_of(values: Sequence[float] | Points) -> Colour:
    """Whole numbers from 0 to 255."""
    red, green, blue = (int(np.clip(value, 0, 255)) for value in values)
    return red, green, blue


def shade(colour: Colour, factor: float) -> Colour:
    """Darker by a factor below 1, lighter above."""
    return colour_of([value * factor for value in colour])


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return a share of the first, the rest of the second."""
    return colour_of([a * share + b * (1 - share) for a, b in zip(first, second, strict=True)])
