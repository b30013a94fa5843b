import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

from components.images.codec import encode
from components.images.options import ImageOptions
from components.models.resnets import ResNet18
from components.training.export import export
from pipeline.cli.predict import find_files, load_model, predict

LABELS = ["happy", "neutral", "sad"]
# A picture that changes when it is turned.
PIXELS = np.zeros((48, 64, 3), np.uint8)
PIXELS[:, :20] = (200, 30, 30)
PIXELS[:10] = (20, 180, 40)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights, as version 7 of a push destination; version 10 is newer."""
    destination = tmp_path_factory.mktemp("serving_model")
    for version, seed in ((7, 0), (10, 1)):
        keras.utils.set_random_seed(seed)
        network = ResNet18(3, (32, 32, 3), normalize=True, classifier_activation=None)
        export(network, str(destination / str(version)), LABELS, ImageOptions(height=32, width=32), 1.0, {})
    return destination


def run(model: Path, *arguments: Any) -> Result:
    return CliRunner().invoke(predict, ["--model", str(model), *map(str, arguments)])


def rows(model: Path, *arguments: Any) -> list[dict[str, Any]]:
    result = run(model, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout))


def probabilities(row: dict[str, Any]) -> NDArray[Any]:
    return np.array([row["probabilities"][label] for label in LABELS])


def test_a_plain_file_gets_what_the_signature_says(model: Path, tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "x.png")
    served = tf.saved_model.load(str(model / "10"))

    (row,) = rows(model / "10", tmp_path / "x.png")

    answer = served.signatures["serving_default"](image_bytes=tf.constant([(tmp_path / "x.png").read_bytes()]))
    np.testing.assert_allclose(probabilities(row), answer["probabilities"][0], atol=1e-6)
    assert (row["label"], row["error"]) == (answer["label"][0].numpy().decode(), None)
    assert row["score"] == max(row["probabilities"].values())


@pytest.mark.parametrize("kind", ["exif", "webp", "cmyk", "alpha"])
def test_what_the_graph_cannot_do_the_codec_does(model: Path, tmp_path: Path, kind: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "plain.png")
    image = Image.fromarray(PIXELS)
    options: dict[str, Any] = {}
    name = tmp_path / {"exif": "x.jpg", "webp": "x.webp", "cmyk": "x.tiff", "alpha": "x.png"}[kind]
    if kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by 90° clockwise
        image, options = image.rotate(90, expand=True), {"exif": exif, "quality": 100, "subsampling": 0}
    elif kind == "webp":
        options = {"lossless": True}
    elif kind == "cmyk":
        image = image.convert("CMYK")
    else:
        image.putalpha(255)
    image.save(name, **options)

    plain, row = rows(model, tmp_path / "plain.png", name)

    np.testing.assert_allclose(probabilities(row), probabilities(plain), atol=0.02)


def test_a_turned_picture_is_another_one_to_the_model(model: Path, tmp_path: Path) -> None:
    """Otherwise the test above would show nothing."""
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    Image.fromarray(PIXELS).rotate(90, expand=True).save(tmp_path / "b.png")

    first, second = rows(model, tmp_path)

    assert np.abs(probabilities(first) - probabilities(second)).max() > 0.02


def test_folders_are_searched_and_broken_files_are_rows_without_numbers(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(PIXELS).save(tmp_path / "in" / "a.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no image")
    (tmp_path / ".hidden.png").write_bytes(b"")

    broken, good = rows(model, tmp_path)

    assert Path(broken["file"]).name == "broken.jpg"
    assert (broken["label"], broken["score"], broken["probabilities"]) == (None, None, None)
    assert (broken["accepted"], good["accepted"]) == (False, True)
    assert broken["error"]
    assert good["label"] in LABELS


def test_thumbnails_and_leftovers_in_a_folder_are_no_images(tmp_path: Path) -> None:
    for name in ("a.png", "@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "Thumbs.db", "in/._b.png", "in/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    assert find_files([str(tmp_path)]) == [tmp_path / "a.png", tmp_path / "in" / "b.png"]


def test_what_tensorflow_would_refuse_is_classified_and_a_film_is_not_read(model: Path, tmp_path: Path) -> None:
    image = Image.fromarray(PIXELS)
    image.save(tmp_path / "whole.jpg")
    (tmp_path / "no_end.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-2] + bytes(200))
    (tmp_path / "padded.bmp").write_bytes(encode(PIXELS, "bmp") + b"\0\0")
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    os.truncate(tmp_path / "film.mp4", 1 << 40)

    film, no_end, padded, whole = rows(model, tmp_path)

    assert film["error"].startswith("not an image that can be read: a video")
    np.testing.assert_allclose(probabilities(no_end), probabilities(whole), atol=0.05)
    assert padded["label"] in LABELS


def test_many_files_keep_their_order_through_batches(model: Path, tmp_path: Path) -> None:
    for number in range(23):
        Image.fromarray(np.full((32, 32, 3), 11 * number, np.uint8)).save(tmp_path / f"{number:02d}.png")

    batched, single = rows(model, tmp_path, "--batch-size", 5), rows(model, tmp_path)

    assert [Path(row["file"]).name for row in batched] == [f"{number:02d}.png" for number in range(23)]
    for a, b in zip(batched, single, strict=True):
        np.testing.assert_allclose(probabilities(a), probabilities(b), atol=1e-5)


def test_the_newest_version_is_taken(model: Path, tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "x.png")

    newest, ten, seven = (rows(folder, tmp_path / "x.png") for folder in (model, model / "10", model / "7"))

    assert newest == ten != seven


def test_the_name_of_a_models_folder_is_no_pattern(model: Path, tmp_path: Path) -> None:
    odd = tmp_path / "mod[e]l *? 'a' \"b\" $HOME %41 #é \\"
    shutil.copytree(model / "7", odd)
    shutil.copytree(model / "10", tmp_path / "model xy 'a' \"b\" $HOME %41 #é \\")
    Image.fromarray(PIXELS).save(tmp_path / "x [1]*?.png")

    [expected], [found] = rows(model / "7", tmp_path / "x [1]*?.png"), rows(odd, tmp_path / "x [1]*?.png")

    np.testing.assert_array_equal(probabilities(found), probabilities(expected))


def test_csv_holds_a_column_for_each_class(model: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.fromarray(PIXELS).save(tmp_path / "images" / "a.png")
    (tmp_path / "images" / "b.png").write_bytes(b"")

    result = run(model, tmp_path / "images", "--csv", tmp_path / "out.csv")

    assert result.exit_code == 0
    with (tmp_path / "out.csv").open() as file:
        good, broken = csv.DictReader(file)
    assert list(good) == ["file", "label", "score", "accepted", "error", "p_happy", "p_neutral", "p_sad"]
    assert sum(float(good[f"p_{label}"]) for label in LABELS) == pytest.approx(1.0, abs=1e-5)
    assert (broken["label"], broken["error"], broken["p_sad"]) == ("", "empty file", "")
    assert (good["accepted"], broken["accepted"]) == ("true", "false")


@pytest.fixture(scope="module")
def never_sure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network of version 10, which answers nothing."""
    folder = tmp_path_factory.mktemp("never_sure")
    keras.utils.set_random_seed(1)
    network = ResNet18(3, (32, 32, 3), normalize=True, classifier_activation=None)
    image = ImageOptions(height=32, width=32)
    export(network, str(folder), LABELS, image, 1.0, {}, thresholds=[None, 1.0, None])
    return folder


