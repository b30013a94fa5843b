"""Logistic regression on standardised features: the same model from the same images, on however many cores. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

# The penalty on the squared coefficients, an image: the strongest first, from which the next fit begins.
PENALTIES = (0.3, 0.1, 0.03)
_UNTRIED = 0.1  # where there is nothing to choose on
_MOST_ITERATIONS = 1000


@dataclass(frozen=True)
class Labelled:
    """Images to fit or to choose on.

    Attributes:
        features: [N, F] float32.
        labels: [N] int64, class numbers.
        weights: [N] float64, what each counts, above 0.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class LinearModel:
    """A fitted model.

    Attributes:
        classes: number of classes, of which some may not have been fitted.
        scaler: of the features.
        fitted: class numbers in ascending order; the model never says another.
        coefficients: [len(fitted), F].
        intercepts: [len(fitted)].
        penalty: of `PENALTIES`; None where there was one class alone to fit.
        eval_accuracy: there; None where nothing was chosen.
    """

    classes: int
    scaler: StandardScaler
    fitted: NDArray[np.int64]
    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    penalty: float | None
    eval_accuracy: float | None

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the [N, classes] probabilities for [N, F] features."""
        with _one_thread():
            scores = self.scaler.transform(features) @ self.coefficients.T + self.intercepts
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        found = np.zeros((len(features), self.classes), np.float32)
        found[:, self.fitted] = scores / scores.sum(axis=1, keepdims=True)
        return found


def fit_linear_model(train: Labelled, tried: Labelled, classes: int) -> LinearModel:
    """Fit a model for each of `PENALTIES`, and return the one that has most images of eval right.

    Of equals that is the one with the strongest penalty. A class without images in train is never predicted.

    Args:
        train: images to fit on, at least one.
        tried: images of eval; may be none.
        classes: number of classes.
    """
    with _one_thread():
        scaler = StandardScaler().fit(train.features)
        features = scaler.transform(train.features)
        others = scaler.transform(tried.features) if len(tried) else None
        fitted = np.unique(train.labels)
        if len(fitted) == 1:
            return LinearModel(classes, scaler, fitted, np.zeros((1, features.shape[1])), np.zeros(1), None, None)
        regression = LogisticRegression(max_iter=_MOST_ITERATIONS, warm_start=True)
        found: list[LinearModel] = []
        for penalty in (_UNTRIED,) if others is None else PENALTIES:
            regression.C = 1 / (penalty * train.weights.sum())
            regression.fit(features, train.labels, train.weights)
            right = None if others is None else float((regression.predict(others) == tried.labels).mean())
            found.append(LinearModel(classes, scaler, fitted, *_by_class(regression), penalty, right))
    return max(found, key=lambda model: model.eval_accuracy or 0.0)  # the first of equals


def _by_class(regression: LogisticRegression) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a row of coefficients and an intercept a class: of two, scikit-learn has the second's alone."""
    coefficients, intercepts = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([np.zeros_like(intercepts), intercepts])
    return np.array(coefficients, np.float64), np.array(intercepts, np.float64)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let BLAS add up in one order, which depends on how many threads it has, and which its threads wait for."""
    with threadpool_limits(1, user_api="blas"):
        yield
