"""Predictions that are read to be compared: those that can't be are refused, rather than found to be like test's."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from components.formats.drift_reference import About
from components.formats.served_predictions import write_served
from pipeline.drift.served import Grouping, read_predictions

LABELS = ["cat", "dog"]
ABOUT = About(LABELS, "0123", 40, 32, 32, None, "name")
COUNT = 30


def written(folder: Path, **changed: Any) -> Path:
    numbers = dict.fromkeys(("score", "brightness", "sharpness"), [0.5] * COUNT)
    columns = {
        "id": [f"{number}.png" for number in range(COUNT)],
        "label": ["dog"] * COUNT,
        "probabilities": [[0.5, 0.5]] * COUNT,
        "accepted": [True] * COUNT,
        "embedding": [[1.0, 2.0]] * COUNT,
        "width": [32] * COUNT,
        "height": [32] * COUNT,
        **numbers,
    }
    path = folder / "predictions.parquet"
    write_served(columns | changed, path, LABELS, "0123")
    return path


def read(path: Path) -> Any:
    return read_predictions(path, ABOUT, Grouping(None, "name"), 20, 0)


def test_as_many_as_asked_for_are_drawn(tmp_path: Path) -> None:
    served = read(written(tmp_path))

    assert (served.images, len(served.sample.ids), served.sample.embeddings.shape) == (COUNT, 20, (20, 2))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"score": [np.nan] * COUNT}, "score isn't a finite number in each row"),
        ({"brightness": [*[1.0] * 29, np.nan]}, "brightness isn't a finite number in each row"),
        ({"sharpness": [np.inf] * COUNT}, "sharpness isn't a finite number in each row"),
        ({"label": [*["dog"] * 29, "zebra"]}, "zebra is no class of the model"),
        ({"embedding": [[np.nan, 1.0]] * COUNT}, "embedding isn't as many finite numbers in each row"),
        ({"embedding": [*[[1.0, 2.0]] * 29, [1.0]]}, "embedding isn't as many finite numbers in each row"),
    ],
)
def test_what_lies_nowhere_is_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    path = written(tmp_path, **changed)

    with pytest.raises(ValueError, match=f"{path} is damaged, or none of ours: {message}"):
        read_predictions(path, ABOUT, Grouping(None, "name"), COUNT, 0)


def test_a_file_without_a_column_or_with_damaged_pages_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    pq.write_table(pq.read_table(path).drop(["brightness"]), path)
    with pytest.raises(ValueError, match=rf"{path} has no column brightness"):
        read(path)

    path.write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])
    with pytest.raises(ValueError, match=rf"{path} is no Parquet file, or a damaged one"):
        read(path)


def test_a_model_of_other_classes_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="by a model of other classes"):
        read_predictions(written(tmp_path), ABOUT._replace(labels=["a"]), Grouping(None, "name"), 20, 0)