def test_what_the_model_is_not_sure_enough_of_is_said_plainly(model: Path, never_sure: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(PIXELS).save(tmp_path / "in" / "x.png")

    [guess], [answer] = (rows(one, tmp_path / "in") for one in (never_sure, model / "10"))

    assert (guess["accepted"], answer["accepted"]) == (False, True)
    assert (guess["label"], guess["probabilities"]) == (answer["label"], pytest.approx(answer["probabilities"]))
    shown = run(never_sure, tmp_path / "in").stdout
    assert f"not sure enough ({guess['label']}?)" in shown
    assert "not sure enough" not in run(model / "10", tmp_path / "in").stdout
    assert run(never_sure, tmp_path / "in", "--csv", tmp_path / "out.csv").exit_code == 0
    with (tmp_path / "out.csv").open() as file:
        [row] = csv.DictReader(file)
    assert (row["label"], row["accepted"]) == (guess["label"], "false")


def test_a_model_of_an_earlier_version_accepts_all_that_it_can_decode(tmp_path: Path) -> None:
    class Earlier(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
        def serving_default(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
            score = tf.where(tf.strings.length(image_bytes) > 0, 0.8, float("nan"))
            return {"probabilities": tf.stack([score, 1 - score], axis=1), "score": score}

    earlier = Earlier()
    tf.saved_model.save(earlier, str(tmp_path / "model"), signatures={"serving_default": earlier.serving_default})
    (tmp_path / "model" / "assets.extra").mkdir()
    (tmp_path / "model" / "assets.extra" / "label_map.json").write_text('{"labels": ["happy", "sad"]}')
    Image.fromarray(PIXELS).save(tmp_path / "x.png")

    labels, classify = load_model(tmp_path / "model")
    [row] = rows(tmp_path / "model", tmp_path / "x.png")

    assert (labels, row["label"], row["accepted"]) == (["happy", "sad"], "happy", True)
    assert [accepted for _, accepted in classify([b"x", b""])] == [True, False]


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--json", "--csv", "out.csv"], 2, "--json prints and --csv writes a file"),
        (["--csv", "missing/out.csv"], 2, "can't write --csv missing/out.csv: there is no folder missing; make it"),
        (["--csv", "folder"], 2, "can't write --csv folder: folder is a folder"),
        (["--csv", "/proc/self/out.csv"], 2, "can't write --csv /proc/self/out.csv: /proc/self: "),
    ],
)
def test_a_csv_that_cannot_be_written_is_one_line(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], status: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    Image.fromarray(PIXELS).save(tmp_path / "x.png")

    result = run(model, "x.png", *options)

    assert result.exit_code == status
    assert message in result.output


def test_a_file_name_that_is_no_utf8_is_shown_escaped(model: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(os.fsdecode(os.fsencode(tmp_path / "images") + b"/caf\xe9.png"))

    assert run(model, tmp_path / "images").exit_code == 0
    [row] = rows(model, tmp_path / "images")
    assert Path(row["file"]).name == "caf\\xe9.png"
    assert row["label"] in LABELS


def test_the_table_shows_label_and_score(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 60) / ("b" * 60)  # longer than a terminal is wide
    folder.mkdir(parents=True)
    Image.fromarray(PIXELS).save(folder / "x.png")

    result = run(model, folder / "x.png")

    assert result.exit_code == 0
    [line] = [line for line in result.stdout.splitlines() if "x.png" in line]
    assert str(folder / "x.png") in line
    assert any(label in line for label in LABELS)


def test_no_usable_file_is_exit_status_1(model: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"nothing")

    assert run(model, tmp_path / "x.png").exit_code == 1


def test_bad_usage_says_what_was_received(model: Path, tmp_path: Path) -> None:
    for arguments, message in [
        (("missing.png",), "no such image or folder. Received: missing.png"),
        ((tmp_path,), "There are no files in"),
    ]:
        result = run(model, *arguments)
        assert result.exit_code == 2
        assert message in result.output
    Image.fromarray(PIXELS).save(tmp_path / "x.png")
    assert "Received: " in run(tmp_path, tmp_path / "x.png").output
    assert "must be a folder, or a file .onnx or .tflite" in run(tmp_path / "x.png", tmp_path / "x.png").output
    at_scale = run(tmp_path / "model.onnx", tmp_path, "--output", tmp_path / "out")
    assert "--output needs a SavedModel: give --model its folder" in at_scale.output
    on_flink = run(model, tmp_path, "--output", tmp_path / "out", "--workers", 2, "--runner", "FlinkRunner")
    assert "--workers counts processes of the local runner" in on_flink.output


def test_nothing_but_the_table_is_printed(model: Path, tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "x.png")
    quiet = ("TF_CPP_MIN_LOG_LEVEL", "PYTHONWARNINGS", "NO_ALBUMENTATIONS_UPDATE")
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    line = [sys.executable, "-m", "pipeline", "predict", "--model", str(model), str(tmp_path / "x.png")]

    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2


def test_a_usage_error_is_still_printed(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "pipeline", "predict", "--model", str(tmp_path), str(tmp_path)]

    done = subprocess.run(line, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.endswith(f"Error: There are no files in {tmp_path}\n")


def test_names_act_on_no_terminal(model: Path, tmp_path: Path) -> None:
    for name in ("a\x1b[2Jb.png", "a\u202eb.png", os.fsdecode(b"a\xffb.png"), "[red]a.png"):
        Image.fromarray(PIXELS).save(tmp_path / name)

    table, document = (run(model, tmp_path, *form).stdout for form in ((), ("--json",)))

    assert [table.count(name) for name in (r"a\x1b[2Jb.png", r"a\u202eb.png", r"a\xffb.png", "[red]a.png")] == [1] * 4
    assert all(line.isprintable() for line in (table + document).splitlines())
    assert {Path(row["file"]).name for row in json.loads(document)} >= {"a\x1b[2Jb.png", "a\u202eb.png"}


@pytest.mark.parametrize(("option", "name"), [("--for-spreadsheets", "'=1+1.png"), ("--exact", "=1+1.png")])
def test_a_spreadsheet_runs_no_name(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(PIXELS).save("=1+1.png")

    run(model.absolute(), "=1+1.png", "--csv", "rows.csv", option)

    with Path("rows.csv").open(newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == [name]


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("saved_model.pb", lambda content: content[:100]),
        ("variables/variables.index", lambda content: content[:100]),
        ("variables/variables.index", None),
        ("variables/variables.data-00000-of-00001", lambda content: content[:100]),
        ("assets.extra/label_map.json", lambda content: content[:-9]),
        ("assets.extra/label_map.json", lambda content: b"[]"),
    ],
)
def test_a_damaged_model_is_a_line(
    model: Path, tmp_path: Path, file: str, damage: Callable[[bytes], bytes] | None
) -> None:
    broken = tmp_path / "model"
    shutil.copytree(model / "10", broken)
    if damage is None:
        (broken / file).unlink()
    else:
        (broken / file).write_bytes(damage((broken / file).read_bytes()))
    Image.fromarray(PIXELS).save(tmp_path / "x.png")

    result = run(broken, tmp_path / "x.png")

    assert result.exit_code == 1
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("Error: the model can't be loaded (")
    assert line.endswith(f"Copy it again, or take another version. Received: {broken}")
