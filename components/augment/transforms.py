"""The default augmentation, with the meaning that it has in Albumentations 1.3. H×W×3 uint8 RGB in, the same out.

Three transforms of 1.x have no equal in 2.x and stand here (GaussianBlur, GaussNoise, MotionBlur), and two whose equal
spends most of its time on something else than the image (PixelDropout, Rotation). Like all others they can be saved and
loaded by `A.save` and `A.load`, once this module is imported.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import albumentations as A
import cv2
import numpy as np
from numpy.typing import NDArray

# One worker process a core is what runs these; OpenCV's own threads would only fight over the same cores.
cv2.setNumThreads(0)

Image = NDArray[np.uint8]

# The standard normal distribution's quantiles at (i + 1/2) / 65,536: finer than 8 bits of grey can show.
_UPPER_HALF = [NormalDist().inv_cdf((i + 0.5) / 65_536) for i in range(32_768, 65_536)]
_QUANTILES = np.array([-z for z in reversed(_UPPER_HALF)] + _UPPER_HALF, dtype=np.float32)


class GaussianBlur(A.ImageOnlyTransform):
    """Gaussian blur as in Albumentations 1.x, where the kernel's size is odd and sigma follows from it.

    2.x's own with `sigma_limit=0` divides by zero and paints the image black, and it draws even sizes too. As in 1.x,
    an even draw moves on to the next odd size, so of (3, 7) come 3, 5 and 7 at 1 : 2 : 2.
    """

    class InitSchema(A.BasicTransform.InitSchema):
        """Arguments."""

        blur_limit: tuple[int, int]
        sigma_limit: tuple[float, float]

    def __init__(
        self, blur_limit: Sequence[int] = (3, 7), sigma_limit: Sequence[float] = (0.0, 0.0), p: float = 0.5
    ) -> None:
        super().__init__(p=p)
        low, high = blur_limit
        if not 0 <= low <= high or any(size != 0 and size % 2 == 0 for size in blur_limit):
            raise ValueError(f"GaussianBlur.blur_limit must be 0 or odd, and ascending. Received: {tuple(blur_limit)}")
        if low == 0 and sigma_limit[0] == 0:
            low, high = 3, max(3, high)
        self.blur_limit = (low, high)
        self.sigma_limit = tuple(sigma_limit)

    def get_params(self) -> dict[str, Any]:
        """Draw kernel size and sigma; 0 leaves the one to be computed from the other."""
        size = self.py_random.randint(*self.blur_limit)
        if size != 0 and size % 2 == 0:
            size += 1
        return {"size": size, "sigma": self.py_random.uniform(*self.sigma_limit)}

    def apply(self, img: Image, size: int, sigma: float, **_: Any) -> Image:
        """Blur one image."""
        return cv2.GaussianBlur(img, (size, size), sigmaX=sigma)


class GaussNoise(A.ImageOnlyTransform):
    """Gaussian noise as in Albumentations 1.x: its variance is drawn, on 0–255, and sums are truncated to uint8.

    2.x takes standard deviations on 0–1, draws those uniformly, and rounds: weaker after a rotation.
    """

    class InitSchema(A.BasicTransform.InitSchema):
        """Arguments."""

        var_limit: tuple[float, float]
        mean: float
        per_channel: bool

    def __init__(
        self, var_limit: Sequence[float] = (10.0, 50.0), mean: float = 0.0, per_channel: bool = True, p: float = 0.5
    ) -> None:
        super().__init__(p=p)
        if not 0 <= var_limit[0] <= var_limit[1]:
            raise ValueError(f"GaussNoise.var_limit must be ≥ 0 and ascending. Received: {tuple(var_limit)}")
        self.var_limit = tuple(var_limit)
        self.mean = mean
        self.per_channel = per_channel

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Draw the noise of each sample, or of each pixel, from the 65,536 quantiles: 5 times as fast as exactly."""
        sigma = self.py_random.uniform(*self.var_limit) ** 0.5
        shape = params["shape"] if self.per_channel else (*params["shape"][:2], 1)
        chosen = np.frombuffer(self.random_generator.bytes(2 * math.prod(shape)), "<u2")
        return {"noise": (_QUANTILES * np.float32(sigma) + np.float32(self.mean))[chosen].reshape(shape)}

    def apply(self, img: Image, noise: NDArray[np.float32], **_: Any) -> Image:
        """Add the noise to one image."""
        return np.clip(img + noise, 0, 255).astype(np.uint8)


