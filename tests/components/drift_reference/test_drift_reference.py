"""DriftReference on a small data set and an untrained model, and a folder of files held against it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from explained_data import LABELS, clouds, row, untrained_model, write_dataset
from tfx.types.standard_artifacts import Model

from components.drift_reference.executor import Executor
from components.formats.artifacts import Analysis, ImageDataset
from components.formats.drift_reference import read_reference
from components.formats.examples import read_labels
from components.formats.saved_model import ASSETS, model_digest
from components.images.codec import decode, encode
from components.images.options import ImageOptions
from pipeline.cli import main

IMAGES = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, a data set with copies in test, and what was made of them."""
    folder = tmp_path_factory.mktemp("drift")
    untrained_model(folder / "model" / "Format-Serving")
    test = clouds("test", IMAGES, 1000)
    tied = [one if place > 1 else row(one.id, "test", one.image, "pair") for place, one in enumerate(test)]
    write_dataset(folder / "dataset", {"test": [*tied, row("copy.png", "test", test[0].image, copy=1)]})
    taken: dict[str, Any] = {"model": Model(), "dataset": ImageDataset()}
    for name, artifact in taken.items():
        artifact.uri = str(folder / name)
    reference = Analysis()
    reference.uri = str(folder / "reference")
    options = {"image": ImageOptions(height=32, width=32).model_dump_json(), "group_on": "name"}
    Executor().Do({name: [one] for name, one in taken.items()}, {"reference": [reference]}, options)
    assert reference.get_int_custom_property("images") == IMAGES
    return folder


def test_a_reference_holds_what_the_served_model_says_of_tests_originals(made: Path) -> None:
    import tensorflow as tf

    sample, about = read_reference(made / "reference")

    model = made / "model" / "Format-Serving"
    images = {one.id: one.image for one in clouds("test", IMAGES, 1000)}
    signatures = tf.saved_model.load(str(model)).signatures
    asked = tf.constant([images[name] for name in sample.ids])
    answer, seen = signatures["serving_default"](image_bytes=asked), signatures["embed"](image_bytes=asked)
    assert sorted(sample.ids) == sorted(images)
    assert [LABELS[place].encode() for place in sample.predicted] == answer["label"].numpy().tolist()
    np.testing.assert_allclose(sample.score, answer["score"].numpy(), rtol=1e-5)
    assert sample.embeddings is not None
    np.testing.assert_allclose(sample.embeddings, seen["features"].numpy(), rtol=2e-3, atol=1e-4)
    assert len(np.unique(sample.groups)) == IMAGES - 1
    assert (about.labels, about.model) == (read_labels(model / ASSETS), model_digest(model))
    assert (about.images, about.height, about.width, about.group_regex) == (IMAGES, 32, 32, None)


def test_a_folder_is_predicted_and_held_against_it(made: Path, tmp_path: Path) -> None:
    model = made / "model" / "Format-Serving"
    (model / ASSETS / "reference.parquet").write_bytes((made / "reference" / "reference.parquet").read_bytes())
    for folder, change in (("same", 0), ("brighter", 90)):
        (tmp_path / folder).mkdir()
        for place, one in enumerate(clouds("test", IMAGES, 2000)):
            pixels = np.clip(decode(one.image).pixels.astype(int) + change, 0, 255).astype(np.uint8)
            (tmp_path / folder / f"{place}.png").write_bytes(encode(pixels, "png"))
    (tmp_path / "same" / "broken.png").write_bytes(b"no image")

    same, brighter = (
        CliRunner().invoke(
            main, ["drift", "--model", str(model), str(tmp_path / folder), "--json", "--html", str(page)]
        )
        for folder, page in (("same", tmp_path / "a.html"), ("brighter", tmp_path / "b.html"))
    )

    assert (same.exit_code, brighter.exit_code) == (0, 3), same.output + brighter.output
    assert json.loads(same.stdout)["images"]["unusable"] == 1
    assert "brightness" in {one["name"] for one in json.loads(brighter.stdout)["figures"] if one["drifted"]}
    assert (tmp_path / "b.html").read_text("utf-8").count('src="data:image/jpeg') == 24


def test_a_folder_without_an_image_is_bad_input(made: Path, tmp_path: Path) -> None:
    model = made / "model" / "Format-Serving"
    (model / ASSETS / "reference.parquet").write_bytes((made / "reference" / "reference.parquet").read_bytes())
    (tmp_path / "broken.png").write_bytes(b"no image")

    result = CliRunner().invoke(main, ["drift", "--model", str(model), str(tmp_path)])

    assert result.exit_code == 2
    assert "of 1 files in" in result.output
    assert "none is an image: broken.png" in result.output
