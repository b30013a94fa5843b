"""`predict --explain`: heat maps of a network whose evidence is known, for files of any kind."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner, Result
from PIL import Image
from planted_network import planted_network

from components.explanation.heat_map import AGAINST, FOR
from components.formats.examples import write_labels
from components.formats.folds import ENSEMBLE
from components.images.options import ImageOptions
from components.training.export import export
from pipeline.cli.heat_maps import LONGEST
from pipeline.cli.predict import predict

LABELS = ["dark", "bright"]
WIDTH, HEIGHT = 100, 75


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    network = planted_network("small", 48, 64)
    network.get_layer("predictions").bias.assign([60.0, 0.0])  # so that one spot doesn't make a picture bright
    export(network, str(folder), LABELS, ImageOptions(height=48, width=64), 1.0, {})
    return folder


def picture(row: int, column: int) -> Image.Image:
    """A dark picture with a bright part around a place, given in the model's pixels."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    top, left = round(row * HEIGHT / 48), round(column * WIDTH / 64)
    pixels[max(top - 9, 0) : top + 9, max(left - 9, 0) : left + 9] = 255
    return Image.fromarray(pixels)


def run(model: Path, *arguments: Any) -> Result:
    return CliRunner().invoke(predict, ["--model", str(model), *map(str, arguments)])


def colour_of(name: str, row: int, column: int) -> tuple[int, ...]:
    """The heat map's colour at a place that is given in the model's pixels."""
    shown = np.asarray(Image.open(name)).astype(int)
    assert shown.shape == (HEIGHT, 2 * WIDTH, 3)
    return tuple(shown[round(row * HEIGHT / 48), WIDTH + round(column * WIDTH / 64)])


def test_what_speaks_against_the_label_is_blue_and_the_rest_is_not(model: Path, tmp_path: Path) -> None:
    picture(16, 48).save(tmp_path / "a.png")

    result = run(model, tmp_path / "a.png", "--json", "--explain", tmp_path / "heat")

    [row] = json.loads(result.stdout)
    assert (row["label"], row["heat_map"]) == ("dark", str(tmp_path / "heat" / "a.png"))
    at_spot, elsewhere = colour_of(row["heat_map"], 16, 48), colour_of(row["heat_map"], 40, 4)
    np.testing.assert_allclose(at_spot, 0.25 * 255 + 0.75 * np.array(AGAINST), atol=6)
    assert elsewhere[0] > elsewhere[2]  # orange: that it is dark speaks for the label
    assert np.asarray(Image.open(row["heat_map"]))[:, :WIDTH].tolist() == np.asarray(picture(16, 48)).tolist()
    assert FOR[0] > FOR[2]


def test_each_file_has_a_picture_of_its_own_and_what_is_no_image_has_none(model: Path, tmp_path: Path) -> None:
    for name in ("one/cat.png", "two/cat.jpg", "three/cat-2.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        picture(0, 0).save(tmp_path / "in" / name)
    picture(0, 0).convert("L").save(tmp_path / "in" / "grey.webp", lossless=True)
    (tmp_path / "in" / "broken.png").write_bytes(b"no image")

    arguments = (tmp_path / "in", "--explain", tmp_path / "heat", "--batch-size", 2)
    result = run(model, *arguments, "--csv", tmp_path / "x.csv")

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == f"4 pictures in {tmp_path / 'heat'}"
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = {Path(row["file"]).relative_to(tmp_path / "in").as_posix(): row for row in csv.DictReader(file)}
    written = {name: row["heat_map"] and Path(row["heat_map"]).name for name, row in rows.items()}
    assert written["broken.png"] == ""
    assert len({name for name in written.values() if name}) == 4
    assert {path.name for path in (tmp_path / "heat").iterdir()} == set(written.values()) - {""}
    assert written["grey.webp"] == "grey.png"
    assert list(rows["broken.png"])[:6] == ["file", "label", "score", "accepted", "error", "heat_map"]


def test_a_large_picture_is_shown_smaller_and_a_long_name_cut(model: Path, tmp_path: Path) -> None:
    name = "ü" * 120
    Image.new("RGB", (3 * LONGEST, LONGEST)).save(tmp_path / f"{name}.png")

    result = run(model, tmp_path / f"{name}.png", "--explain", tmp_path / "heat")

    assert result.exit_code == 0, result.output
    [written] = (tmp_path / "heat").iterdir()
    assert Image.open(written).size == (2 * LONGEST, round(LONGEST / 3))


def test_without_the_option_there_is_no_column(model: Path, tmp_path: Path) -> None:
    picture(0, 0).save(tmp_path / "a.png")

    [row] = json.loads(run(model, tmp_path / "a.png", "--json").stdout)

    assert "heat_map" not in row


def answering_only(folder: Path) -> Path:
    """Write a model that classifies and has no other signature."""

    class Answering(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
        def serving_default(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"probabilities": tf.ones((tf.size(image_bytes), 2))}

    tf.saved_model.save(module := Answering(), str(folder), signatures={"serving_default": module.serving_default})
    (folder / "assets.extra").mkdir()
    write_labels(LABELS, folder / "assets.extra")
    return folder


def test_a_second_call_replaces_no_picture_of_the_first(model: Path, tmp_path: Path) -> None:
    picture(0, 0).save(tmp_path / "a.png")
    (tmp_path / "heat").mkdir()
    (tmp_path / "heat" / "a.png").write_bytes(b"of the first call")

    result = run(model, tmp_path / "a.png", "--explain", tmp_path / "heat")

    assert result.exit_code == 2
    assert "1 picture lies there already (a.png), and might be replaced: name another folder" in result.output
    assert (tmp_path / "heat" / "a.png").read_bytes() == b"of the first call"


def test_an_average_of_several_models_says_that_it_is_none_to_explain(tmp_path: Path) -> None:
    model = answering_only(tmp_path / "m")
    ENSEMBLE.write({"members": 5}, model / "assets.extra")
    picture(0, 0).save(tmp_path / "a.png")

    result = run(model, tmp_path / "a.png", "--explain", tmp_path / "heat")

    assert result.exit_code == 2
    assert "--explain: the model is an average of several (push.ensemble)" in result.output
    assert not (tmp_path / "heat").exists()


def test_a_model_of_an_earlier_version_says_what_to_do(tmp_path: Path) -> None:
    picture(0, 0).save(tmp_path / "a.png")

    result = run(answering_only(tmp_path / "m"), tmp_path / "a.png", "--explain", tmp_path / "heat")

    assert result.exit_code == 2
    assert "--explain: the model has no signature explain" in result.output
    assert "Train and push it again with this one, or leave --explain out" in result.output
    assert not (tmp_path / "heat").exists()


def test_images_are_not_replaced_by_their_heat_maps(model: Path, tmp_path: Path) -> None:
    picture(0, 0).save(tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()

    result = run(model, tmp_path, "--explain", tmp_path / "b" / "..")

    assert result.exit_code == 2
    assert f"the image {tmp_path / 'a.png'} lies there, and might be replaced: name another folder" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == before


def test_a_place_that_is_no_folder_is_refused(model: Path, tmp_path: Path) -> None:
    picture(0, 0).save(tmp_path / "a.png")

    result = run(model, tmp_path / "a.png", "--explain", tmp_path / "a.png")

    assert result.exit_code == 2
    assert (
        f"can't write to --explain {tmp_path / 'a.png'}: {tmp_path / 'a.png'} is a file, not a folder" in result.output
    )
