import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples_artifact import examples_artifact
from numpy.typing import NDArray
from tfx.types import channel_utils, standard_artifacts
from trainer_examples import shapes_examples

from components.formats.documents import TRAINING
from components.images.options import ImageOptions
from components.trainer.component import ImageTrainer
from components.trainer.executor import Executor as TrainerExecutor
from components.training import preparation, training
from components.training.checkpoint import FILE_NAME
from components.training.input import ImageData
from components.training.options import AnswerOptions, ModelOptions, TrackingOptions, TrainOptions
from components.training.settings import read_settings
from components.tuner.component import ImageTuner
from components.tuner.executor import Executor
from components.tuner.options import TunerOptions
from components.tuner.tuner_fn import combinations

IMAGE = ImageOptions(height=32, width=32)
TRAIN = TrainOptions(batch_size=32, epochs=34)


@pytest.fixture
def examples(tmp_path: Path) -> standard_artifacts.Examples:
    return examples_artifact(shapes_examples(tmp_path / "examples", train=36, evaluation=12))


def search(
    examples: standard_artifacts.Examples, root: Path, options: TunerOptions, checkpoints: str = "", **more: int
) -> None:
    component = ImageTuner(
        examples=channel_utils.as_channel([examples]),
        model_options=ModelOptions(),
        train_options=TRAIN,
        image_options=IMAGE,
        tuner_options=options,
        seed=0,
        checkpoint_dir=checkpoints or str(root / "checkpoints"),
        **more,
    )
    best, results = standard_artifacts.HyperParameters(), standard_artifacts.TunerResults()
    best.uri, results.uri = str(root / "best"), str(root / "results")
    for artifact in (best, results):
        Path(artifact.uri).mkdir(exist_ok=True)
    properties = {key: value for key, value in component.spec.exec_properties.items() if value is not None}
    outputs = {"best_hyperparameters": [best], "tuner_results": [results]}
    Executor().Do({"examples": [examples]}, outputs, properties)


def leaderboard(root: Path) -> list[dict[str, Any]]:
    return list(json.loads((root / "results" / "leaderboard.json").read_text()))


@pytest.mark.training
def test_every_architecture_is_tried_and_the_best_goes_to_the_trainer(
    examples: standard_artifacts.Examples, tmp_path: Path
) -> None:
    search(examples, tmp_path, TunerOptions(architectures=("resnet18", "resnet34"), epochs=1))

    rows = leaderboard(tmp_path)
    assert {row["architecture"] for row in rows} == {"resnet18", "resnet34"}
    assert [row["chosen"] for row in rows] == [True, False]
    assert rows[0]["eval_accuracy"] >= rows[1]["eval_accuracy"]
    assert all(row["seconds"] > 0 and row["parameters"] > 1e6 and row["epochs"] == 1 for row in rows)
    assert (tmp_path / "best" / FILE_NAME).exists()
    hyperparameters = json.loads((tmp_path / "best" / "best_hyperparameters.txt").read_text())
    config: dict[str, Any] = {"model": {}, "train": {}, "image": {}}
    assert read_settings(config, hyperparameters).model.architecture == rows[0]["architecture"]


