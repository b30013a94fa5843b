import numpy as np
import pytest
from scipy.special import softmax

from components.training.calibration import fit_temperature, negative_log_likelihood

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0.0, 2.0, (4000, 5))
LABELS = np.array([RNG.choice(5, p=row) for row in softmax(LOGITS, axis=1)])


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_the_temperature_undoes_a_known_overconfidence(factor: float) -> None:
    assert fit_temperature(LOGITS * factor, LABELS) == pytest.approx(factor, rel=0.05)


def test_the_likelihood_never_gets_worse() -> None:
    overconfident = LOGITS * 3.0

    temperature = fit_temperature(overconfident, LABELS)

    assert negative_log_likelihood(overconfident / temperature, LABELS) < negative_log_likelihood(overconfident, LABELS)


def test_labels_do_not_change() -> None:
    temperature = fit_temperature(LOGITS * 3.0, LABELS)

    np.testing.assert_array_equal((LOGITS / temperature).argmax(axis=1), LOGITS.argmax(axis=1))


def test_a_perfect_model_and_no_data_give_a_usable_temperature() -> None:
    perfect = np.eye(3)[[0, 1, 2]] * 10.0

    assert 0.0 < fit_temperature(perfect, np.array([0, 1, 2])) < 10.0
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, int)) == 1.0
