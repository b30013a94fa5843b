"""Where a training is logged: TensorBoard, Weights & Biases, MLflow or nowhere, behind one small interface."""

import netrc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import keras
import tensorflow as tf
from numpy.typing import NDArray

from components.formats.documents import MLFLOW
from components.tools.passwords import masked
from components.training.kept_state import KeptState
from components.training.mlflow_tracker import METRICS, MlflowTracker
from components.training.options import MlflowOptions, TrackingOptions, WandbOptions


class Tracker(Protocol):
    """Takes a training's figures as they come."""

    def epoch(self, number: int, metrics: Mapping[str, float]) -> None:
        """Log the figures of an epoch."""

    def confusion(self, labels: Sequence[str], matrix: NDArray[Any]) -> None:
        """Log the confusion matrix of the eval split: rows are the actual classes, columns the predicted ones."""

    def finish(self, summary: Mapping[str, Any], model: str) -> None:
        """Log the final figures and where the model is, and close."""

    def fail(self) -> None:
        """Close after a training that failed or was interrupted."""


class TensorBoardTracker:
    """Writes event files into a folder."""

    def __init__(self, folder: str, config: Mapping[str, Any]) -> None:
        self._writer = tf.summary.create_file_writer(folder)
        with self._writer.as_default(step=0):
            tf.summary.text("config", "\n".join(f"- {key}: `{value}`" for key, value in config.items()))

    def epoch(self, number: int, metrics: Mapping[str, float]) -> None:
        """Write scalars; validation's under the same tag names that Keras uses."""
        with self._writer.as_default(step=number):
            for name, value in metrics.items():
                prefix = "evaluation" if name.startswith("val_") else "epoch"
                tf.summary.scalar(f"{prefix}_{name.removeprefix('val_')}", value)
        self._writer.flush()

    def confusion(self, labels: Sequence[str], matrix: NDArray[Any]) -> None:
        """Write the matrix as a table."""
        head = "| actual \\ predicted | " + " | ".join(labels) + " |\n|" + "---|" * (len(labels) + 1)
        rows = [f"| {label} | " + " | ".join(map(str, row)) + " |" for label, row in zip(labels, matrix, strict=True)]
        with self._writer.as_default(step=0):
            tf.summary.text("confusion_matrix", "\n".join([head, *rows]))

    def finish(self, summary: Mapping[str, Any], model: str) -> None:
        """Write where the model is, and close the file."""
        with self._writer.as_default(step=0):
            tf.summary.text("summary", "\n".join(f"- {key}: {value}" for key, value in summary.items()))
            tf.summary.text("model", model)
        self._writer.close()

    def fail(self) -> None:
        """Close the file."""
        self._writer.close()


class WandbTracker:
    """Logs a run of Weights & Biases, or writes one to disk with WANDB_MODE=offline."""

    def __init__(self, options: WandbOptions, folder: str, config: Mapping[str, Any]) -> None:
        check_wandb()
        import wandb

        # Runs are written to the local disk; the model_run artifact may be elsewhere.
        self._run = wandb.init(
            project=options.project,
            entity=options.entity,
            name=options.name,
            config=dict(config),
            dir=folder if "://" not in folder else None,
        )

    def epoch(self, number: int, metrics: Mapping[str, float]) -> None:
        """Log the figures under the epoch's number."""
        self._run.log({"epoch": number, **metrics}, step=number)

    def confusion(self, labels: Sequence[str], matrix: NDArray[Any]) -> None:
        """Log the matrix as a table of actual class, predicted class, count."""
        import wandb

        rows = [
            [actual, predicted, int(matrix[i, j])]
            for i, actual in enumerate(labels)
            for j, predicted in enumerate(labels)
        ]
        self._run.log({"confusion_matrix": wandb.Table(columns=["actual", "predicted", "count"], data=rows)})

    def finish(self, summary: Mapping[str, Any], model: str) -> None:
        """Log the final figures and a reference to the model, and close the run."""
        self._run.summary.update({**summary, "model": model})
        self._run.finish()

    def fail(self) -> None:
        """Close the run as one that failed."""
        self._run.finish(exit_code=1)


def check_wandb() -> None:
    """Find out before training whether Weights & Biases can be logged to.

    Raises:
        RuntimeError: the package or the key is missing.
    """
    try:
        import wandb  # noqa: F401
    except ImportError as error:
        raise RuntimeError("tracking.wandb.enabled needs the package wandb: pip install wandb") from error
    if os.environ.get("WANDB_MODE", "online") != "online":
        return
    host = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai").partition("://")[2].partition("/")[0]
    try:
        known = netrc.netrc().authenticators(host.partition(":")[0])
    except (OSError, netrc.NetrcParseError):
        known = None
    if not os.environ.get("WANDB_API_KEY") and known is None:
        raise RuntimeError(
            f"tracking.wandb.enabled needs a key for {host}: set WANDB_API_KEY, run `wandb login`, or set "
            "WANDB_MODE=offline to write the run to disk."
        )


def make_trackers(
    options: TrackingOptions,
    folder: str,
    config: Mapping[str, Any],
    part: str | None = None,
    state: KeptState | None = None,
) -> list[Tracker]:
    """Return the trackers that are switched on; none is fine.

    Args:
        options: which.
        folder: of the training's figures.
        config: the options of the training.
        part: which of several trainings of the same model, such as `fold 1`; None for the one that is pushed.
        state: where an interrupted training is kept, and with it the run that it is logged to; None for none.

    Raises:
        RuntimeError: one can't be logged to as it is configured.
    """
    config = {key: masked(value) if isinstance(value, str) else value for key, value in config.items()}
    trackers: list[Tracker] = []
    if options.wandb.enabled:
        trackers.append(WandbTracker(options.wandb, folder, config))
    if options.tensorboard:
        trackers.append(TensorBoardTracker(f"{folder}/tensorboard", config))
    if options.mlflow.enabled:
        trackers.append(_mlflow(options.mlflow, config, folder, part, state))
    return trackers


def _mlflow(
    options: MlflowOptions, config: Mapping[str, Any], folder: str, part: str | None, state: KeptState | None
) -> MlflowTracker:
    known = MLFLOW.read(state.folder)["run_id"] if state is not None and MLFLOW.exists(state.folder) else None

    def remember(run_id: str) -> None:
        if state is not None:
            state.folder.mkdir(parents=True, exist_ok=True)
            MLFLOW.write({"run_id": run_id}, state.folder)
            state.keep(state.folder / MLFLOW.name, at_once=True)

    return MlflowTracker(options, config, known, part, Path(folder), remember)


@contextmanager
def told_of_failure(trackers: Sequence[Tracker]) -> Iterator[None]:
    """Close the trackers if the block ends early, by whatever."""
    try:
        yield
    except BaseException:
        for tracker in trackers:
            with suppress(Exception):  # what the training ended with is what counts
                tracker.fail()
        raise


class TrackEpochs(keras.callbacks.Callback):
    """Hands each row of `history` to the trackers once: also those of an interrupted training, logged elsewhere."""

    def __init__(self, trackers: Sequence[Tracker], history: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self._trackers, self._history, self._tracked = trackers, history, 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Pass on what an interrupted training left."""
        self._track()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Pass the epoch on."""
        self._track()

    def _track(self) -> None:
        for figures in self._history[self._tracked :]:
            metrics = {name: figures[name] for name in METRICS if figures.get(name) is not None}
            for tracker in self._trackers:
                tracker.epoch(figures["epoch"], metrics)
        self._tracked = len(self._history)
