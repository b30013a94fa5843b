"""Make the augmented copies of one image, the same ones wherever and in whatever order they are made."""

import hashlib
import random
from collections.abc import Iterator

import albumentations as A
import numpy as np

from components.augment.pipeline_yaml import load_pipeline
from components.augment.transforms import Image, default_pipeline
from components.images.codec import Pixels


class BadPipeline(ValueError):
    """A custom pipeline doesn't fit these images."""


class Augmenter:
    """An Albumentations pipeline with a seed; built once a worker.

    The randomness of a copy comes from the seed, the digest of its source file and its number, and from nothing else.
    `Compose.set_random_seed` isn't used: it costs as much as the transforms themselves and gives each of them the same
    seed, so that they would move together (dropout only on flipped copies, angle in step with contrast). Instead all
    transforms draw from one pair of generators, NumPy's and Python's, whose state is set again for each copy.
    """

    def __init__(self, seed: int, pipeline_yaml: str | None = None) -> None:
        """Build the pipeline.

        Args:
            seed: the split's seed.
            pipeline_yaml: text of an `A.Compose` saved by `A.save`; None for the default pipeline.
        """
        self._seed = seed
        self._pipeline: A.Compose = load_pipeline(pipeline_yaml).pipeline if pipeline_yaml else default_pipeline()
        self._bits = np.random.PCG64(0)
        self._random = random.Random(0)
        self._pipeline.set_random_state(np.random.Generator(self._bits), self._random)

    def copies(self, pixels: Pixels, sha256: str, count: int) -> Iterator[Image]:
        """Yield the first `count` augmented copies of a source, as H×W×3 RGB.

        Args:
            pixels: the source, H×W grey or H×W×3 RGB.
            sha256: digest of the source file's bytes, in hex.
            count: copies to make.

        Raises:
            BadPipeline: the pipeline fails on the image, or makes of it what is no H×W×3 uint8 image.
        """
        image = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
        for number in range(1, count + 1):
            self._seed_from(hashlib.sha512(f"{self._seed}:{sha256}:{number}".encode()).digest())
            yield self._apply(image)

    def _seed_from(self, key: bytes) -> None:
        """Set both generators' state from 64 bytes: 5 µs, where new generators take 20."""
        state, increment = int.from_bytes(key[:16], "big"), int.from_bytes(key[16:32], "big") | 1
        self._bits.state = {
            "bit_generator": "PCG64",
            "state": {"state": state, "inc": increment},
            "has_uint32": 0,
            "uinteger": 0,
        }
        self._random.seed(int.from_bytes(key[32:40], "big"))

    def _apply(self, image: Image) -> Image:
        try:
            result = self._pipeline(image=image)["image"]
        except Exception as error:  # whatever a custom pipeline raises on these images
            raise BadPipeline(
                f"the augmentation pipeline fails on a {image.shape[0]}×{image.shape[1]} image: {error}"
            ) from error
        if not isinstance(result, np.ndarray) or result.ndim != 3 or result.shape[2] != 3 or result.dtype != np.uint8:
            received = f"{getattr(result, 'shape', '')} {getattr(result, 'dtype', type(result).__name__)}".strip()
            raise BadPipeline(f"the augmentation pipeline must make H×W×3 uint8 images. Received: {received}")
        return result
