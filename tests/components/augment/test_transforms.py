from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from components.augment.augmenter import Augmenter
from components.augment.transforms import (
    GaussianBlur,
    GaussNoise,
    MotionBlur,
    PixelDropout,
    Rotation,
    default_pipeline,
)

GREY = np.full((96, 96, 3), 128, np.uint8)


class Recorded:
    """What the default pipeline did to 4,000 copies of a grey image, each of another source file."""

    def __init__(self) -> None:
        augmenter = Augmenter(seed=27)
        flip, contrast, _, dropout, rotate = augmenter._pipeline.transforms
        columns: list[tuple[float, ...]] = []
        for source in range(4000):
            (image,) = augmenter.copies(GREY, f"{source:064x}", 1)
            matrix = rotate.params["matrix"]
            angle = np.degrees(np.arctan2(matrix[0][1], matrix[0][0]))
            lost = dropout.params["drop_mask"].mean() if dropout.params else 0.0
            columns.append(
                (
                    bool(flip.params),
                    lost,
                    angle,
                    contrast.params["alpha"],
                    float(np.median(image)),
                    float(image.std()) if not lost else np.nan,
                    float(image.min()),
                )
            )
        self.flipped, self.lost, self.angle, self.alpha, self.grey, self.noise, self.darkest = np.array(columns).T
        self.dropped = self.lost > 0


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded()


def test_half_of_the_copies_are_mirrored_and_a_quarter_loses_pixels(recorded: Recorded) -> None:
    assert recorded.flipped.mean() == pytest.approx(0.5, abs=0.03)
    assert recorded.dropped.mean() == pytest.approx(0.25, abs=0.03)
    assert recorded.lost[recorded.dropped].mean() == pytest.approx(0.01, abs=0.001)


def test_rotation_is_uniform_within_20_degrees(recorded: Recorded) -> None:
    assert recorded.angle.std() == pytest.approx(20 / np.sqrt(3), abs=0.4)
    assert np.abs(recorded.angle).max() <= 20.1


def test_brightness_and_contrast_change_as_in_1_3(recorded: Recorded) -> None:
    # Albumentations 1.3.1: median grey 128 ± 33, from 53 to 202.
    assert recorded.grey.mean() == pytest.approx(128, abs=2)
    assert recorded.grey.std() == pytest.approx(33, abs=1.5)
    assert 50 <= recorded.grey.min() < 60
    assert 196 < recorded.grey.max() <= 205


def test_noise_is_as_frequent_and_as_strong_as_in_1_3(recorded: Recorded) -> None:
    # Albumentations 1.3.1: on 17 % of the images, sigma 3.7 on average (after rotation).
    whole = recorded.noise[~recorded.dropped]  # black pixels would count as noise
    visible = whole[whole > 1.0]
    assert len(visible) / len(whole) == pytest.approx(1 / 6, abs=0.02)
    assert visible.mean() == pytest.approx(3.7, abs=0.2)
    assert 5 < visible.max() < 50**0.5  # what the rotation leaves of it


def test_borders_stay_filled(recorded: Recorded) -> None:
    assert recorded.darkest[~recorded.dropped].min() > 20


def test_the_transforms_are_independent_of_each_other(recorded: Recorded) -> None:
    assert (recorded.flipped * recorded.dropped).mean() == pytest.approx(0.125, abs=0.02)
    assert abs(np.corrcoef(recorded.angle, recorded.alpha)[0, 1]) < 0.05
    assert abs(np.corrcoef(recorded.flipped, recorded.angle)[0, 1]) < 0.05


def test_gaussian_blur_takes_odd_kernels_and_never_darkens() -> None:
    blur = GaussianBlur(p=1.0)
    blur.set_random_seed(27)
    sizes = [blur.get_params()["size"] for _ in range(3000)]
    shares = {size: sizes.count(size) / 3000 for size in set(sizes)}
    assert shares == {3: pytest.approx(0.2, abs=0.03), 5: pytest.approx(0.4, abs=0.03), 7: pytest.approx(0.4, abs=0.03)}
    assert (blur(image=GREY)["image"] == 128).all()


def test_motion_blur_without_shift_leaves_the_middle_where_it_is() -> None:
    point = np.zeros((21, 21, 3), np.uint8)
    point[10, 10] = 255
    blur = MotionBlur(allow_shifted=False, p=1.0)
    for _ in range(200):
        rows, columns = np.nonzero(blur(image=point)["image"][..., 0])
        assert rows.mean() == pytest.approx(10, abs=0.51)
        assert columns.mean() == pytest.approx(10, abs=0.51)


def test_noise_of_one_channel_is_the_same_in_all() -> None:
    image = GaussNoise(var_limit=(50, 50), per_channel=False, p=1.0)(image=GREY)["image"]
    assert (image[..., 0] == image[..., 2]).all()
    assert image.std() > 5


def test_rotation_is_albumentations_own_to_the_last_bit() -> None:
    image = picture()
    for angle in (-20.0, -3.7, 0.0, 11.1):
        theirs = A.Rotate(limit=(angle, angle), border_mode=cv2.BORDER_REPLICATE, p=1.0)(image=image)["image"]
        assert (Rotation(limit=(angle, angle), p=1.0)(image=image)["image"] == theirs).all()


def test_dropped_pixels_are_black_and_the_others_unchanged() -> None:
    image = np.maximum(picture(), 1)
    result = PixelDropout(dropout_prob=0.2, p=1.0)(image=image)["image"]
    lost = (result == 0).all(axis=2)
    assert lost.mean() == pytest.approx(0.2, abs=0.03)
    assert (result[~lost] == image[~lost]).all()


def test_noise_is_gaussian() -> None:
    noise = GaussNoise(var_limit=(4, 4), p=1.0).get_params_dependent_on_data({"shape": (400, 400, 3)}, {})["noise"]
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(2, abs=0.01)
    assert (np.abs(noise) > 2 * 1.96).mean() == pytest.approx(0.05, abs=0.002)
    assert ((noise / 2) ** 4).mean() == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize(
    ("make", "message"),
    [(lambda: GaussianBlur(blur_limit=(4, 6)), "odd"), (lambda: MotionBlur(blur_limit=(1, 3)), "≥ 3"),
     (lambda: GaussNoise(var_limit=(5, 1)), "ascending")],
)  # fmt: skip
def test_wrong_limits_are_errors(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_the_default_pipeline_survives_saving_and_loading(tmp_path: Path) -> None:
    pipeline = default_pipeline()
    A.save(pipeline, tmp_path / "pipeline.yml", data_format="yaml")
    loaded = A.load(tmp_path / "pipeline.yml", data_format="yaml")
    assert A.to_dict(loaded) == A.to_dict(pipeline)


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def test_a_copy_depends_on_seed_source_and_number_alone() -> None:
    first = list(Augmenter(1).copies(picture(), "a" * 64, 3))
    other = Augmenter(1)
    list(other.copies(picture(), "b" * 64, 5))
    assert all((x == y).all() for x, y in zip(first, other.copies(picture(), "a" * 64, 3), strict=True))
    (elsewhere,) = Augmenter(2).copies(picture(), "a" * 64, 1)
    assert (first[0] != elsewhere).any()
    assert (first[0] != first[1]).any()


def test_a_grey_source_gives_rgb_copies() -> None:
    (copy,) = Augmenter(1).copies(picture()[..., 0], "a" * 64, 1)
    assert copy.shape == (48, 64, 3)
