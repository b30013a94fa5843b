import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.training.options import TrackingOptions, WandbOptions
from components.training.trackers import TensorBoardTracker, TrackEpochs, Tracker, check_wandb, make_trackers

LABELS = ["happy", "sad"]
MATRIX = np.array([[5, 1], [2, 4]])
METRICS = {"loss": 0.5, "val_accuracy": 0.75, "learning_rate": 0.001}


def log_a_training(tracker: Tracker) -> None:
    tracker.epoch(1, METRICS)
    tracker.epoch(2, METRICS | {"loss": 0.25})
    tracker.confusion(LABELS, MATRIX)
    tracker.finish({"best_epoch": 2}, "/models/7")


def tensorboard_events(folder: Path) -> dict[str, Any]:
    """Return the last value of each tag."""
    values: dict[str, Any] = {}
    for file in folder.rglob("*tfevents*"):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                values[value.tag] = tf.make_ndarray(value.tensor)
    return values


def test_tensorboard_gets_metrics_config_confusion_matrix_and_model(tmp_path: Path) -> None:
    log_a_training(TensorBoardTracker(str(tmp_path), {"train.epochs": 2}))

    events = tensorboard_events(tmp_path)

    assert float(events["epoch_loss"]) == 0.25
    assert float(events["evaluation_accuracy"]) == 0.75
    assert b"train.epochs" in events["config"].item()
    assert b"| happy | 5 | 1 |" in events["confusion_matrix"].item()
    assert events["model"].item() == b"/models/7"


def test_no_tracker_is_given_a_password(tmp_path: Path) -> None:
    config = {"model.weights": "https://me:hunter2@host/w.keras", "train.epochs": 2}
    for tracker in make_trackers(TrackingOptions(), str(tmp_path), config):
        tracker.finish({}, "/models/7")

    [written] = [file.read_bytes() for file in tmp_path.rglob("*tfevents*")]
    assert b"https://***@host/w.keras" in written
    assert b"hunter2" not in written


def wandb_records(folder: Path) -> list[Any]:
    """Parse the run file: blocks of 32 KiB with records of (checksum, length, type, protobuf), as LevelDB's log."""
    from wandb.proto import wandb_internal_pb2

    (file,) = folder.rglob("*.wandb")
    data, position, block, pending, records = file.read_bytes(), 7, 1 << 15, b"", []
    while position + 7 <= len(data):
        if block - position % block < 7:
            position += block - position % block
            continue
        length = int.from_bytes(data[position + 4 : position + 6], "little")
        kind = data[position + 6]
        pending += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = wandb_internal_pb2.Record()
            record.ParseFromString(pending)
            records.append(record)
            pending = b""
    return records


def item_values(records: list[Any], kind: str, field: str) -> dict[str, Any]:
    values = {}
    for record in records:
        if record.WhichOneof("record_type") == kind:
            for item in getattr(getattr(record, kind), field):
                values[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
    return values


def test_an_offline_run_of_weights_and_biases_can_be_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    options = TrackingOptions(tensorboard=False, wandb=WandbOptions(enabled=True, project="affect", name="first"))

    (tracker,) = make_trackers(options, str(tmp_path), {"train.epochs": 2})
    log_a_training(tracker)

    records = wandb_records(tmp_path)
    deadline = time.monotonic() + 120.0
    while not any(record.WhichOneof("record_type") == "exit" for record in records) and time.monotonic() < deadline:
        time.sleep(0.2)  # a service process writes the file
        records = wandb_records(tmp_path)
    run = next(record.run for record in records if record.WhichOneof("record_type") == "run")
    assert (run.project, run.display_name) == ("affect", "first")
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    config |= item_values(records, "config", "update")
    assert config["train.epochs"] == 2
    history = item_values(records, "history", "item")
    assert (history["loss"], history["learning_rate"], history["epoch"]) == (0.25, 0.001, 2)
    assert history["confusion_matrix/nrows"] == 4
    summary = item_values(records, "summary", "update")
    assert (summary["model"], summary["best_epoch"]) == ("/models/7", 2)


def test_online_without_a_key_is_an_error_before_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(RuntimeError, match=r"needs a key for api\.wandb\.ai: set WANDB_API_KEY.*WANDB_MODE=offline"):
        check_wandb()


def test_a_key_in_the_environment_or_in_netrc_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_API_KEY", "k")
    check_wandb()

    monkeypatch.delenv("WANDB_API_KEY")
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org:8443/")
    (tmp_path / ".netrc").write_text("machine wandb.example.org login user password k\n")
    (tmp_path / ".netrc").chmod(0o600)
    check_wandb()


def test_none_one_or_several_trackers_can_be_on(tmp_path: Path) -> None:
    assert make_trackers(TrackingOptions(tensorboard=False), str(tmp_path), {}) == []
    assert [type(t) for t in make_trackers(TrackingOptions(), str(tmp_path), {})] == [TensorBoardTracker]


def test_each_epoch_reaches_every_tracker_without_missing_figures() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.seen: list[tuple[int, dict[str, float]]] = []

        def epoch(self, number: int, metrics: Any) -> None:
            self.seen.append((number, dict(metrics)))

        def confusion(self, labels: Any, matrix: Any) -> None: ...

        def finish(self, summary: Any, model: str) -> None: ...

        def fail(self) -> None: ...

    recorders = [Recorder(), Recorder()]

    TrackEpochs(recorders, [{"epoch": 3, "loss": 0.5, "val_loss": None, "seconds": 9.0}]).on_epoch_end(2)

    assert [recorder.seen for recorder in recorders] == [[(3, {"loss": 0.5})]] * 2
