"""What the entrypoint hands back for Kubeflow's pages, with the executor input of the driver's form."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.json_format import MessageToDict, Parse
from kfp.dsl import ClassificationMetrics
from kfp.pipeline_spec import pipeline_spec_pb2

from components.analysis.analyse import analyse
from components.formats.documents import ANALYSIS, RESULTS, TRAINING, Document
from components.scoring.predictions import Predictions
from pipeline.kubeflow import entrypoint
from pipeline.kubeflow.entrypoint import Task, run
from pipeline.kubeflow.log_lines import read_made
from pipeline.kubeflow.shown_metrics import SHOWN_METRICS

TRAINED = {
    "history": [
        {"epoch": 1, "val_accuracy": 0.75, "val_loss": 0.9},
        {"epoch": 2, "val_accuracy": 0.625, "val_loss": 0.8},
        {"epoch": 3, "val_accuracy": 0.5, "val_loss": 1.5},
    ],
    "best_epoch": 2,
    "epochs_run": 3,
    "images_per_second": 118.5,
    "seconds": 60.25,
}
EVALUATED = {
    "blessed": True,
    "candidate": {"accuracy": 0.5, "balanced_accuracy": 0.375, "macro_f1": 0.4375, "examples": 16},
    "baseline": None,
}

HandBack = Callable[[str, str, Document, dict[str, Any]], dict[str, Any]]


def output(name: str, title: str) -> dict[str, Any]:
    kind = {"schemaTitle": title, "schemaVersion": "0.0.1"}
    return {"artifacts": [{"name": name, "uri": f"minio://bucket/root/task/{name}", "type": kind}]}


@pytest.fixture
def handed_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HandBack:
    """Runs a task whose executor writes one document, and returns the metadata of the output for the pages.

    The launcher's folders of copies are below the test's own instead of `/`.
    """
    monkeypatch.setattr(entrypoint, "_COPIES", {"minio://": f"{tmp_path}/minio/"})

    def execute(key: str, source: str, document: Document, values: dict[str, Any]) -> dict[str, Any]:
        file = tmp_path / "kfp" / "output_metadata.json"
        invocation = {
            "inputs": {"parameterValues": {"name": document.name, "text": document.text(values)}},
            "outputs": {
                "artifacts": {
                    source: output(source, "components.Analysis"),
                    key: output(key, SHOWN_METRICS[key].type),
                    "executor-logs": output("executor-logs", "system.Artifact"),
                },
                "outputFile": str(file),
            },
        }
        run(Task("plain_recorder.Writer", invocation, {}, []))
        # As the launcher reads it: a null or a NaN would be an error.
        handed = Parse(file.read_text(), pipeline_spec_pb2.ExecutorOutput())
        assert sorted(handed.artifacts) == sorted([source, key])
        [artifact] = handed.artifacts[key].artifacts
        assert artifact.uri == f"minio://bucket/root/task/{key}"
        metadata: dict[str, Any] = MessageToDict(artifact.metadata)
        assert json.loads((tmp_path / "minio/bucket/root/task" / key).read_text()) == metadata
        return metadata

    return execute


def findings(classes: int) -> dict[str, Any]:
    """What PredictionAnalysis finds of four images of each class, one of which is taken for the next class."""
    labels = np.repeat(np.arange(classes), 4)
    predicted = np.where(np.arange(len(labels)) % 4 == 0, (labels + 1) % classes, labels)
    predictions = Predictions(
        probabilities=np.eye(classes)[predicted] * 0.5 + 0.5 / classes,
        labels=labels,
        groups=np.array([str(index) for index in range(len(labels))]),
        names=np.array([f"{index}.jpg" for index in range(len(labels))]),
        augmented=np.zeros(len(labels), bool),
    )
    return analyse({"eval": predictions, "test": predictions}, [f"c{index}" for index in range(classes)], None, 2, 0)


def test_the_trainers_figures_are_those_of_the_epoch_that_was_kept(handed_back: HandBack) -> None:
    assert handed_back("training_metrics", "model_run", TRAINING, TRAINED) == {
        "eval_accuracy": 0.625,
        "eval_loss": 0.8,
        "epochs": 3,
        "best_epoch": 2,
        "images_per_second": 118.5,
        "seconds": 60.25,
    }


def test_the_evaluators_figures_are_numbers_alone(handed_back: HandBack) -> None:
    expected = {
        "test_accuracy": 0.5,
        "test_balanced_accuracy": 0.375,
        "test_macro_f1": 0.4375,
        "test_images": 16,
        "blessed": 1,
    }
    assert handed_back("test_metrics", "evaluation", RESULTS, EVALUATED) == expected

    simple = [
        {"name": name, "metrics": {"accuracy": {"value": value}}}
        for name, value in (("largest_class", 0.25), ("linear_model", 0.375))
    ]
    beside = {"largest_class_accuracy": 0.25, "linear_model_accuracy": 0.375}
    assert handed_back("test_metrics", "evaluation", RESULTS, {**EVALUATED, "baselines": simple}) == expected | beside

    compared = {**EVALUATED, "baseline": {"version": "7", "accuracy": 0.25}}
    assert handed_back("test_metrics", "evaluation", RESULTS, compared) == {**expected, "pushed_model_accuracy": 0.25}


def test_what_is_no_number_is_left_out(handed_back: HandBack) -> None:
    trained = {**TRAINED, "images_per_second": None}

    assert "images_per_second" not in handed_back("training_metrics", "model_run", TRAINING, trained)


def test_the_confusion_matrix_is_as_kfp_itself_writes_it(handed_back: HandBack) -> None:
    metadata = handed_back("test_confusion_matrix", "analysis", ANALYSIS, findings(classes=3))

    kfps = ClassificationMetrics()
    kfps.log_confusion_matrix(["c0", "c1", "c2"], [[3, 1, 0], [0, 3, 1], [1, 0, 3]])
    assert metadata == {"classes": 3, **kfps.metadata}


def test_a_matrix_that_no_page_can_show_is_left_out(handed_back: HandBack) -> None:
    assert handed_back("test_confusion_matrix", "analysis", ANALYSIS, findings(classes=101)) == {"classes": 101}


def test_the_log_tells_of_the_components_own_outputs(handed_back: HandBack, capsys: pytest.CaptureFixture[str]) -> None:
    handed_back("test_metrics", "evaluation", RESULTS, EVALUATED)

    assert list(read_made(capsys.readouterr().out)) == ["evaluation"]


def test_a_document_that_is_missing_fails_the_task(handed_back: HandBack) -> None:
    with pytest.raises(FileNotFoundError, match=r"results\.json"):
        handed_back("test_metrics", "evaluation", Document("other.json"), {})
