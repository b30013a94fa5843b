"""What one sees of a training: a line an epoch, coloured on a terminal, compact in a log."""
# ruff: noqa: ARG002 (Keras passes callbacks their arguments by name)

import sys
import time
from typing import Any

import keras

from components.formats.nodes import TRAINER
from components.tools.progress import Progress
from components.training.compile_clock import CompileClock
from components.training.optimization import current_learning_rate
from components.training.stopping import validation_loss


class EpochLog(keras.callbacks.Callback):
    """Completes each epoch's figures (`history`), prints them and passes them on.

    Args:
        epochs: epochs at most.
        images: images of an epoch.
        history: extended in place by {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate",
            "seconds", "images_per_second"}, and "compile_seconds" where they are counted.
        component: name in the progress file.
        clock: counts what compiling takes, which is no part of the training speed; called before this.
    """

    def __init__(
        self,
        epochs: int,
        images: int,
        history: list[dict[str, Any]],
        component: str = TRAINER,
        clock: CompileClock | None = None,
    ) -> None:
        super().__init__()
        self.epochs, self.images, self.history, self.component = epochs, images, history, component
        self.clock = clock
        self._started = self._steps_ended = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time."""
        self._started = self._steps_ended = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the time: validation isn't part of the training speed."""
        self._steps_ended = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Append the epoch to the history and show it."""
        logs = logs or {}
        figures: dict[str, Any] = {"epoch": epoch + 1}
        figures |= {name: _number(logs.get(name)) for name in ("loss", "accuracy", "val_accuracy")}
        figures["val_loss"] = _number(validation_loss(self.model, logs))
        figures["learning_rate"] = current_learning_rate(self.model.optimizer)
        figures["seconds"] = round(time.perf_counter() - self._started, 3)
        figures["images_per_second"] = self._speed()
        if self.clock:
            figures["compile_seconds"] = round(self.clock.seconds, 3)
        self.history.append(figures)
        show(self.component, figures, self.epochs, self._seconds_left())

    def _speed(self) -> float:
        """Return the images a second of the executions that compiled nothing, if there were any."""
        images, seconds = float(self.images), self._steps_ended - self._started
        if self.clock and self.clock.share_of_images < 1.0:
            images *= 1.0 - self.clock.share_of_images
            seconds -= self.clock.training_seconds
        return round(images / max(1e-9, seconds), 1)

    def _seconds_left(self) -> float:
        recent = [row["seconds"] for row in self.history[-5:]]
        return (self.epochs - self.history[-1]["epoch"]) * sum(recent) / len(recent)


def show(component: str, figures: dict[str, Any], total: int, seconds_left: float) -> None:
    """Print an epoch's line and append it to the progress file."""
    text = (
        f"loss {_text(figures['loss'])} acc {_text(figures['accuracy'])} "
        f"val_loss {_text(figures['val_loss'])} val_acc {_text(figures['val_accuracy'])}"
    )
    speed = f"{figures['images_per_second']:.0f} img/s"
    rest = f"lr {figures['learning_rate']:.2g} {speed} {figures['seconds']:.1f} s, {_clock(seconds_left)} left"
    epoch = f"{figures['epoch']:>{len(str(total))}}/{total}"
    if sys.stdout.isatty():
        import rich

        rich.print(f"[bold]epoch {epoch}[/]  [green]{text}[/]  [dim]{rest}[/]")
    else:
        print(f"epoch {epoch} {text} {rest}", flush=True)
    short = f"loss {_text(figures['loss'])} acc {_text(figures['accuracy'])} val_acc {_text(figures['val_accuracy'])}"
    Progress(component, total, worth_a_line=True)(figures["epoch"], f"{short} {speed}")


def _number(value: Any) -> float | None:
    number = float(value) if value is not None else float("nan")
    return number if number - number == 0.0 else None


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
