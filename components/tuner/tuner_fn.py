"""The Tuner's `tuner_fn`: a KerasTuner that trains every combination of the listed options under the same budget.

A trial sees the splits train and eval, never test. What is finished survives a kill: each trial has a folder with its
result, and until then with its training's checkpoint, below a folder named by all that decides the search.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from components.formats.nodes import TUNER
from components.tools.files import read_json, write_json
from components.tools.progress import Progress
from components.training.preparation import Prepared, prepare
from components.training.settings import Settings, read_settings
from components.tuner.leaderboard import Row, failed_row
from components.tuner.options import TunerOptions

ARCHITECTURE = "model.architecture"
OBJECTIVE = "eval_accuracy"
RESULT = "result.json"


class Grid(keras_tuner.Oracle):
    """Every combination once, in order; a trial's id is its place, so nothing needs to be remembered.

    KerasTuner's own grid forgets its place when the process is killed.
    """

    def __init__(self, combinations: list[dict[str, Any]]) -> None:
        space = keras_tuner.HyperParameters()
        for name in combinations[0]:
            space.Choice(name, list(dict.fromkeys(choices[name] for choices in combinations)))
        super().__init__(
            objective=keras_tuner.Objective(OBJECTIVE, "max"),
            max_trials=len(combinations),
            hyperparameters=space,
            max_consecutive_failed_trials=len(combinations) + 1,  # the leaderboard says what failed
        )
        self.combinations = combinations

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the trial's combination."""
        return {"status": "RUNNING", "values": self.combinations[int(trial_id)]}


class ResNetTuner(keras_tuner.engine.base_tuner.BaseTuner):  # type: ignore[name-defined]
    """Trains one trial after the other; `rows` is the leaderboard, in the order of the trials."""

    def __init__(self, combinations: list[dict[str, Any]], prepared: Prepared, folder: Path) -> None:
        super().__init__(oracle=Grid(combinations), directory=str(folder), project_name="keras_tuner", overwrite=True)
        self.combinations, self.prepared, self.folder = combinations, prepared, folder
        self.rows: list[Row] = []
        self.progress = Progress(TUNER, len(combinations))

    def run_trial(self, trial: Any, **_: Any) -> dict[str, float]:
        """Train one combination, or take the result that an interrupted search left, and return its score.

        Raises:
            FailedTrialError: the training failed; the row says why, and the search goes on.
        """
        choices = dict(trial.hyperparameters.values)
        folder = self.folder / f"trial-{trial.trial_id}"
        done = folder / RESULT
        row: Row
        if done.exists():
            row = read_json(done)
        else:
            row = self._train(choices, folder)
            if row["error"] is None:  # what failed for lack of memory or a network is tried again by the next search
                folder.mkdir(parents=True, exist_ok=True)
                write_json(row, done)
        self.rows.append(row)
        text = f"{row['architecture']} eval acc {row['eval_accuracy']:.3f}" if row["error"] is None else "failed"
        print(f"Trial {len(self.rows)}/{len(self.combinations)} {choices}: {row['error'] or text}", flush=True)
        self.progress(len(self.rows), text)
        if row["eval_accuracy"] is None:
            raise keras_tuner.errors.FailedTrialError(row["error"])
        return {OBJECTIVE: row["eval_accuracy"]}

    def _train(self, choices: dict[str, Any], folder: Path) -> Row:
        settings = self.prepared.settings
        architecture = choices.get(ARCHITECTURE, settings.model.architecture)
        try:
            prepared = self.prepared.with_settings(settings.with_choices(choices))
            trained = prepared.training(TUNER).run(checkpoint=(folder, json.dumps(choices, sort_keys=True)))
            predicted: NDArray[Any] = np.argmax(prepared.predict_logits(trained.model), axis=1)
        except Exception as error:  # KerasTuner would swallow it
            _remove_checkpoint(folder)
            return failed_row(choices, architecture, settings.train.epochs, error)
        _remove_checkpoint(folder)  # and not when interrupted: the next search goes on from it
        return Row(
            architecture=architecture,
            parameters=trained.model.count_params(),
            epochs=len(trained.history),
            eval_accuracy=float(accuracy_score(prepared.eval.labels, predicted)),
            eval_macro_f1=float(f1_score(prepared.eval.labels, predicted, average="macro", zero_division=0)),
            seconds=round(trained.seconds, 3),
            images_per_second=trained.images_per_second,
            status="completed",
            error=None,
            hyperparameters=choices,
            chosen=False,
        )


def _remove_checkpoint(folder: Path) -> None:
    for file in folder.glob("training.*"):
        file.unlink(missing_ok=True)


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Prepare the search that the options describe."""
    config = fn_args.custom_config
    options = TunerOptions.model_validate(config["tuner"])
    settings = with_budget(read_settings(config), options.epochs)
    prepared = prepare(settings, config["examples_uri"], fn_args.train_files, fn_args.eval_files)
    found = combinations(options)
    fingerprint = settings.fingerprint(
        prepared.files, config.get("code_version", ""), prepared.precision, json.dumps(found, sort_keys=True)
    )
    folder = Path(config.get("checkpoint_dir") or fn_args.working_dir) / f"search-{fingerprint}"
    return TunerFnResult(tuner=ResNetTuner(found, prepared, folder), fit_kwargs={"verbose": 0})


def combinations(options: TunerOptions) -> list[dict[str, Any]]:
    """List every combination of the architectures and of the further options to try.

    Raises:
        ValueError: an option has no values.
    """
    space = {ARCHITECTURE: list(options.architectures), **options.search}
    if empty := [name for name, values in space.items() if not values]:
        raise ValueError(f"tuner.search needs at least one value for each option. Received: {empty[0]}=[]")
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]


def with_budget(settings: Settings, epochs: int) -> Settings:
    """Return the settings for a trial's number of epochs; warm-up and head alone take at most a third of them each."""
    parts = {name: min(getattr(settings.train, name), epochs // 3) for name in ("warmup_epochs", "head_epochs")}
    return settings.with_choices({"train.epochs": epochs} | {f"train.{name}": value for name, value in parts.items()})
