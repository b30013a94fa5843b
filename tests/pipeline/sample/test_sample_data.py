import re
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from small_disk import small_disk

from pipeline.cli import main
from pipeline.sample.dataset import AFFECTNET_COUNTS, GROUP_REGEX, class_counts, write_sample_data


def read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    paths = sorted(folder.glob("train/*/*.jpg"))
    images = np.stack([cv2.imread(str(path)) for path in paths])
    people = np.array([re.match(GROUP_REGEX, path.name)[1] for path in paths])  # type: ignore[index]
    return images, np.array([path.parent.name for path in paths]), people


def test_classes_have_affectnets_ratios() -> None:
    assert class_counts(29_042) == AFFECTNET_COUNTS
    assert sum(class_counts(1600).values()) == 1600
    for label, count in class_counts(1600).items():
        assert abs(count - 1600 * AFFECTNET_COUNTS[label] / 29_042) < 1


def test_the_same_seed_draws_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample_data(tmp_path / name, 40, seed)
    a, b, c = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.jpg")}
        for name in "abc"
    )

    assert a == b
    assert a != c


def test_an_identity_shows_several_emotions(tmp_path: Path) -> None:
    write_sample_data(tmp_path / "s", 400, 0)
    images, labels, people = read(tmp_path / "s")
    shown = defaultdict(set)
    for person, label in zip(people, labels, strict=True):
        shown[person].add(label)

    assert images.shape == (400, 96, 96, 3)
    assert np.mean([len(emotions) for emotions in shown.values()]) > 2.5


@pytest.mark.training
def test_raw_pixels_do_not_give_the_emotion_away(tmp_path: Path) -> None:
    write_sample_data(tmp_path / "s")
    images, labels, people = read(tmp_path / "s")
    held_out = np.array([int(person[2:]) % 5 == 0 for person in people])
    scaler = StandardScaler()
    pixels = images.reshape(len(images), -1).astype(np.float32)
    fitted, others = scaler.fit_transform(pixels[~held_out]), scaler.transform(pixels[held_out])
    # With an L2 penalty, regression on all principal components is regression on the pixels, only faster; and the
    # components come faster from the images' products than from 28 thousand columns.
    squares, directions = np.linalg.eigh((fitted @ fitted.T).astype(np.float64))
    kept = squares > squares.max() * 1e-6
    scales, directions = np.sqrt(squares[kept]), directions[:, kept]
    train, test = directions * scales, (others @ fitted.T) @ directions / scales

    best = max(
        LogisticRegression(C=c, max_iter=1000).fit(train, labels[~held_out]).score(test, labels[held_out])
        for c in (1e-4, 1e-2)
    )

    assert 0.15 < best < 0.60


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(ValueError, match="not an empty folder"):
        write_sample_data(tmp_path, 8)
    with pytest.raises(ValueError, match="at least 8"):
        write_sample_data(tmp_path / "new", 7)
    assert not (tmp_path / "new").exists()


def test_on_a_full_disk_nothing_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shown = CliRunner().invoke(main, ["sample-data", str(disk / "faces"), "--images", "2000"])
        left = list(disk.iterdir())

    assert shown.exit_code == 2
    assert "No space left on device" in shown.output.splitlines()[-1]
    assert left == []
