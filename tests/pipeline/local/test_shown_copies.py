import io
from typing import Any

from rich.console import Console

from pipeline.local.copies import show_copies


def shown(summary: dict[str, Any]) -> list[str]:
    stream = io.StringIO()
    show_copies(Console(file=stream), summary)
    return stream.getvalue().splitlines()


def counts(copies: int, missing: int) -> dict[str, Any]:
    many = {"originals": 2000, "copies": 0, "planned": 2000, "missing": 0}
    few = {"originals": 3, "copies": copies, "planned": 3 + copies, "missing": missing}
    return {"train": {"few": few, "many": many}, "eval": {"few": few | {"copies": 0, "missing": 0}, "many": many}}


def test_a_run_shows_copies_per_original_and_what_the_bound_leaves_out() -> None:
    assert shown({"counts": counts(60, 1937), "max_copies_per_image": 20}) == [
        "Copies per original in train: few 20.0.",
        "Filled up no further, since an image has 20 copies at most: few in train 63 of 2,000 images. "
        "train.imbalance makes up for the rest, unless it is none.",
    ]


def test_a_run_warns_of_many_copies() -> None:
    assert shown({"counts": counts(1997, 0), "max_copies_per_image": None}) == [
        "Copies per original in train: few 665.7.",
        "Warning: More than 20 copies of an original add little to learn from: few in train 665.7 of each of 3. "
        "Set balance.max_copies_per_image, and leave the rest to train.imbalance.",
    ]


def test_a_run_without_copies_says_nothing() -> None:
    assert shown({"counts": counts(0, 0), "max_copies_per_image": 20}) == []
