import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from components.simple_baselines.linear_model import Labelled, fit_linear_model


def images(classes: int, count: int, seed: int = 0, spread: float = 1.0) -> Labelled:
    """Clouds around a corner each; the last feature never varies."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    features = np.eye(classes, 12)[labels] * 4 + rng.normal(scale=spread, size=(count, 12))
    features[:, -1] = 0.5
    return Labelled(features.astype(np.float32), labels.astype(np.int64), np.ones(count))


NONE = images(1, 0)


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_it_is_scikit_learns_regression_on_standardised_features(classes: int) -> None:
    train, test = images(classes, 200), images(classes, 80, seed=1)

    model = fit_linear_model(train, NONE, classes)

    mean, scale = train.features.mean(axis=0), np.maximum(train.features.std(axis=0), 1e-9)
    scale[-1] = 1
    regression = LogisticRegression(C=1 / (0.1 * 200), tol=1e-8, max_iter=5000)
    regression.fit((train.features - mean) / scale, train.labels)
    expected = regression.predict_proba((test.features - mean) / scale)
    found = model.probabilities(test.features)
    np.testing.assert_allclose(found, expected, atol=5e-3)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert (model.penalty, model.eval_accuracy) == (0.1, None)


def test_eval_chooses_the_penalty() -> None:
    train, tried = images(3, 60, spread=3.0), images(3, 300, seed=1, spread=3.0)
    accuracies = {}
    for penalty in (0.3, 0.1, 0.03):
        mean, scale = train.features.mean(axis=0), train.features.std(axis=0)
        scale[-1] = 1
        regression = LogisticRegression(C=1 / (penalty * 60), tol=1e-8, max_iter=5000)
        regression.fit((train.features - mean) / scale, train.labels)
        accuracies[penalty] = regression.score((tried.features - mean) / scale, tried.labels)

    model = fit_linear_model(train, tried, 3)

    assert len(set(accuracies.values())) > 1
    assert model.penalty == max(accuracies, key=lambda penalty: (accuracies[penalty], penalty))
    assert model.eval_accuracy == pytest.approx(max(accuracies.values()))


@pytest.mark.parametrize("tried", [NONE, images(4, 40, seed=1)])
def test_a_class_without_images_is_never_predicted(tried: Labelled) -> None:
    everything = images(4, 80)
    kept = np.isin(everything.labels, (1, 3))
    train = Labelled(everything.features[kept], everything.labels[kept], everything.weights[kept])

    found = fit_linear_model(train, tried, 4).probabilities(everything.features)

    assert not found[:, [0, 2]].any()
    assert (found[kept].argmax(axis=1) == train.labels).all()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_class_alone_is_always_predicted(count: int) -> None:
    train = Labelled(images(3, count).features, np.full(count, 2), np.ones(count))

    found = fit_linear_model(train, images(3, 9), 3).probabilities(images(3, 9).features)

    assert found.tolist() == [[0.0, 0.0, 1.0]] * 9


def test_two_images_are_enough_for_two_classes() -> None:
    train = images(2, 2)

    found = fit_linear_model(train, NONE, 2).probabilities(train.features)

    assert found.argmax(axis=1).tolist() == [0, 1]


def test_features_that_never_vary_tell_nothing() -> None:
    train = Labelled(np.zeros((10, 12), np.float32), np.array([0] * 7 + [1] * 3), np.ones(10))

    found = fit_linear_model(train, NONE, 2).probabilities(np.zeros((1, 12), np.float32))

    np.testing.assert_allclose(found, [[0.7, 0.3]], atol=1e-3)


def test_an_image_of_weight_two_counts_as_two() -> None:
    twice = images(3, 60, spread=3.0)
    doubled = Labelled(*(np.concatenate([one, one[:20]]) for one in (twice.features, twice.labels, twice.weights)))
    weights = np.where(np.arange(60) < 20, 2.0, 1.0)
    # The scaler knows no weights: the same one for both.
    standard = (doubled.features - doubled.features.mean(axis=0)) / np.maximum(doubled.features.std(axis=0), 0.1)
    weighted = fit_linear_model(Labelled(standard[:60], twice.labels, weights), NONE, 3)

    ignored = fit_linear_model(Labelled(standard[:60], twice.labels, np.ones(60)), NONE, 3)
    found = fit_linear_model(Labelled(standard, doubled.labels, np.ones(80)), NONE, 3)

    def distance(model: object) -> float:
        return float(np.abs(model.probabilities(standard) - found.probabilities(standard)).mean())  # type: ignore[attr-defined]

    assert distance(weighted) < 0.5 * distance(ignored)


def test_the_number_of_threads_changes_nothing() -> None:
    """Of as many features as BLAS divides among threads: without the limit the two differ in their last digits."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(1500, 600)).astype(np.float32)
    train = Labelled(features, rng.integers(0, 5, 1500), np.ones(1500))
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(fit_linear_model(train, NONE, 5).coefficients.tobytes())

    assert found[0] == found[1]
