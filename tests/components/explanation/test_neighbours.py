import numpy as np

from components.explanation.embeddings import unit_rows
from components.explanation.neighbours import nearest


def test_neighbours_are_those_of_all_cosines() -> None:
    rng = np.random.default_rng(0)
    searched, images = (unit_rows(rng.normal(size=(count, 8)).astype(np.float32)) for count in (200, 9))
    cosines = images @ searched.T

    found = nearest(searched, images, 4)

    order = np.argsort(-cosines, axis=1)[:, :4]
    np.testing.assert_array_equal(found.places, order)
    np.testing.assert_allclose(found.similarities, np.take_along_axis(cosines, order, axis=1), atol=1e-5)


def test_there_are_no_more_than_there_are() -> None:
    one = np.ones((1, 1), np.float32)

    assert nearest(one, one, 3).places.tolist() == [[0]]
    assert nearest(one[:0], one, 3).places.shape == (1, 0)
    assert nearest(one, one[:0], 3).places.shape == (0, 0)


def test_features_without_a_direction_stay_zero() -> None:
    found = unit_rows(np.array([[0.0, 0.0], [3.0, 4.0]], np.float32))

    np.testing.assert_allclose(found, [[0.0, 0.0], [0.6, 0.8]], rtol=1e-6)
