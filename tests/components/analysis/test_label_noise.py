"""What the chance of a wrong label is worth: against wrong labels planted in digits, of an easy and a hard kind.

The models are scikit-learn's, and the digits' own labels the truth; cleanlab's confident learning is a reference. More
of it: tests/benchmarks/wrong_label_claims.py.
"""

from typing import Any

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_self_confidence_for_each_label
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from components.analysis.label_noise import log_right
from components.analysis.model_card import as_markdown, make_card
from components.analysis.suspects import about_suspects, find_suspects
from components.formats.suspects import expected_wrong, in_words, judged, shown_rows
from components.scoring.predictions import Predictions

_CLASSES = [str(digit) for digit in range(10)]
_BLUR = {"easy": 0.0, "hard": 8.0}  # standard deviation of noise on pixels of 0–16


def planted(kind: str, share: float) -> tuple[Predictions, NDArray[np.bool_]]:
    """Return out-of-fold predictions of a model that learned from given labels, and which of these are wrong."""
    images, truth = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    images = (images + rng.normal(size=images.shape) * _BLUR[kind]) / 16
    given = truth.copy()
    chosen = rng.choice(len(truth), round(share * len(truth)), replace=False)
    given[chosen] = (truth[chosen] + rng.integers(1, 10, len(chosen))) % 10
    said = cross_val_predict(LogisticRegression(C=0.5), images, given, cv=3, method="predict_proba")
    return of(said, given), given != truth


def of(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> Predictions:
    names = np.array([f"{index}.jpg" for index in range(len(labels))])
    return Predictions(probabilities, labels, names, names, np.zeros(len(labels), bool))


@pytest.mark.parametrize(("kind", "accuracy"), [("easy", (0.8, 1.0)), ("hard", (0.5, 0.75))])
def test_as_many_labels_are_wrong_as_a_list_says(kind: str, accuracy: tuple[float, float]) -> None:
    predictions, wrong = planted(kind, 0.1)
    about = about_suspects({"test": predictions}, 100)

    rows = find_suspects({"test": predictions}, _CLASSES)

    assert accuracy[0] < about["accuracy"] < accuracy[1]
    for count in (50, 100):
        found = sum(wrong[int(row["filename"].removesuffix(".jpg"))] for row in rows[:count])
        assert found > 0.7 * count
        assert expected_wrong(rows[:count]) == pytest.approx(found, abs=0.12 * count)


def test_on_easy_data_confident_learning_finds_the_same_labels() -> None:
    predictions, _ = planted("easy", 0.1)
    found = {row["filename"] for row in find_suspects({"test": predictions}, _CLASSES)}

    issues = find_label_issues(predictions.labels, predictions.probabilities, filter_by="prune_by_noise_rate", n_jobs=1)

    theirs = set(predictions.names[issues])
    assert len(found & theirs) > 0.75 * max(len(found), len(theirs))


def test_a_weak_models_own_confusions_do_not_pass_for_wrong_labels() -> None:
    """A model that sees no more of a digit than its rows' brightness takes some pairs of digits for each other."""
    images, truth = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(truth), round(0.05 * len(truth)), replace=False)
    given = truth.copy()
    given[chosen] = (truth[chosen] + rng.integers(1, 10, len(chosen))) % 10
    rows = images.reshape(-1, 8, 8).mean(axis=2)
    said = cross_val_predict(LinearDiscriminantAnalysis(), rows, given, cv=3, method="predict_proba")

    def found(ranks: NDArray[np.float64]) -> int:
        return int((given != truth)[np.argsort(ranks)[:50]].sum())

    assert about_suspects({"test": of(said, given)}, 50)["accuracy"] < 0.75
    assert found(log_right(said, given)[0]) >= 0.95 * found(get_self_confidence_for_each_label(given, said))