class MotionBlur(A.ImageOnlyTransform):
    """Motion blur as in Albumentations 1.x: along a line between two different points, drawn in a square of odd size.

    2.x's own draws an angle and a length: 22 % less change at the same sizes, and with `allow_shifted=False` none at
    all of every third image.
    """

    class InitSchema(A.BasicTransform.InitSchema):
        """Arguments."""

        blur_limit: tuple[int, int]
        allow_shifted: bool

    def __init__(self, blur_limit: Sequence[int] = (3, 7), allow_shifted: bool = True, p: float = 0.5) -> None:
        super().__init__(p=p)
        low, high = blur_limit
        if not 3 <= low <= high or low % 2 == 0 or high % 2 == 0:
            raise ValueError(f"MotionBlur.blur_limit must be odd, ascending, ≥ 3. Received: {tuple(blur_limit)}")
        self.blur_limit = (low, high)
        self.allow_shifted = allow_shifted

    def get_params(self) -> dict[str, Any]:
        """Draw the line."""
        low, high = self.blur_limit
        size = low + 2 * self.py_random.randint(0, (high - low) // 2)
        x = [self.py_random.randrange(size) for _ in range(2)]
        y = [self.py_random.randrange(size) for _ in range(2)]
        while x[0] == x[1] and y[0] == y[1]:
            y = [self.py_random.randrange(size) for _ in range(2)]
        if not self.allow_shifted:
            x, y = self._centred(x, size), self._centred(y, size)
        kernel = np.zeros((size, size), dtype=np.uint8)
        cv2.line(kernel, (x[0], y[0]), (x[1], y[1]), 1, thickness=1)
        return {"kernel": kernel.astype(np.float32) / kernel.sum()}

    def apply(self, img: Image, kernel: NDArray[np.float32], **_: Any) -> Image:
        """Blur one image."""
        return cv2.filter2D(img, -1, kernel)

    @staticmethod
    def _centred(ends: list[int], size: int) -> list[int]:
        """Return the ends moved to the middle of the square; a stretch of even length loses a pixel at its far end."""
        near, far = sorted(ends)
        far -= (far - near) % 2
        offset = (near + far - size + 1) // 2
        return [near - offset, far - offset] if ends[0] <= ends[1] else [far - offset, near - offset]


class PixelDropout(A.ImageOnlyTransform):
    """Blackens each pixel with a small probability: `A.PixelDropout` in a third of its time."""

    class InitSchema(A.BasicTransform.InitSchema):
        """Arguments."""

        dropout_prob: float

    def __init__(self, dropout_prob: float = 0.01, p: float = 0.5) -> None:
        super().__init__(p=p)
        if not 0 <= dropout_prob <= 1:
            raise ValueError(f"PixelDropout.dropout_prob must be 0 … 1. Received: {dropout_prob}")
        self.dropout_prob = dropout_prob

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Draw which pixels are lost."""
        return {"drop_mask": self.random_generator.random(params["shape"][:2], dtype=np.float32) < self.dropout_prob}

    def apply(self, img: Image, drop_mask: NDArray[np.bool_], **_: Any) -> Image:
        """Blacken them."""
        result = img.copy()
        result[drop_mask] = 0
        return result


class Rotation(A.ImageOnlyTransform):
    """Rotates about the centre, border replicated: `A.Rotate(border_mode=cv2.BORDER_REPLICATE)` in half of its time."""

    class InitSchema(A.BasicTransform.InitSchema):
        """Arguments."""

        limit: tuple[float, float]

    def __init__(self, limit: Sequence[float] = (-20, 20), p: float = 0.5) -> None:
        super().__init__(p=p)
        self.limit = tuple(limit)

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Draw the angle, in degrees."""
        height, width = params["shape"][:2]
        centre = (width / 2 - 0.5, height / 2 - 0.5)
        return {"matrix": cv2.getRotationMatrix2D(centre, self.py_random.uniform(*self.limit), 1.0)}

    def apply(self, img: Image, matrix: NDArray[np.float64], **_: Any) -> Image:
        """Rotate one image."""
        height, width = img.shape[:2]
        return cv2.warpAffine(img, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def default_pipeline() -> A.Compose:
    """Flip, brightness and contrast, blur or noise, pixel dropout, rotation."""
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.RandomBrightnessContrast(brightness_limit=(-0.2, 0.2), contrast_limit=(-0.2, 0.2), p=1.0),
            A.OneOf([MotionBlur(p=1.0), GaussNoise(p=1.0), GaussianBlur(p=1.0)], p=0.5),
            PixelDropout(dropout_prob=0.01, p=0.25),
            Rotation(limit=(-20, 20), p=1.0),
        ]
    )
