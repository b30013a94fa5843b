"""Save an augmentation pipeline of your own for `datasplit --pipeline-yaml` or `augment.pipeline_yaml`.

    python examples/custom_pipeline.py my_pipeline.yml
    affect datasplit --balance --pipeline-yaml my_pipeline.yml path

`custom_pipeline.yml` beside this file is what it saves. A pipeline may hold any transform of Albumentations 2.0 that
takes nothing but the image and returns H×W×3 uint8. Randomness comes from the split's seed: set none here.
"""

import sys
from pathlib import Path

import albumentations as A
import cv2

from components.augment.transforms import GaussianBlur


def custom_pipeline() -> A.Compose:
    """Mirror, tilt and shift a little, change colours, and now and then blur or cover a patch."""
    return A.Compose(
        [
            A.HorizontalFlip(p=0.5),
            A.Affine(rotate=(-10, 10), translate_percent=(-0.05, 0.05), border_mode=cv2.BORDER_REPLICATE, p=1.0),
            A.HueSaturationValue(hue_shift_limit=5, sat_shift_limit=20, val_shift_limit=20, p=0.5),
            GaussianBlur(blur_limit=(3, 5), p=0.2),
            A.CoarseDropout(num_holes_range=(1, 1), hole_height_range=(0.1, 0.2), hole_width_range=(0.1, 0.2), p=0.2),
        ]
    )


def main() -> None:
    """Save the pipeline where the first argument says."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".yml")
    A.save(custom_pipeline(), path, data_format="yaml")
    print(f"saved {path}")


if __name__ == "__main__":
    main()
