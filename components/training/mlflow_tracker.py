"""Logs a training to MLflow: options, the figures of each epoch, the confusion matrix, and where the model is."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from components.formats.documents import MLFLOW
from components.training.mlflow_run import MlflowRun, address
from components.training.options import MlflowOptions

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "images_per_second")  # of an epoch
_EVERY_EPOCH = "loss"
_MOST = 100  # epochs a message, of which a server takes 1,000 figures

Epoch = tuple[int, Mapping[str, float]]


class MlflowTracker:
    """Goes on with the run of an interrupted training; what a server has missed is sent with what follows.

    Args:
        options: where, and under which names.
        config: the options of the training.
        run_id: of a run that goes on.
        part: see `MlflowRun`.
        folder: gets `mlflow.json` when the training is finished, for those who add to the run; None for none.
        remember: called with the run's id, once it is known.
        mark: see `MlflowRun`.

    Raises:
        RuntimeError: nothing names a server.
    """

    def __init__(
        self,
        options: MlflowOptions,
        config: Mapping[str, Any],
        run_id: str | None = None,
        part: str | None = None,
        folder: Path | None = None,
        remember: Callable[[str], None] = lambda _: None,
        mark: str | None = None,
    ) -> None:
        address(options)
        self.run = MlflowRun(options, run_id, part, mark)
        self._config = {key: str(value) for key, value in config.items()}
        self._folder, self._remember = folder, remember
        self._due: list[Epoch] = []
        self._begun = self._described = self._runs = False
        self._logged = 0

    def epoch(self, number: int, metrics: Mapping[str, float]) -> None:
        """Log the figures under the epoch's number, unless the run has them."""
        self.catch_up([(number, metrics)])

    def catch_up(self, epochs: Sequence[Epoch]) -> None:
        """Log the figures of several epochs, likewise."""
        self._due += epochs
        if not self._begun:
            self._begun = self.run.send(self._begin)
        if self._begun and not self._described:
            self._described = self.run.send(self._describe)
        while self._begun and self._due:
            part = [(number, metrics) for number, metrics in self._due[:_MOST] if number > self._logged]
            if part and not self.run.send(partial(self._log, epochs=part)):
                return
            del self._due[:_MOST]

    def confusion(self, labels: Sequence[str], matrix: NDArray[Any]) -> None:
        """Log the matrix as `confusion_matrix.json`."""
        found = {"labels": list(labels), "rows_are_actual": matrix.tolist()}
        self.run.send(lambda client, run_id: client.log_dict(run_id, found, "confusion_matrix.json"))

    def finish(self, summary: Mapping[str, Any], model: str) -> None:
        """Log the final figures and where the model is, and end the run."""
        self.catch_up([])

        def end(client: Any, run_id: str) -> None:
            for name, value in summary.items():
                client.log_metric(run_id, name, value)
            client.set_tag(run_id, "model", model)
            client.set_terminated(run_id, "FINISHED")

        self.run.send(end)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            MLFLOW.write({"run_id": self.run.run_id, "parameters": self._config}, self._folder)

    def fail(self) -> None:
        """End the run of a training that has ended without a model; it goes on if the training does."""
        if self.run.run_id is not None:
            self.run.send(lambda client, run_id: client.set_terminated(run_id, "FAILED"))

    def _begin(self, client: Any, run_id: str) -> None:
        self._logged = max((one.step for one in client.get_metric_history(run_id, _EVERY_EPOCH)), default=0)
        self._remember(run_id)

    def _describe(self, client: Any, run_id: str) -> None:
        from mlflow.entities import Param

        client.log_batch(run_id, params=[Param(key, value) for key, value in self._config.items()])

    def _log(self, client: Any, run_id: str, epochs: Sequence[Epoch]) -> None:
        from mlflow.entities import Metric

        if not self._runs:  # it may have ended before, as one that failed
            client.update_run(run_id, status="RUNNING")
            self._runs = True
        now = int(1000 * time.time())
        client.log_batch(
            run_id,
            metrics=[
                Metric(name, float(value), now, number)
                for number, metrics in epochs
                for name, value in metrics.items()
                if math.isfinite(value)
            ],
        )
