"""What `affect run` refuses at once: by the command itself, which gets no further than that."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import save_file

from components.models.torch_weights import expected_shapes
from pipeline.cli import main


def run(tmp_path: Path, *words: object) -> Result:
    workdir = [] if "--workdir" in words else ["--workdir", str(tmp_path / "work")]
    return CliRunner().invoke(main, ["run", *workdir, *map(str, words)])


def refused(shown: Result, tmp_path: Path) -> str:
    """Return the message of a run that was refused with a line, on standard error, before anything was made."""
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert not (tmp_path / "work").exists()
    [line] = shown.stderr.splitlines()
    return line


@pytest.mark.parametrize("name", ["exp [1]", "exp?", "exp*", "a\\b"])
def test_a_workdir_that_looks_like_a_pattern_is_refused_beside_its_match(name: str, tmp_path: Path) -> None:
    neighbour = tmp_path / "exp 1" / "artifacts"
    neighbour.mkdir(parents=True)

    line = refused(run(tmp_path, "--workdir", tmp_path / name / "work"), tmp_path / name)

    character = next(character for character in name if character in "*?[\\")
    assert line == (
        f"Error: --workdir can't have {character} in its path, which TFX takes for a pattern of names: name a folder "
        f"without any of * ? [ \\. Received: {tmp_path / name / 'work'}"
    )
    assert list(neighbour.iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("push.destination=/proc/self/x", "can't write to push.destination = /proc/self/x: /proc/self: "),
        ("explain.map=umap", "explain.map=umap requires the package umap-learn, which isn't installed: install it "),
        ("push.destination=FILE", "can't write to push.destination = FILE: FILE is a file, not a folder"),
        ("push.destination=hdfz://host/x", "push.destination = hdfz://host/x: hdfz:// has no driver that works here"),
        ("train.checkpoints=/proc/self/x", "can't write to train.checkpoints = /proc/self/x: "),
        ("train.checkpoints=hdfz://host/x", "train.checkpoints = hdfz://host/x: hdfz:// has no driver"),
        ("data.path=hdfz://host/x", "--data = hdfz://host/x: hdfz:// has no driver that works here"),
        ("data.labels_csv=hdfz://host/x", "data.labels_csv = hdfz://host/x: hdfz:// has no driver"),
        ("data.metadata_csv=hdfz://host/x", "data.metadata_csv = hdfz://host/x: hdfz:// has no driver"),
        ("data.labels_csv=FOLDER", "data.labels_csv names FOLDER, which is a folder, not a file"),
        ("validate.schema=FILE", "can't read validate.schema = FILE: "),
        ("augment.pipeline_yaml=FILE", "augment.pipeline_yaml names FILE, which holds no pipeline: A.save("),
        ("augment.pipeline_yaml=FILE.keras", "can't read augment.pipeline_yaml = FILE.keras: "),
        ("model.weights=FILE", "model.weights must be 'imagenet', a .safetensors, .weights.h5 or .keras file, or a "),
        ("model.weights=FILE.keras", "model.weights names FILE.keras, which is no Keras file: it is damaged, or "),
        ("model.weights=FILE.weights.h5", "model.weights names FILE.weights.h5, which is no HDF5 file: it is damaged"),
        ("model.weights=FILE.safetensors", "model.weights can't be read as safetensors: "),
        ("model.weights=FOLDER", "model.weights names the folder FOLDER, in which there is no saved_model.pb"),
        ("beam.runner=apache_beam.runners.none.X", "beam.runner names the module apache_beam.runners.none, which "),
        ("beam.runner=nothing_here.X", "beam.runner names the module nothing_here, which isn't installed"),
    ],
)
def test_what_cannot_succeed_is_refused_before_anything_is_read(setting: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "file"
    for path in (file, *(file.with_name(f"file{ending}") for ending in (".keras", ".weights.h5", ".safetensors"))):
        path.write_text("not what it is called" if path == file else "{not: what it is: called")
    setting, message = (
        text.replace("FILE", str(file)).replace("FOLDER", str(tmp_path / "folder")) for text in (setting, message)
    )

    assert refused(run(tmp_path, "--set", setting), tmp_path).removeprefix("Error: ").startswith(message)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["split.group_regex=^(S\\d+)_"],
            r"Error: split.group_regex = ^(S\d+)_ captures nothing in any file name (1 of ",
        ),
        (
            ["split.group_regex=/(P\\d)/", "split.group_on=path"],
            "Error: split.group_regex = /(P\\d)/ captures nothing in ",
        ),
    ],
)
def test_an_expression_that_captures_nothing_is_refused_before_an_image_is_read(
    settings: list[str], message: str, tmp_path: Path
) -> None:
    image = tmp_path / "faces" / "train" / "happy" / "S03" / "0001.jpg"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"no image at all")
    words = [word for setting in settings for word in ("--set", setting)]

    shown = run(tmp_path, "--data", tmp_path / "faces", *words)

    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(message)
    assert not (tmp_path / "work" / "artifacts").exists()


@pytest.mark.parametrize(
    ("slice_on", "message"),
    [
        ("[Camera]", "evaluate.slice_on names Camera, which data.metadata_csv hasn't. It has camera, note"),
        ("[note]", "evaluate.slice_on names note, which has 30 different texts, and evaluate.max_slice_values is 20: "),
    ],
)
def test_what_cannot_be_sliced_by_is_refused_before_an_image_is_read(
    slice_on: str, message: str, tmp_path: Path
) -> None:
    lines = ["path,camera,note"]
    for number in range(30):
        image = tmp_path / "faces" / "train" / ("sad" if number % 2 else "happy") / f"{number}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(b"no image at all")
        lines.append(f"{number}.jpg,{'abc'[number % 3]},roll {number}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    settings = ["--set", f"data.metadata_csv={tmp_path / 'metadata.csv'}", "--set", f"evaluate.slice_on={slice_on}"]

    shown = run(tmp_path, "--data", tmp_path / "faces", *settings)

    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith(f"Error: {message}")
    assert not (tmp_path / "work" / "artifacts").exists()


def test_names_with_special_characters_are_taken_where_nobody_takes_them_for_patterns(tmp_path: Path) -> None:
    """All gets as far as the data folder, which is the one thing that is wrong."""
    odd = tmp_path / "a [1]*? {b} 'c' \"d\" $HOME %41 #é;&@~\n"
    (odd / "weights").mkdir(parents=True)
    (odd / "weights" / "saved_model.pb").touch()
    (odd / "labels.csv").write_text("path,label\n")
    (odd / "schema.pbtxt").write_text("")
    settings = {
        "push.destination": odd / "serving",
        "train.checkpoints": odd / "checkpoints",
        "data.labels_csv": odd / "labels.csv",
        "validate.schema": odd / "schema.pbtxt",
        "model.weights": odd / "weights",
    }
    words = [word for key, path in settings.items() for word in ("--set", f"{key}={json.dumps(str(path))}")]

    shown = run(tmp_path, *words, "--data", tmp_path / "gone", "--workdir", tmp_path / "w {b} 'c' $HOME %41 #é;&@~")

    assert shown.stderr == f"Error: data: no such folder: {tmp_path / 'gone'}\n"


_IMPORTED = """
import sys
from click.testing import CliRunner
from pipeline.cli import main
shown = CliRunner().invoke(main, ["run", *sys.argv[1:]])
assert shown.exit_code == 2, shown.output
print({"tfx", "tensorflow", "apache_beam"} & set(sys.modules))
"""


def test_it_is_refused_before_tfx_is_imported(tmp_path: Path) -> None:
    words = ["--workdir", str(tmp_path / "work"), "--set", "push.destination=/proc/self/x"]

    done = subprocess.run([sys.executable, "-c", _IMPORTED, *words], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    tensors = {name: np.zeros(shape, np.float16) for name, shape in expected_shapes("resnet34", 3).items()}
    save_file(tensors, tmp_path / "r34.safetensors")

    line = refused(run(tmp_path, "--set", f"model.weights={tmp_path / 'r34.safetensors'}"), tmp_path)

    assert "It looks like resnet34: set model.architecture=resnet34." in line


@pytest.mark.parametrize("name", ["artifacts", "logs", "serving_model", "report", "checkpoints"])
def test_a_file_where_a_folder_of_the_workdir_belongs_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()

    shown = run(tmp_path, "--workdir", tmp_path)

    assert shown.stderr.startswith(f"Error: can't work in {tmp_path}: {tmp_path / name} is a file, not a folder. ")


def test_a_metadata_store_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "metadata.db").write_text("something else altogether")

    shown = run(tmp_path, "--workdir", tmp_path)

    assert "metadata.db is no SQLite database. Name another folder with --workdir" in shown.stderr
    assert (tmp_path / "metadata.db").read_text() == "something else altogether"


def test_an_option_without_effect_is_a_warning(tmp_path: Path) -> None:
    shown = run(tmp_path, "--data", tmp_path / "gone", "--set", "train.nesterov=true")

    assert shown.stderr.splitlines() == [
        "Warning: train.nesterov=true has no effect: it is of train.optimizer=sgd",
        f"Error: data: no such folder: {tmp_path / 'gone'}",
    ]


def test_a_column_to_slice_an_archive_by_is_looked_for_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as file:
        file.writestr("train/happy/1.jpg", "no image at all")
    (tmp_path / "metadata.csv").write_text("path,camera\n1.jpg,a\n")
    settings = [f"data.metadata_csv={tmp_path / 'metadata.csv'}", "evaluate.slice_on=[[camera, age]]"]
    words = [word for setting in settings for word in ("--set", setting)]

    shown = run(tmp_path, "--data", tmp_path / "faces.zip", *words)

    assert shown.exit_code == 2
    assert "evaluate.slice_on names age, which data.metadata_csv hasn't. It has camera" in shown.stderr


@pytest.mark.parametrize(("settings", "groups"), [([], "7 groups"), (["split.group_regex=^(.)"], "2 groups")])
def test_too_few_groups_for_the_folds_are_known_before_an_image_is_read(
    settings: list[str], groups: str, tmp_path: Path
) -> None:
    for number in range(7):
        image = tmp_path / "faces" / "train" / ("sad" if number % 2 else "happy") / f"{number % 2}{number}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(b"no image at all")
    words = [word for setting in ("evaluate.folds=4", *settings) for word in ("--set", setting)]

    shown = run(tmp_path, "--data", tmp_path / "faces", *words)

    assert shown.exit_code == 2
    assert f"evaluate.folds=4 divides train and eval into 8 parts, and there are {groups} of images" in shown.stderr
