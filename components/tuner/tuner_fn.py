"""The Tuner's `tuner_fn`: a KerasTuner that tries every combination of the listed options by successive halving.

A trial sees the splits train and eval, never test. It is the training that the Trainer would do, interrupted after some
epochs: the next rung goes on from its checkpoint, and so does the Trainer with the winner's. What is finished survives
a kill: each candidate has a folder with its results and its checkpoint, below a folder named by all that decides the
search.
"""

import itertools
from collections import deque
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from components.formats.nodes import TUNER
from components.models.cost import multiplications
from components.tools.files import read_json, write_json
from components.tools.progress import Progress
from components.training.checkpoint import FILE_NAME
from components.training.kept_state import KeptState, open_state
from components.training.network import build_model
from components.training.preparation import Prepared, prepare
from components.training.settings import read_settings
from components.tuner.halving import Halving
from components.tuner.leaderboard import Row, failed_row, merit, rank
from components.tuner.options import TunerOptions

ARCHITECTURE = "model.architecture"
OBJECTIVE = "eval_accuracy"


class Ladder(keras_tuner.Oracle):
    """Hands out, as one KerasTuner trial after the other, a candidate and the epochs until which it trains.

    KerasTuner's own Hyperband samples at random, and forgets its place when the process is killed.
    """

    def __init__(self, combinations: list[dict[str, Any]], plan: Halving) -> None:
        space = keras_tuner.HyperParameters()
        for name in combinations[0]:
            space.Choice(name, list(dict.fromkeys(choices[name] for choices in combinations)))
        trials = len(combinations) * (plan.epochs.bit_length() + 1)
        super().__init__(
            objective=keras_tuner.Objective(OBJECTIVE, "max"),
            max_trials=trials,
            hyperparameters=space,
            max_consecutive_failed_trials=trials,  # the leaderboard says what failed
        )
        self.combinations, self.plan = combinations, plan
        self._waiting: deque[tuple[int, int]] = deque()
        self.current = (0, 0)

    def populate_space(self, trial_id: str) -> dict[str, Any]:  # noqa: ARG002
        """Return the next candidate's combination, or the end of the search."""
        if not self._waiting and (rung := self.plan.next_rung()) is not None:
            self._waiting.extend((candidate, rung.epochs) for candidate in rung.candidates)
        if not self._waiting:
            return {"status": "STOPPED"}
        self.current = self._waiting.popleft()
        return {"status": "RUNNING", "values": self.combinations[self.current[0]]}


