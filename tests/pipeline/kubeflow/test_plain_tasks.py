"""Tasks that need no TFX, each as its container's process: the golden file's command, an input as the driver's."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from drawn_images import draw_folder
from report_artifacts import LABELS, make_artifacts

from components.formats.documents import BASELINES, CARD, CARD_MARKDOWN, GATE
from components.formats.examples import LABEL_MAP, write_labels
from components.formats.pushed_models import Origin
from components.formats.saved_model import GRAPH, model_digest, serving_folder
from components.pusher.push import push
from components.tools.files import read_json, write_json

_HEAVY = {"tfx", "tensorflow", "tensorflow_data_validation", "apache_beam", "kfp", "ml_metadata"}
# What ML Metadata knows of a task's inputs; on the way through JSON every number has become a double.
_PROPERTIES: dict[str, dict[str, Any]] = {
    "model_blessing": {"blessed": 1.0},
    "pushed_model": {"pushed": 1.0, "pushed_version": "8", "pushed_destination": "s3://models/8"},
}
Task = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the tasks take, in folders by name."""
    folder = tmp_path_factory.mktemp("artifacts")
    made = make_artifacts(folder)
    for name in ("schema_anomalies/Split-eval", "distribution_anomalies/SplitPair-eval_test"):
        (folder / name).mkdir(parents=True)
        (folder / name / "SchemaDiff.pb").touch()  # an Anomalies proto without any
    (folder / "labels").mkdir()
    write_labels(LABELS, folder / "labels")
    serving_folder(folder / "model").mkdir(parents=True)
    (serving_folder(folder / "model") / GRAPH).write_text("graph")
    summary, findings = made["summary"] / "summary.json", made["analysis"] / "analysis.json"
    write_json({**read_json(summary), "given_splits": []}, summary)
    write_json({**read_json(findings), "data": {"leak": "", "data_digest": "d" * 64}}, findings)
    CARD.write({}, made["analysis"])
    (made["analysis"] / CARD_MARKDOWN).write_text("card")
    return folder


