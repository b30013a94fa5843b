"""Cross-fitting as Kubeflow is given it: a task a fold, side by side, and an averaged model."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import CLUSTER, compiled

GOLDEN = Path(__file__).parent / "golden_cross_fit.yaml"
FOLDS = ("trainer-fold-1", "trainer-fold-2")


@pytest.fixture(scope="module")
def spec() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        return compiled(patch, [*CLUSTER, "evaluate.folds=2", "push.ensemble=true"], config="cross-fit")[1][0]


def test_the_tasks_of_cross_fitting_are_the_golden_ones(spec: Any) -> None:
    """`REGOLD=1 pytest tests/pipeline/kubeflow` writes the golden file again."""
    names = ("image-folds", *FOLDS, "cross-fit", "ensemble", "evaluator", "prediction-analysis", "pusher")
    tasks = {name: spec["root"]["dag"]["tasks"][name] for name in names}
    found = {name: {key: task[key] for key in ("dependentTasks", "inputs")} for name, task in tasks.items()}
    text = yaml.safe_dump(found)
    if os.environ.get("REGOLD"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_no_fold_waits_for_another_or_for_the_trainer(spec: Any) -> None:
    tasks = spec["root"]["dag"]["tasks"]

    for name in FOLDS:
        assert tasks[name]["dependentTasks"] == ["data-gate", "image-folds"]
    # That there are too few groups is known before the statistics are made.
    assert tasks["image-folds"]["dependentTasks"] == ["tf-record-converter"]


def test_what_a_run_sets_reaches_every_fold(spec: Any) -> None:
    tasks = spec["root"]["dag"]["tasks"]

    for name in FOLDS:
        parameters = tasks[name]["inputs"]["parameters"]
        for key in ("epochs", "seed", "architecture"):
            assert parameters[key] == {"componentInputParameter": key}
        assert parameters["fold"] == {"runtimeValue": {"constant": int(name[-1])}}


def test_a_fold_has_the_trainers_accelerator(spec: Any) -> None:
    executors = spec["deploymentSpec"]["executors"]
    wanted = executors["exec-trainer"]["container"]["resources"]

    assert [executors[f"exec-{name}"]["container"]["resources"] for name in FOLDS] == [wanted] * 2
