"""What an exported file's answers are compared by, and which images int8 is calibrated on."""

import numpy as np
import pyarrow as pa
import pytest

from components.export.agreement import compare
from components.export.calibration import chosen
from components.export.runtimes import accepted
from components.scoring.predictions import Predictions

# Of ten images, the first eight are right; the last two lie close to the border.
REFERENCE = np.array([[0.9, 0.1]] * 8 + [[0.51, 0.49]] * 2)


def predictions() -> Predictions:
    names = np.array([str(number) for number in range(10)])
    truth = np.array([0] * 8 + [1] * 2)
    return Predictions(REFERENCE, truth, names, names, np.zeros(10, bool))


def test_one_image_that_changes_sides_is_a_tenth_of_ten() -> None:
    own = REFERENCE.astype(np.float32)
    own[9] = (0.47, 0.53)

    found = compare(predictions(), own, None)

    assert found["agreement"] == 0.9
    assert found["accepted_agreement"] is None
    assert found["largest_difference"] == pytest.approx(0.04, abs=1e-6)
    # Nine of ten: Wilson's interval, as calculators on the web have it.
    assert found["accuracy"]["value"] == 0.9
    assert (found["accuracy"]["low"], found["accuracy"]["high"]) == pytest.approx((0.5958, 0.9821), abs=1e-4)


def test_images_that_one_is_sure_of_and_the_other_isnt_are_counted() -> None:
    own = REFERENCE.astype(np.float32)
    own[0] = (0.7, 0.3)

    found = compare(predictions(), own, [0.8, None])

    assert (found["agreement"], found["accepted_agreement"]) == (1.0, 0.9)


def test_an_answer_needs_its_own_classes_threshold() -> None:
    assert accepted(np.array([[0.5, 0.4, 0.1], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]]), [0.5, 0.8, None]).tolist() == [
        True,
        False,
        False,
    ]
    assert accepted(np.array([[0.6, 0.4]]), None).tolist() == [True]


def table(*rows: tuple[str, str, str, int]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(("id", "label", "pixels", "copy"), row, strict=True)) for row in rows])


def test_originals_of_every_class_are_chosen_by_their_pixels_alone() -> None:
    rows = [(f"many-{number}", "many", f"{number}", 0) for number in range(9)]
    rows += [("few", "few", "z", 0), ("copy", "few", "a", 1)]

    found = chosen(table(*rows), 3)

    assert found == ["few", "many-0", "many-1"]
    assert chosen(table(*reversed(rows)), 3) == found
