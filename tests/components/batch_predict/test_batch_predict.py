import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image
from served_faces import LABELS, draw_served, export_model

from components.batch_predict.options import PredictOptions
from components.batch_predict.predict import OutputError, predict
from components.formats.saved_model import model_digest
from components.formats.served_predictions import QUARANTINE, read_served
from components.images.codec import MAX_PIXELS, decode, for_tensorflow
from components.work.options import BeamOptions
from components.work.unit import WorkError
from pipeline.cli.predict import predict as command

OPTIONS = PredictOptions(images_per_shard=8, batch_size=3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_model(tmp_path_factory.mktemp("model") / "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_served(tmp_path_factory.mktemp("served") / "faces")


def run(data: Path, model: Path, output: Path, options: PredictOptions = OPTIONS, **given: Any) -> dict[str, Any]:
    return predict(str(data), str(model), str(output), options, BeamOptions(workers=1), max_pixels=MAX_PIXELS, **given)


@pytest.fixture(scope="module")
def done(folder: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("done") / "predictions"
    run(folder, model, output)
    return output


def content(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(output.iterdir())}


def by_id(output: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in read_served(output).table.to_pylist()}


def test_figures_are_those_of_predict_and_what_it_refuses_is_quarantined(folder: Path, model: Path, done: Path) -> None:
    said = CliRunner().invoke(command, ["--model", str(model), str(folder), "--json"])
    rows = {Path(row["file"]).relative_to(folder).as_posix(): row for row in json.loads(said.stdout)}
    found, refused = by_id(done), read_served(done, prefix=QUARANTINE).table.to_pylist()

    assert len(found) == 21
    assert {name for name, row in rows.items() if row["label"]} == found.keys()
    assert {row["id"]: row["reason"] for row in refused} == {
        name: row["error"] for name, row in rows.items() if not row["label"]
    }
    for name, row in found.items():
        assert (row["label"], row["accepted"]) == (rows[name]["label"], rows[name]["accepted"])
        expected = [rows[name]["probabilities"][label] for label in LABELS]
        assert row["probabilities"] == pytest.approx(expected, abs=1e-6)
        assert row["score"] == max(row["probabilities"])
    assert 0 < sum(row["accepted"] for row in found.values()) < len(found)


def test_pictures_are_measured_as_they_are_seen(folder: Path, done: Path) -> None:
    found = by_id(done)
    assert (found["turned.jpg"]["width"], found["turned.jpg"]["height"]) == (48, 64)
    grey = np.asarray(Image.open(folder / "grey.png"))
    assert found["grey.png"]["brightness"] == pytest.approx(grey.mean(), abs=1e-3)
    assert all(row["sharpness"] > 0 for row in found.values())
    assert {row["embedding"] for row in found.values()} == {None}


def test_the_model_and_its_classes_are_in_every_shard(model: Path, done: Path) -> None:
    found = read_served(done / "predictions-00001-of-00003.parquet")
    assert (found.labels, found.model) == (LABELS, model_digest(model))


@pytest.mark.e2e
def test_the_bytes_are_the_same_in_several_processes(folder: Path, model: Path, done: Path, tmp_path: Path) -> None:
    predict(str(folder), str(model), str(tmp_path), OPTIONS, BeamOptions(workers=2), max_pixels=MAX_PIXELS)
    assert content(tmp_path) == content(done)


def test_what_is_finished_is_kept_and_the_rest_is_made(folder: Path, model: Path, done: Path, tmp_path: Path) -> None:
    output = tmp_path / "predictions"
    output.mkdir()
    for name, data in content(done).items():
        if "00001" not in name:
            (output / name).write_bytes(data)
    kept = output / "predictions-00000-of-00003.parquet"
    before = kept.stat().st_mtime_ns

    assert run(folder, model, output)["kept"] == 2
    assert content(output) == content(done)
    assert kept.stat().st_mtime_ns == before
    assert run(folder, model, output)["kept"] == 3


def test_shards_of_another_model_or_other_options_are_refused_or_made_again(
    folder: Path, model: Path, done: Path, tmp_path: Path
) -> None:
    output = tmp_path / "predictions"
    run(folder, model, output)
    other = PredictOptions(images_per_shard=8, batch_size=4)
    with pytest.raises(OutputError, match=r"holds predictions that differ in the batch size: name another folder"):
        run(folder, model, output, other)
    assert content(output) == content(done)
    changed = PredictOptions(images_per_shard=30, batch_size=3, embeddings=True)
    found = run(folder, model, output, changed, anew=True)
    assert found["replaced"] == ["whether there are embeddings", "the images in a shard"]
    assert sorted(content(output)) == [
        "predictions-00000-of-00001.parquet", "predictions.json", "quarantine-00000-of-00001.parquet",
    ]  # fmt: skip


def test_a_folder_of_something_else_is_left_alone(folder: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds something else \(thesis\.txt\), and no predictions"):
        run(folder, model, tmp_path, anew=True)
    assert content(tmp_path) == {"thesis.txt": b"mine"}


@pytest.mark.parametrize("name", ["predictions.json", "predictions-00000-of-00003.parquet"])
def test_damage_of_what_is_finished_is_said_in_a_line(
    folder: Path, model: Path, done: Path, tmp_path: Path, name: str
) -> None:
    output = shutil.copytree(done, tmp_path / "predictions")
    assert (output / name).exists()
    (output / name).write_text("[]")

    with pytest.raises(OutputError, match=rf"{name} is .*damaged.*: .*delete"):
        run(folder, model, output)


def test_embeddings_are_what_the_signature_says(folder: Path, model: Path, tmp_path: Path) -> None:
    run(folder, model, tmp_path / "out", PredictOptions(embeddings=True))
    data = (folder / "turned.jpg").read_bytes()
    loaded = tf.saved_model.load(str(model))
    said = loaded.signatures["embed"](image_bytes=tf.constant([for_tensorflow(data, decode(data))[0]]))
    assert by_id(tmp_path / "out")["turned.jpg"]["embedding"] == pytest.approx(
        said["features"].numpy()[0].tolist(), rel=1e-4, abs=1e-5
    )


@pytest.fixture(params=["bytes", "paths", "records"])
def other_form(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Path:
    """The folder's files as a table of bytes, a table of paths beside it, and TFRecord."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    ids = [path.relative_to(folder).as_posix() for path in files]
    target = tmp_path / f"faces.{'tfrecord.gz' if request.param == 'records' else 'parquet'}"
    if request.param == "bytes":
        pq.write_table(pa.table({"id": ids, "image": [path.read_bytes() for path in files]}), target, row_group_size=8)
    elif request.param == "paths":
        pq.write_table(pa.table({"id": ids, "file": [str(path) for path in files]}), target, row_group_size=8)
    else:
        with tf.io.TFRecordWriter(str(target), "GZIP") as writer:
            for name, path in zip(ids, files, strict=True):
                values = {"image/encoded": path.read_bytes(), "image/id": name.encode()}
                features = {
                    key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value])) for key, value in values.items()
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    return target


def test_tables_and_records_say_what_a_folder_says(other_form: Path, model: Path, done: Path, tmp_path: Path) -> None:
    found = run(other_form, model, tmp_path / "out")
    assert (found["images"], found["quarantined"]) == (21, 2)
    expected, there = by_id(done), by_id(tmp_path / "out")
    assert there.keys() == expected.keys()
    for name, row in there.items():
        assert row["probabilities"] == pytest.approx(expected[name]["probabilities"], abs=1e-6)
        assert (row["label"], row["sharpness"]) == (expected[name]["label"], expected[name]["sharpness"])


def test_a_damaged_record_is_named(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "faces.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(tf.train.Example().SerializeToString())
    path.write_bytes(path.read_bytes() + b"and something else behind it")
    with pytest.raises(WorkError, match=r"ValueError: faces\.tfrecord is damaged at record 1, .*: get it again"):
        run(path, model, tmp_path / "out")


def test_a_damaged_model_is_named_without_a_traceback(
    folder: Path, model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(model, damaged)
    weights = next((damaged / "variables").glob("*.data*"))
    weights.write_bytes(bytes(byte ^ 255 for byte in weights.read_bytes()))

    result = CliRunner().invoke(command, ["--model", str(damaged), "--output", str(tmp_path / "out"), str(folder)])

    assert result.exit_code == 1
    line, kept = result.output.splitlines()
    assert f"the model {damaged} can't be loaded: its files are damaged or incomplete" in line
    assert kept == "What is finished is kept: the same command goes on."
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "{",
            "can't be loaded: its files are damaged or incomplete: copy it again, or take another version (Expecting",
        ),
        (None, "has no assets.extra/label_map.json: take one that this pipeline exported"),
    ],
)
def test_a_model_without_its_labels_is_named(
    folder: Path, model: Path, tmp_path: Path, content: str | None, message: str
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(model, damaged)
    labels = damaged / "assets.extra" / "label_map.json"
    if content is None:
        labels.unlink()
    else:
        labels.write_text(content)

    result = CliRunner().invoke(command, ["--model", str(damaged), "--output", str(tmp_path / "out"), str(folder)])

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: the model {damaged} {message}")
    assert result.output.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_whole_model_that_lacks_something_is_not_called_damaged(folder: Path, model: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    tf.saved_model.save(tf.Module(), str(foreign))
    shutil.copytree(model / "assets.extra", foreign / "assets.extra")

    with pytest.raises(WorkError, match=r"^ValueError: the model has no signature serving_default\. Received: "):
        run(folder, foreign, tmp_path / "out")


def test_paths_of_a_table_that_can_be_none_are_quarantined(
    folder: Path, model: Path, done: Path, tmp_path: Path
) -> None:
    whole = next(path for path in sorted(folder.rglob("*")) if path.relative_to(folder).as_posix() in by_id(done))
    paths = {"whole": str(whole), "null byte": "a\0b", "address": "http://[::1/x"}
    pq.write_table(pa.table({"id": [*paths], "file": [*paths.values()]}), tmp_path / "faces.parquet")

    found = run(tmp_path / "faces.parquet", model, tmp_path / "out")

    assert (found["images"], found["quarantined"]) == (1, 2)


def test_the_command_says_what_came_of_it(folder: Path, model: Path, done: Path, tmp_path: Path) -> None:
    arguments = ["--model", str(model), str(folder), "--output", str(tmp_path / "out"), "--images-per-shard", "8"]
    said = CliRunner().invoke(command, [*arguments, "--batch-size", "3"])
    assert said.exit_code == 0, said.output
    assert f"21 predictions in 3 shards in {tmp_path / 'out'}" in said.stdout
    assert "2 files can't be used: quarantine-….parquet says why." in said.stdout
    assert content(tmp_path / "out") == content(done)

    again = CliRunner().invoke(command, arguments)
    assert again.exit_code == 2
    assert "holds predictions that differ in the batch size" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runner", "FlinkRunner"], "--runner belongs to --output DIR"),
        (["--beam-option", "--x=1"], "--beam-option belongs to --output DIR"),
        (["--output", "out", "--json"], "--output writes Parquet: leave out --json"),
        (["--output", "out", "--runner", "Nonsense"], "Beam has the runners"),
        (["--output", "out", "elsewhere"], "--output takes one folder or file"),
    ],
)
def test_options_that_can_not_be_meant_are_refused(
    arguments: list[str], message: str, folder: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(command, ["--model", str(model), str(folder), *arguments])
    assert said.exit_code == 2
    assert message in said.stderr
