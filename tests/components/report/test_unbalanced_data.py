"""What the report says of classes of few images: copies of an original, what a bound leaves out, what the loss does."""

from pathlib import Path
from typing import Any

import pytest
from report_artifacts import LABELS, facts, make_artifacts

from components.formats.documents import SUMMARY, TRAINING
from components.report.content import gather
from components.report.render import render
from components.tools.files import write_json


@pytest.fixture(scope="module")
def uris(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_artifacts(tmp_path_factory.mktemp("artifacts"))


def page(uris: dict[str, Path], summary: dict[str, Any] | None = None, training: dict[str, Any] | None = None) -> str:
    """The page of the made-up run with some things changed, in lines without runs of blanks."""
    before = SUMMARY.read(uris["summary"]), TRAINING.read(uris["model_run"])
    write_json(before[0] | (summary or {}), uris["summary"] / SUMMARY.name)
    write_json(before[1] | (training or {}), uris["model_run"] / TRAINING.name)
    try:
        return " ".join(render(gather(uris, {"seed": 0}, {}, facts())).split())
    finally:
        write_json(before[0], uris["summary"] / SUMMARY.name)
        write_json(before[1], uris["model_run"] / TRAINING.name)


def counts(copies: int, missing: int = 0) -> dict[str, Any]:
    rare = {"originals": 3, "copies": copies, "planned": 3 + copies, "missing": missing}
    others = {label: {"originals": 100, "copies": 50, "planned": 150, "missing": 0} for label in LABELS[1:]}
    judged = {label: {"originals": 9, "copies": 0, "planned": 9, "missing": 0} for label in LABELS}
    return {"train": {LABELS[0]: rare, **others}, "eval": judged, "test": judged}


def test_copies_of_an_original_are_shown_by_class_the_most_first(uris: dict[str, Path]) -> None:
    html = page(uris, {"counts": counts(90, missing=700), "max_copies_per_image": 30})

    assert "30.0 at most" in html
    assert html.index('<th scope="row">anger</th><td>train</td><td>3</td><td>90</td><td>30.0</td><td>700</td>') < (
        html.index('<th scope="row">happy</th><td>train</td><td>100</td><td>50</td><td>0.5</td><td>–</td>')
    )
    assert "More than 20 copies of an original add little to learn from: anger in train 30.0 of each of 3. Set " in html
    assert "an image has 30 copies at most: anger in train 93 of 793 images. train.imbalance makes up for" in html


def test_a_bound_that_is_kept_is_no_warning(uris: dict[str, Path]) -> None:
    html = page(uris, {"counts": counts(60), "max_copies_per_image": 20})

    assert "20.0 at most" in html
    assert "More than 20" not in html


def test_what_the_loss_does_is_said_with_its_extremes(uris: dict[str, Path]) -> None:
    offsets = dict(zip(LABELS, [-6.5, -0.5, -2.0, -3.0], strict=True))
    weights = dict(zip(LABELS, [12.0, 0.21, 1.0, 1.0], strict=True))

    adjusted = page(uris, training={"imbalance": {"method": "logit_adjustment", "offsets": offsets}})
    weighed = page(uris, training={"imbalance": {"method": "effective", "weights": weights}})

    assert "in training the logit of anger is lowered by 6.0 relative to that of happy" in adjusted
    assert "an image of happy counts 0.21, one of anger 12." in weighed
    assert "train.imbalance" not in page(uris, training={"imbalance": None})
