"""`affect run` on a folder as people have it: splits by other names, images that are in none, the workdir in it."""

import shutil
from pathlib import Path

import pytest
from whole_pipeline import run

from components.formats.documents import SUMMARY
from pipeline.sample.dataset import write_sample_data

pytestmark = pytest.mark.e2e


def test_a_workdir_in_the_data_is_no_data_and_images_beside_the_splits_are_named(tmp_path: Path) -> None:
    data = tmp_path / "faces"
    write_sample_data(data, 120)
    for image in sorted((data / "train" / "sad").iterdir())[2:]:  # too few, which stops the run early
        image.unlink()
    for folder in sorted((data / "train").iterdir()):
        moved = data / "Testing" / folder.name
        moved.mkdir(parents=True)
        for image in sorted(folder.iterdir())[::4]:
            image.rename(moved / image.name)
    (data / "train").rename(data / "Training")
    shutil.copytree(data / "Testing" / "happy", data / "pred" / "pred")

    first = run(data, data / "runs" / "local")
    second = run(data, data / "runs" / "local")

    assert first.states == {"ImageIngest": "done", "SplitBalanceAugment": "failed"}, first.text
    assert second.states == {"ImageIngest": "cached", "SplitBalanceAugment": "failed"}, second.text
    [images] = (data / "runs" / "local" / "artifacts" / "ImageIngest" / "images").iterdir()
    summary = SUMMARY.read(images)
    assert summary["splits"] == {"Testing": "test", "Training": "train"}
    assert summary["unused_images"] == {"pred": len(list((data / "pred" / "pred").iterdir()))}
    assert "images aren't part of the data, since they lie beside its splits:" in first.text