@pytest.mark.training
def test_the_trainer_goes_on_with_the_winners_training(
    examples: standard_artifacts.Examples, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search(examples, tmp_path, TunerOptions(architectures=("resnet18",), epochs=1), epochs=2)
    options = {"model_options": ModelOptions(), "train_options": TRAIN, "image_options": IMAGE, "seed": 0}
    best, model, model_run = (
        kind() for kind in (standard_artifacts.HyperParameters, standard_artifacts.Model, standard_artifacts.ModelRun)
    )
    best.uri, model.uri, model_run.uri = (str(tmp_path / name) for name in ("best", "model", "model_run"))
    component = ImageTrainer(
        examples=channel_utils.as_channel([examples]),
        hyperparameters=channel_utils.as_channel([best]),
        tracking_options=TrackingOptions(),
        answer_options=AnswerOptions(),
        calibrate=1,
        flip_average=1,
        checkpoint_dir="",
        epochs=2,
        **options,
    )
    properties = {key: value for key, value in component.spec.exec_properties.items() if value is not None}
    capsys.readouterr()

    inputs = {"examples": [examples], "hyperparameters": [best]}
    TrainerExecutor().Do(inputs, {"model": [model], "model_run": [model_run]}, properties)

    assert "Continuing after epoch 1 " in capsys.readouterr().out
    training = TRAINING.read(model_run.uri)
    assert [row["epoch"] for row in training["history"]] == [1, 2]


def fake_training(monkeypatch: pytest.MonkeyPatch, outcome: dict[str, Any]) -> list[str]:
    """Replace trainings by what `outcome` says of each architecture; return the list of those that were trained.

    TFX loads the tuner's module anew, so what that imports is replaced.
    """
    trained: list[str] = []

    class Model:
        def __init__(self, accuracy: float) -> None:
            self.accuracy = accuracy

        def count_params(self) -> int:
            return 1000

    def run(one: training.Training, *, checkpoint: tuple[Path, str], until: int, keep: Any) -> training.Trained:
        del keep
        architecture = one._settings.model.architecture
        result = outcome[architecture]
        trained.append(architecture)
        checkpoint[0].mkdir(parents=True, exist_ok=True)
        (checkpoint[0] / FILE_NAME).touch()
        if isinstance(result, BaseException):
            raise result
        return training.Trained(Model(result), [{}], 1, 2.0, 100.0)

    def predict_logits(model: Model, data: ImageData, classes: int, _: int) -> NDArray[Any]:
        right = np.arange(len(data)) < model.accuracy * len(data)
        return np.eye(classes)[np.where(right, data.labels, (data.labels + 1) % classes)]

    monkeypatch.setattr(training.Training, "run", run)
    monkeypatch.setattr(preparation, "classifier", lambda model, _: model)
    monkeypatch.setattr(preparation, "predict_logits", predict_logits)
    return trained


def test_a_failed_trial_is_shown_as_failed_with_its_cause(
    examples: standard_artifacts.Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_training(monkeypatch, {"resnet18": MemoryError("too large"), "resnet34": 0.75})

    search(examples, tmp_path, TunerOptions(architectures=("resnet18", "resnet34")))

    assert [(row["architecture"], row["status"], row["error"]) for row in leaderboard(tmp_path)] == [
        ("resnet34", "completed", None),
        ("resnet18", "failed", "MemoryError: too large"),
    ]


def test_if_all_trials_fail_the_component_fails(
    examples: standard_artifacts.Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("resnet18", "resnet34", "resnet50", "resnet101")
    fake_training(monkeypatch, dict.fromkeys(names, MemoryError("too large")))

    with pytest.raises(RuntimeError, match=r"All 4 trials failed.*too large"):
        search(examples, tmp_path, TunerOptions(architectures=names))
    assert not (tmp_path / "best" / "best_hyperparameters.txt").exists()


def test_what_failed_is_tried_again_by_the_next_search(
    examples: standard_artifacts.Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TunerOptions(architectures=("resnet18", "resnet34"))
    outcome: dict[str, Any] = dict.fromkeys(options.architectures, ConnectionError("no network"))
    trained = fake_training(monkeypatch, outcome)
    with pytest.raises(RuntimeError, match="no network"):
        search(examples, tmp_path, options)
    outcome |= {"resnet18": 0.5, "resnet34": 0.75}

    search(examples, tmp_path, options)

    assert trained == [*options.architectures] * 2  # then the better half is one
    assert [row["status"] for row in leaderboard(tmp_path)] == ["completed", "completed"]


def test_finished_trials_survive_a_kill(
    examples: standard_artifacts.Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TunerOptions(architectures=("resnet18", "resnet34", "resnet50"))
    outcome: dict[str, Any] = {"resnet18": 0.5, "resnet34": KeyboardInterrupt(), "resnet50": 0.25}
    trained = fake_training(monkeypatch, outcome)
    with pytest.raises(KeyboardInterrupt):
        search(examples, tmp_path, options)
    outcome["resnet34"] = 0.75

    search(examples, tmp_path, options)

    assert trained[:4] == ["resnet18", "resnet34", "resnet34", "resnet50"]
    assert [row["eval_accuracy"] for row in leaderboard(tmp_path)] == [0.75, 0.5, 0.25]
    assert [row["dropped"] for row in leaderboard(tmp_path)] == [
        None,
        "not in the better half at 12 epochs",
        "not in the better half at 6 epochs",
    ]


def test_an_impossible_value_fails_that_trial_alone(examples: standard_artifacts.Examples, tmp_path: Path) -> None:
    options = TunerOptions(architectures=("resnet18",), epochs=1, search={"train.learning_rate": [0.001, -1.0]})

    search(examples, tmp_path, options)

    good, bad = leaderboard(tmp_path)
    assert (good["status"], bad["status"]) == ("completed", "failed")
    assert "learning_rate" in bad["error"]


def test_every_combination_is_listed_once() -> None:
    options = TunerOptions(architectures=("resnet18", "resnet50"), search={"model.dropout": [0.0, 0.2]})

    assert [tuple(choices.values()) for choices in combinations(options)] == [
        ("resnet18", 0.0),
        ("resnet18", 0.2),
        ("resnet50", 0.0),
        ("resnet50", 0.2),
    ]


def test_an_option_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Received: model.dropout=\[\]"):
        combinations(TunerOptions(search={"model.dropout": []}))
