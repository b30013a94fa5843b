"""What the report says of folds and of an averaged model, and that it does without."""

from pathlib import Path
from typing import Any

import pytest
from report_artifacts import facts, make_artifacts

from components.report.content import gather
from components.report.render import render
from components.tools.files import read_json, write_json

FOLD = {"images": 1234, "accuracy": 0.9, "macro_f1": 0.8, "train_images": 4321, "eval_images": 600, "epochs_run": 20}
FITTED = {
    "folds": [{**FOLD, "fold": fold, "best_epoch": 10 + fold, "temperature": 1.1, "seconds": 60.0} for fold in (1, 2)],
    "images": 2468,
    "accuracy": {"mean": 0.9, "spread": 0.012},
    "macro_f1": {"mean": 0.8, "spread": 0.034},
    "text": "Over 2 folds of train and eval <and> more.",
}
GRAPH = {"Trainer": [], "Trainer.fold-1": [], "Trainer.fold-2": [], "CrossFit": ["Trainer.fold-1", "Trainer.fold-2"]}


def page(folder: Path, **more: Any) -> str:
    uris = make_artifacts(folder)
    path = uris["analysis"] / "analysis.json"
    write_json({**read_json(path), **more}, path)
    return render(gather(uris, {"seed": 0}, GRAPH, facts()))


def test_it_shows_each_fold_and_what_they_have_in_common(tmp_path: Path) -> None:
    text = page(tmp_path, cross_fit=FITTED, ensemble=None)

    assert "Over 2 folds of train and eval &lt;and&gt; more." in text
    assert '<th scope="row">2</th><td>1,234</td><td>0.900</td><td>0.800</td><td>4,321</td><td>12 of 20</td>' in text
    assert "0.900 ± 0.012" in text
    assert 'href="#node-Trainer.fold-2"' in text
    assert 'id="node-Trainer.fold-2"' in text


def test_an_averaged_model_is_called_one_and_has_no_temperature_of_its_own(tmp_path: Path) -> None:
    text = page(tmp_path, cross_fit=FITTED, ensemble={"members": 2, "parameters": 22_000_002, "temperature": None})

    assert "2 × resnet18" in text
    assert "22,000,002 parameters" in text
    assert "is the mean of these 2" in text


@pytest.mark.parametrize("more", [{}, {"cross_fit": None, "ensemble": None}])
def test_without_folds_it_says_nothing_of_them(tmp_path: Path, more: dict[str, Any]) -> None:
    text = page(tmp_path, **more)

    assert "Cross-fitting" not in text
    assert "× resnet18" not in text
