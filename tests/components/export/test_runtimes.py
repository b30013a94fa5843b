"""Exported files whose graph and whose words of themselves don't go together, and answers that are equally likely."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper
from PIL import Image

from components.export.runtimes import open_exported
from components.formats.exports import DIGEST, FACTS, UNSEALED, sealed
from pipeline.cli.predict import predict

SAID = {
    "format": "onnx",
    "labels": ["a", "b", "c"],
    "height": 32,
    "width": 40,
    "channels": 3,
    "temperatures": [1.0],
    "mirrored": False,
    "thresholds": None,
    "sealed": True,
    "format_version": 1,
}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A grey image: each class is as likely as the others, by the graph below."""
    path = tmp_path / "grey.png"
    Image.fromarray(np.full((32, 40, 3), 90, np.uint8)).save(path)
    return path


def exported(folder: Path, properties: dict[str, str]) -> Path:
    """Write a graph whose probabilities are the means of the channels."""
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", 32, 40, 3])
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3])
    nodes = [
        helper.make_node("Cast", ["pixels"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real"], ["probabilities"], axes=[1, 2], keepdims=0),
    ]
    graph = helper.make_graph(nodes, "means", [pixels], [probabilities])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, properties)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def written(folder: Path, **changed: Any) -> Path:
    path = exported(folder, {FACTS: json.dumps(SAID | changed), DIGEST: UNSEALED})
    path.write_bytes(sealed(path.read_bytes()))
    return path


def test_of_equally_likely_labels_the_first_is_said(tmp_path: Path, picture: Path) -> None:
    result = CliRunner().invoke(predict, ["--model", str(written(tmp_path)), str(picture), "--json"])

    assert result.exit_code == 0, result.output
    [row] = json.loads(result.stdout)
    assert set(row["probabilities"].values()) == {90.0}
    assert row["label"] == "a"  # as the SavedModel, `serve` and predictions at scale say it


def test_a_file_of_an_earlier_revision_has_no_digest_and_answers(tmp_path: Path, picture: Path) -> None:
    said = {name: value for name, value in SAID.items() if name != "sealed"}
    path = exported(tmp_path, {FACTS: json.dumps(said)})

    result = CliRunner().invoke(predict, ["--model", str(path), str(picture), "--json"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["label"] == "a"


def test_every_bit_that_flips_is_noticed(tmp_path: Path) -> None:
    """That in a weight is noticed by the digest alone; a runtime computes with what it reads."""
    path = written(tmp_path)
    whole = path.read_bytes()
    open_exported(path)

    for bit in range(8 * len(whole)):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"it (has changed since it was exported|no longer has the digest)|utf-8"):
            open_exported(path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"channels": 1}, "its graph has pixels of 32×40×3, and it says of itself 32×40×1"),
        ({"channels": 4}, "channels: Input should be 1 or 3"),
        ({"height": 64}, "its graph has pixels of 32×40×3, and it says of itself 64×40×3"),
        ({"height": None}, "height: Input should be a valid integer"),
        ({"labels": ["a", "b"]}, "its graph has probabilities of 3, and it says of itself 2"),
        ({"labels": "abc"}, "labels: Input should be a valid tuple"),
        ({"thresholds": [0.5]}, "1 thresholds for 3 labels"),
    ],
)
def test_a_file_that_says_something_else_than_its_graph_is_refused_in_a_line(
    tmp_path: Path, picture: Path, changed: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, **changed)
    result = CliRunner().invoke(predict, ["--model", str(path), str(picture)])

    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert line.startswith("Error: --model: ")
    assert message in line
    assert str(path) in line
