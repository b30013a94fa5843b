"""Temperature scaling (Guo et al., arXiv 1706.04599): one number that makes a model's probabilities honest.

N×K logits and N labels in; the temperature T > 0 out that makes softmax(logits / T) most likely. Labels don't change.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

BOUNDS = (0.05, 20.0)


def fit_temperature(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the temperature with the least negative log-likelihood; 1.0 where there is nothing to fit."""
    if len(labels) == 0:
        return 1.0
    values = logits.astype(np.float64)
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(values / np.exp(log_t), labels),
        bounds=(np.log(BOUNDS[0]), np.log(BOUNDS[1])),
        method="bounded",
    )
    return float(np.exp(found.x))


def negative_log_likelihood(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the mean cross-entropy of the labels under softmax(logits)."""
    return float(np.mean(logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]))