@pytest.mark.parametrize("kind", _BLUR)
def test_right_labels_make_no_list(kind: str) -> None:
    predictions, _ = planted(kind, 0.0)

    rows = find_suspects({"test": predictions}, _CLASSES)

    assert expected_wrong(rows) <= 5
    assert len(rows) <= 10


def test_a_class_is_never_listed_as_a_whole() -> None:
    """All images of class 1 look like class 0 to the model, surely: fewer than half of them can have a wrong label."""
    labels = np.array([0] * 60 + [1] * 20 + [2] * 60)
    said = np.full((140, 3), 0.005)
    said[np.arange(140), np.where(labels == 1, 0, labels)] = 0.99
    said[60] = [0.005, 0.99, 0.005]

    rows = find_suspects({"test": of(said, labels)}, ["a", "b", "c"])

    assert len(rows) < 10
    assert {row["given"] for row in rows} <= {"b"}


def test_scores_are_chances_of_a_right_label_and_sorted() -> None:
    predictions, _ = planted("easy", 0.05)

    rows = find_suspects({"eval": predictions.where(np.arange(1797) < 600), "test": predictions}, _CLASSES)

    scores = [row["score"] for row in rows]
    assert scores == sorted(scores)
    assert all(0 <= score <= 0.75 for score in scores)
    assert all(row["given"] != row["suggested"] for row in rows)
    assert {row["split"] for row in rows} == {"eval", "test"}


def test_the_gradient_leads_to_the_same_chances_whatever_the_order_of_the_images() -> None:
    predictions, _ = planted("hard", 0.1)
    order = np.random.default_rng(1).permutation(len(predictions))

    right, suggested = log_right(predictions.probabilities, predictions.labels)
    shuffled, others = log_right(predictions.probabilities[order], predictions.labels[order])

    np.testing.assert_allclose(np.exp(shuffled), np.exp(right[order]), atol=2e-3)
    assert (others == suggested[order]).mean() > 0.99


def test_words_say_how_many_of_the_first_are_wrong() -> None:
    rows = [{"score": 0.2}] * 40 + [{"score": 0.6}] * 40
    about = {"splits": ["eval", "test"], "images": 1000, "accuracy": 0.9, "shown": 60}
    findings = {"suspects": rows, "about_suspects": about}

    assert len(shown_rows(findings)) == 60
    assert len(shown_rows(findings, 5)) == 5
    assert judged(findings) == "1,000 images of eval and test"
    assert in_words(findings, 60) == "Of the first 50, about 36, and of these 60, about 40 are expected to be wrong."
    assert in_words(findings, 10) == "Of these 10, about 8 are expected to be wrong."
    weak = in_words({**findings, "about_suspects": {**about, "accuracy": 0.57}}, 10)
    assert weak.startswith(
        "Of these 10, 3 to 8 are expected to be wrong; it can't be said better, since the model itself"
    )
    assert shown_rows({"suspects": rows}) == rows
    assert in_words({"suspects": rows}, 10) == judged({"suspects": rows}) == ""


def test_the_model_card_says_how_many_labels_are_expected_to_be_wrong() -> None:
    findings: dict[str, Any] = {
        "test": {"metrics": {"per_class": []}},
        "temperature": None,
        "labels": ["no", "yes"],
        "data": {"images": 0, "splits": {}, "split_seed": 0, "data_digest": "", "leak": None},
        "answers": {"promised": None, "text": "", "per_class": []},
        "suspects": [{"score": 0.2}] * 40,
        "about_suspects": {"splits": ["eval", "test"], "images": 1000, "accuracy": 0.9, "shown": 10},
    }
    training = {"architecture": "resnet18", "parameters": 1, "precision": "float32"}
    image = {"height": 96, "width": 96, "channels": 3}

    text = as_markdown(make_card(findings, training, image, {}))

    assert (
        "Of 1,000 images of eval and test 40 have a suspicious label. Of these 40, about 32 are expected to be" in text
    )
    findings["suspects"] = []
    assert "suspicious" not in as_markdown(make_card(findings, training, image, {}))
