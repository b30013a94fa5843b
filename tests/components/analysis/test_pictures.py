"""Small pictures of what the report shows, out of a data set of drawn images."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.analysis.analyse import analyse
from components.analysis.pictures import make_pictures
from components.formats.dataset import ImageRow, shard_name, write_shard
from components.images.codec import decode, encode
from components.scoring.predictions import Predictions

LABELS = ["a", "b", "c"]
# True class, predicted class, and how many images of each.
CELLS = {(0, 0): 5, (0, 1): 6, (1, 0): 1, (2, 2): 5}


def image(name: str, label: str, split: str, source: str = "", copy: int = 0, side: int = 200) -> ImageRow:
    data = encode(np.full((side, side // 2, 3), 99, np.uint8), "jpeg")
    place = (side, side // 2, 3, "s", name, None, 99.0, name)
    return ImageRow(name, label, split, data, "jpeg", *place, source or name, copy, name)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    train = [image(f"{label}{n}", label, "train") for label in "ab" for n in range(3)]
    train += [image(f"a0_aug{n}", "a", "train", "a0", n) for n in range(1, 9)]
    train += [image(f"b2_aug{n}", "b", "train", "b2", n) for n in range(1, 3)]
    test = [image(name, LABELS[true], "test") for (true, _), name in cells()]
    for split, rows in (("train", train), ("eval", []), ("test", test)):
        write_shard(rows, tmp_path / shard_name(split, 0, 1))
    return tmp_path


def cells() -> list[tuple[tuple[int, int], str]]:
    return [(cell, f"{cell[0]}-{cell[1]}-{number}") for cell, count in CELLS.items() for number in range(count)]


def predictions() -> Predictions:
    """The later an image of its cell, the surer the model."""
    rows = []
    for (_, predicted), name in cells():
        sure = 0.6 + 0.05 * int(name[-1])
        rows.append([sure if place == predicted else (1 - sure) / 2 for place in range(3)])
    names = np.array([name for _, name in cells()])
    labels = np.array([true for (true, _), _ in cells()])
    return Predictions(np.array(rows), labels, names, names, np.zeros(len(names), bool))


@pytest.fixture
def pictures(dataset: Path) -> dict[str, Any]:
    found = analyse({"eval": predictions(), "test": predictions()}, LABELS, None, 0, 0)
    return make_pictures(dataset, found, predictions())


def test_each_confusion_has_the_surest_of_its_mistakes(pictures: dict[str, Any]) -> None:
    assert pictures["confusions"] == [
        {"true": 0, "predicted": 1, "images": ["0-1-5", "0-1-4", "0-1-3", "0-1-2"]},
        {"true": 1, "predicted": 0, "images": ["1-0-0"]},
    ]


def test_originals_stand_beside_copies_the_classes_in_turn(pictures: dict[str, Any]) -> None:
    assert pictures["copies"] == [
        {"source": "a0", "label": "a", "copies": [f"a0_aug{n}" for n in range(1, 7)]},
        {"source": "b2", "label": "b", "copies": ["b2_aug1", "b2_aug2"]},
    ]


def test_whatever_is_named_has_a_small_picture_and_nothing_else_has(pictures: dict[str, Any]) -> None:
    mistakes = {name for (true, predicted), name in cells() if true != predicted}
    sheet = {name for row in pictures["copies"] for name in (row["source"], *row["copies"])}

    assert pictures["mistakes"] == len(mistakes)
    assert mistakes | sheet <= pictures["thumbnails"].keys()
    assert not {name for name in pictures["thumbnails"] if name.startswith("2-2")}
    for uri in pictures["thumbnails"].values():
        kind, _, text = uri.partition(",")
        assert kind == "data:image/jpeg;base64"
        assert decode(base64.b64decode(text)).pixels.shape == (96, 48, 3)


def test_at_most_24_mistakes_and_as_many_suspects_as_asked_for_are_shown(dataset: Path) -> None:
    rows = [{"filename": f"0-1-{number}"} for number in range(30)]

    found = make_pictures(
        dataset, {"test": {"mistakes": rows}, "suspects": rows[:25], "about_suspects": {"shown": 20}}, predictions()
    )

    assert (found["mistakes"], found["suspects"]) == (24, 20)
