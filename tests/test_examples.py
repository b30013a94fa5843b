"""The files in `examples/` do what its README says of them."""

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from components.ingest.label_table import read_label_table
from components.ingest.layout import read_layout
from pipeline.cli import main
from pipeline.cli.serve import serve
from pipeline.sample.dataset import write_sample_data

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_the_table_of_labels_corrects_two_of_the_sample(tmp_path: Path) -> None:
    write_sample_data(tmp_path / "faces", 160)
    paths = [path.relative_to(tmp_path / "faces") for path in (tmp_path / "faces").rglob("*")]
    files = [str(path) for path in paths if path.suffix]
    folders = [str(path) for path in paths if not path.suffix]

    table = read_label_table((EXAMPLES / "labels.csv").read_bytes(), "labels.csv")
    labels = {row.path: row.label.name for row in table.rows}

    before = {entry.id: entry.label for entry in read_layout(files, folders).entries}
    after = {entry.id: entry.label for entry in read_layout(files, folders, labels).entries}
    assert {name for name in before if before[name] != after[name]} == set(labels)
    assert {name: after[name] for name in labels} == labels
    assert set(after.values()) == set(before.values())


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    path = tmp_path_factory.mktemp("compiled") / "affect.yaml"
    line = ["compile", "--config", str(EXAMPLES / "kubeflow.yaml"), "--output", str(path), "--data", "s3://faces/train"]

    result = CliRunner().invoke(main, line)

    assert result.exit_code == 0, result.output
    assert "Warning" not in result.output
    return list(yaml.safe_load_all(path.read_text("utf-8")))


@pytest.mark.heavy
def test_the_trainer_gets_its_gpu_and_everybody_the_stores_keys(compiled: list[Any]) -> None:
    pipeline, platform = compiled
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    containers = {name: one["container"] for name, one in pipeline["deploymentSpec"]["executors"].items()}

    assert containers["exec-trainer"]["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert containers["exec-trainer"]["resources"]["resourceMemoryLimit"] == "16Gi"
    assert containers["exec-report"]["resources"]["resourceMemoryLimit"] == "4Gi"
    assert executors["exec-trainer"]["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert set(executors) == set(containers)
    for executor in executors.values():
        assert executor["imagePullSecret"] == [{"secretName": "regcred"}]
        assert {pair["envVar"] for pair in executor["secretAsEnv"][0]["keyToEnv"]} == {
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        }


@pytest.mark.heavy
def test_all_tasks_but_the_trainer_are_tried_again(compiled: list[Any]) -> None:
    tasks = compiled[0]["root"]["dag"]["tasks"]

    assert {name for name, task in tasks.items() if not task.get("retryPolicy", {}).get("maxRetryCount")} == {"trainer"}
    assert compiled[0]["root"]["inputDefinitions"]["parameters"]["epochs"]["defaultValue"] == 50


def test_the_script_saves_the_augmentation_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["custom_pipeline.py", str(tmp_path / "mine.yml")])

    runpy.run_path(str(EXAMPLES / "custom_pipeline.py"), run_name="__main__")

    assert (tmp_path / "mine.yml").read_text("utf-8") == (EXAMPLES / "custom_pipeline.yml").read_text("utf-8")


def test_tensorflow_serving_is_found_where_our_own_server_is() -> None:
    compose = yaml.safe_load((EXAMPLES / "tensorflow-serving.yaml").read_text("utf-8"))
    defaults = {parameter.name: parameter.default for parameter in serve.params}

    service = compose["services"]["affect"]
    assert service["environment"]["MODEL_NAME"] == defaults["name"]
    assert service["ports"] == [f"{defaults['host']}:{defaults['port']}:8501"]
    [volume] = service["volumes"]
    assert volume.endswith(f":/models/{defaults['name']}:ro")
    default = volume.partition(":-")[2].partition("}")[0]  # a compose file's paths begin at its folder
    assert (EXAMPLES / default).resolve() == EXAMPLES.parent / "runs/local/serving_model"