@pytest.fixture
def task(artifacts: Path, tmp_path: Path) -> Task:
    """Runs a task in a process of its own, and returns the metadata of what it made."""
    [golden, *_] = yaml.safe_load_all(Path(__file__).with_name("golden.yaml").read_text("utf-8"))

    def run(name: str, **values: Any) -> dict[str, Any]:
        component = golden["components"][f"comp-{name}"]
        container = golden["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        wired = golden["root"]["dag"]["tasks"][name]["inputs"]["parameters"]
        fixed = {key: source["runtimeValue"]["constant"] for key, source in wired.items() if "runtimeValue" in source}
        titles = {key: one["artifactType"] for key, one in component["outputDefinitions"]["artifacts"].items()}
        taken = component["inputDefinitions"].get("artifacts", {})
        invocation = {
            "inputs": {
                "parameterValues": {**fixed, **{key: value for key, value in values.items() if key in wired}},
                "artifacts": {
                    key: _artifact(
                        artifacts / key,
                        {"instanceSchema": f"title: {one['artifactType']['schemaTitle']}"},
                        _PROPERTIES.get(key, {}),
                    )
                    for key, one in taken.items()
                },
            },
            "outputs": {
                "artifacts": {key: _artifact(tmp_path / "made" / key, title, {}) for key, title in titles.items()},
                "outputFile": str(tmp_path / "output_metadata.json"),
            },
        }
        line = [json.dumps(invocation) if word == "{{$}}" else _in_a_volume(word) for word in container["args"]]
        command = [sys.executable, "-X", "importtime", *container["command"][1:], *line]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert "starts, " in done.stdout
        imported = {module.split(".")[0] for module in re.findall(r"import time: .*\| +([\w.]+)$", done.stdout, re.M)}
        assert "components" in imported
        assert imported & _HEAVY == set()
        output = read_json(tmp_path / "output_metadata.json")
        return {key: one["artifacts"][0]["metadata"] for key, one in output["artifacts"].items()}

    return run


def _artifact(folder: Path, kind: dict[str, str], metadata: dict[str, Any]) -> dict[str, Any]:
    return {"artifacts": [{"uri": str(folder), "type": kind, "metadata": metadata}]}


def _in_a_volume(word: str) -> str:
    """Mount everything where the golden file mounts nothing: the test's folders are no object store."""
    return re.sub(r'"(\w+)": \[\]', r'"\1": ["/"]', word)


def test_a_folder_is_ingested(task: Task, tmp_path: Path) -> None:
    data = draw_folder(tmp_path / "faces", {"anger": 3, "happy": 2})

    made = task("image-ingest", uri=str(data / "train"), data_digest="d")["images"]

    assert (made["images"], made["classes"], made["quarantined"]) == (5, 2, 0)
    assert (tmp_path / "made" / "images" / "images-00000-of-00001.parquet").exists()
    findings = tmp_path / "made" / "findings"
    assert {path.name for path in findings.iterdir()} == {"summary.json", "quarantine.parquet", "duplicates.parquet"}


def test_the_schema_is_written(task: Task, tmp_path: Path) -> None:
    assert task("image-schema") == {"schema": {}}

    schema = (tmp_path / "made" / "schema" / "schema.pbtxt").read_text("utf-8")
    assert 'value: "happy"' in schema
    assert "max: 50000000\n" in schema


def test_the_gate_lets_clean_data_pass(task: Task, tmp_path: Path) -> None:
    assert task("data-gate") == {"verdict": {"anomalies": 0, "passed": 1}}
    assert GATE.read(tmp_path / "made" / "verdict")["passed"]


def test_the_simple_baselines_are_measured(task: Task, tmp_path: Path) -> None:
    made = task("simple-baselines")["baselines"]

    assert (made["largest_class"], made["largest_class_accuracy"]) == (LABELS[0], 0.25)
    assert made["linear_model_low"] < made["linear_model_accuracy"] < made["linear_model_high"]
    assert BASELINES.read(tmp_path / "made" / "baselines")["images"] == 120


def test_the_model_to_beat_is_fetched(task: Task, artifacts: Path, tmp_path: Path) -> None:
    serving = tmp_path / "serving"
    labels = {LABEL_MAP.name: {"labels": LABELS}}
    push(serving_folder(artifacts / "model"), str(serving), 7, Origin("another", "x"), labels, {})

    made = task("baseline-finder", destination=str(serving), folder_digest="d", candidates="7", seed=0.0)

    assert made == {"model": {"version": "7"}}
    assert (serving_folder(tmp_path / "made" / "model") / GRAPH).read_text() == "graph"


def test_a_blessed_model_is_pushed(task: Task, tmp_path: Path) -> None:
    serving = tmp_path / "serving"

    made = task("pusher", destination=str(serving), folder_digest="d", version="1700000000", seed=0.0, epochs=5.0)

    pushed = {"pushed": 1, "pushed_version": "1700000000", "pushed_destination": f"{serving}/1700000000"}
    digest = made["pushed_model"].pop("pushed_digest")
    assert made == {"pushed_model": pushed}
    assert digest == model_digest(serving / "1700000000")
    assert (serving / "1700000000" / GRAPH).exists()


def test_a_model_that_isnt_blessed_stays(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_PROPERTIES, "model_blessing", {"blessed": 0.0})

    assert task("pusher", destination=str(tmp_path / "serving"), folder_digest="d") == {"pushed_model": {"pushed": 0}}
    assert not (tmp_path / "serving").exists()


def test_the_report_is_made(task: Task, tmp_path: Path) -> None:
    made = task("report", data="s3://faces/train", seed=3.0, epochs=5.0, architecture="resnet34")

    page = (tmp_path / "made" / "report" / "index.html").read_text("utf-8")
    assert made == {"report": {"bytes": len(page.encode()), "place": str(tmp_path / "made" / "report")}}
    assert "resnet34" in page