class ResNetTuner(keras_tuner.engine.base_tuner.BaseTuner):  # type: ignore[name-defined]
    """Trains one trial after the other.

    Args:
        combinations: what is tried.
        prepared: data, devices and the options that all share.
        plan: which of the combinations train for how long.
        state: where results and checkpoints are kept.
    """

    def __init__(self, combinations: list[dict[str, Any]], prepared: Prepared, plan: Halving, state: KeptState) -> None:
        super().__init__(
            oracle=Ladder(combinations, plan), directory=str(state.folder), project_name="keras_tuner", overwrite=True
        )
        self.prepared, self.plan, self.state = prepared, plan, state
        self._rows: dict[int, Row] = {}
        self.progress = Progress(TUNER, len(combinations))

    @property
    def rows(self) -> list[Row]:
        """The leaderboard."""
        rows = {number: Row(**{**row, "dropped": self.plan.dropped.get(number)}) for number, row in self._rows.items()}  # type: ignore[typeddict-item]
        return rank([rows[number] for number in sorted(rows)])

    @property
    def checkpoint(self) -> Path:
        """Where the state of the chosen trial's training lies."""
        return self._trial(self.oracle.combinations.index(self.rows[0]["hyperparameters"])) / FILE_NAME

    def search(self, *arguments: Any, **named: Any) -> None:
        """Run all trials; what an interrupted search has is copied to where it is kept."""
        try:
            super().search(*arguments, **named)
        except BaseException:
            self.state.close()
            raise

    def run_trial(self, trial: Any, **_: Any) -> dict[str, float]:
        """Train one combination further, or take the result that an interrupted search left, and return its score.

        Raises:
            FailedTrialError: the training failed; the row says why, and the search goes on.
        """
        choices = dict(trial.hyperparameters.values)
        candidate, epochs = self.oracle.current
        done = self._trial(candidate) / f"result-{epochs}.json"
        row: Row
        if done.exists():
            row = read_json(done)
        else:
            row = self._train(choices, candidate, epochs)
            if row["error"] is None:  # what failed for lack of memory or a network is tried again by the next search
                done.parent.mkdir(parents=True, exist_ok=True)
                write_json(row, done)
                self.state.keep(done, at_once=True)
        self._rows[candidate] = row
        self.plan.report(candidate, epochs, merit(row))
        text = f"{row['architecture']} eval acc {row['eval_accuracy']:.3f}" if row["error"] is None else "failed"
        print(f"Trial {candidate + 1} {choices} until epoch {epochs}: {row['error'] or text}", flush=True)
        self.progress(len(self._rows), f"{text}, epoch {epochs}")
        if row["eval_accuracy"] is None:
            raise keras_tuner.errors.FailedTrialError(row["error"])
        return {OBJECTIVE: row["eval_accuracy"]}

    def _train(self, choices: dict[str, Any], candidate: int, epochs: int) -> Row:
        settings = self.prepared.settings
        architecture = choices.get(ARCHITECTURE, settings.model.architecture)
        folder = self._trial(candidate)
        try:
            prepared = self.prepared.with_settings(settings.with_choices(choices))
            state = (folder, prepared.fingerprint)
            trained = prepared.training(TUNER).run(checkpoint=state, until=epochs, keep=self.state.keep)
            predicted: NDArray[Any] = np.argmax(prepared.predict_logits(trained.model), axis=1)
        except Exception as error:  # KerasTuner would swallow it
            return failed_row(choices, architecture, epochs, error)
        before = self._rows.get(candidate)
        return Row(
            architecture=architecture,
            parameters=trained.model.count_params(),
            epochs=epochs,
            eval_accuracy=float(accuracy_score(prepared.eval.labels, predicted)),
            eval_macro_f1=float(f1_score(prepared.eval.labels, predicted, average="macro", zero_division=0)),
            seconds=round(trained.seconds + ((before["seconds"] or 0.0) if before else 0.0), 3),
            images_per_second=trained.images_per_second,
            status="completed",
            error=None,
            dropped=None,
            hyperparameters=choices,
            chosen=False,
        )

    def _trial(self, candidate: int) -> Path:
        return self.state.folder / f"trial-{candidate}"


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Prepare the search that the options describe."""
    config = fn_args.custom_config
    options = TunerOptions.model_validate(config["tuner"])
    prepared = prepare(read_settings(config), config["examples_uri"], fn_args.train_files, fn_args.eval_files)
    found = combinations(options)
    counted = [cost(prepared, choices) for choices in found]
    dearest = max((one for one in counted if one is not None), default=1.0)
    costs = [dearest if one is None else one for one in counted]  # what is impossible fails before it costs anything
    plan = Halving(costs, prepared.settings.train.epochs, options.budget, options.epochs)
    fingerprint = prepared.settings.fingerprint(
        prepared.files, config.get("code_version", ""), prepared.precision, options.model_dump_json()
    )
    state = open_state(config.get("checkpoint_dir") or fn_args.working_dir, f"search-{fingerprint}")
    return TunerFnResult(tuner=ResNetTuner(found, prepared, plan, state), fit_kwargs={"verbose": 0})


def cost(prepared: Prepared, choices: dict[str, Any]) -> float | None:
    """Count what an epoch of a combination costs; None where its options are impossible, as its trial will say."""
    image = prepared.settings.image
    try:
        model = prepared.settings.with_choices(choices).model.model_copy(update={"weights": None, "freeze": False})
    except ValueError:
        return None
    return float(multiplications(build_model(model, len(prepared.labels), (image.height, image.width, image.channels))))


def combinations(options: TunerOptions) -> list[dict[str, Any]]:
    """List every combination of the architectures and of the further options to try.

    Raises:
        ValueError: an option has no values.
    """
    space = {ARCHITECTURE: list(options.architectures), **options.search}
    if empty := [name for name, values in space.items() if not values]:
        raise ValueError(f"tuner.search needs at least one value for each option. Received: {empty[0]}=[]")
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
