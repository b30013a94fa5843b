import json
from pathlib import Path

import pytest

from components.training.epoch_log import show

FIGURES = {
    "epoch": 3,
    "loss": 0.512,
    "accuracy": 0.83,
    "val_loss": None,
    "val_accuracy": 0.8,
    "learning_rate": 0.002,
    "seconds": 6.1,
    "images_per_second": 312.4,
}


def test_an_epoch_is_one_compact_line_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    show("Trainer", FIGURES, 30, 165.0)

    assert capsys.readouterr().out == (
        "epoch  3/30 loss 0.512 acc 0.830 val_loss – val_acc 0.800 lr 0.002 312 img/s 6.1 s, 2:45 left\n"
    )


def test_an_epoch_is_a_line_of_json_in_the_progress_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_PROGRESS", str(tmp_path / "progress"))

    show("Trainer", FIGURES, 30, 165.0)

    assert json.loads((tmp_path / "progress").read_text()) == {
        "component": "Trainer",
        "step": 3,
        "total": 30,
        "text": "loss 0.512 acc 0.830 val_acc 0.800 312 img/s",
        "worth_a_line": True,
    }
