import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.explanation.flat_map import drawn, flat_map

NAMES = np.array([f"image{number}" for number in range(100)])


def test_all_are_shown_where_there_is_room() -> None:
    assert drawn(NAMES, np.zeros(100, bool), 100).tolist() == list(range(100))


@pytest.mark.parametrize(("mistakes", "shown"), [(10, 10), (30, 20), (80, 20), (95, 35)])
def test_mistakes_have_half_the_room_and_what_others_leave(mistakes: int, shown: int) -> None:
    wrong = np.arange(100) < mistakes

    rows = drawn(NAMES, wrong, 40)

    assert len(rows) == 40
    assert wrong[rows].sum() == shown
    assert rows.tolist() == sorted(rows)


def test_names_decide_not_their_order() -> None:
    order = np.random.default_rng(0).permutation(100)
    wrong = np.arange(100) < 30

    rows, again = drawn(NAMES, wrong, 40), drawn(NAMES[order], wrong[order], 40)

    assert set(NAMES[rows]) == set(NAMES[order][again])


def test_pca_is_that_of_the_singular_vectors() -> None:
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(50, 6)) * [9, 4, 1, 1, 1, 1]).astype(np.float32)
    centred = features - features.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)

    found = flat_map(features, "pca", 0)

    for axis, name in enumerate(("x", "y")):
        expected = left[:, axis] * values[axis]
        sign = np.sign(np.dot(expected, found[name]))
        np.testing.assert_allclose(found[name], sign * expected, atol=1e-3)
    assert found["explained"] == pytest.approx(np.square(values[:2]).sum() / np.square(values).sum(), abs=1e-4)
    assert flat_map(features, "pca", 0) == found


@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (2, 4), (3, 1)])
def test_few_images_have_a_map_too(shape: tuple[int, int]) -> None:
    found = flat_map(np.eye(*shape, dtype=np.float32), "pca", 0)

    assert (len(found["x"]), len(found["y"])) == (shape[0], shape[0])


def test_umap_is_asked_for_cosines_and_the_same_places_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package isn't among the requirements: one that notes what it is asked for stands in for it."""
    asked: dict[str, Any] = {}

    class Reducer:
        def __init__(self, **options: Any) -> None:
            asked.update(options)

        def fit_transform(self, features: NDArray[Any]) -> NDArray[Any]:
            return features[:, :2] * 2

    module = ModuleType("umap")
    module.UMAP = Reducer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", module)

    found = flat_map(np.eye(20, 3, dtype=np.float32), "umap", 7)

    assert (found["method"], found["x"][:2], found["explained"]) == ("umap", [2.0, 0.0], None)
    assert asked == {"n_components": 2, "metric": "cosine", "random_state": 7, "n_jobs": 1}
    assert flat_map(np.eye(5, 3, dtype=np.float32), "umap", 7)["method"] == "pca"
