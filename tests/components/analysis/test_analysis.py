import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from components.analysis.analyse import analyse
from components.analysis.calibration_error import calibration_error, undo_temperature
from components.analysis.leak import leak
from components.analysis.model_card import as_markdown, literally, make_card
from components.analysis.slices import judged_slices
from components.analysis.suspects import find_suspects
from components.formats.dataset import ImageRow, shard_name, write_shard
from components.formats.predictions import write_predictions
from components.scoring.intervals import with_intervals
from components.scoring.predictions import Predictions, read_split


def make(probabilities: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None) -> Predictions:
    names = np.array([f"{index}.jpg" for index in range(len(labels))])
    return Predictions(
        probabilities=probabilities,
        labels=labels.astype(np.int64),
        groups=names if groups is None else groups,
        names=names,
        augmented=np.zeros(len(labels), bool),
    )


def coin(count: int, accuracy: float, seed: int) -> Predictions:
    """Two classes, predictions right with a known probability."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    predicted = np.where(rng.random(count) < accuracy, labels, 1 - labels)
    probabilities = np.where(np.arange(2) == predicted[:, None], 0.8, 0.2)
    return make(probabilities, labels)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(200):
        score = with_intervals(coin(200, 0.8, seed), 2, 200, seed)["accuracy"]
        inside += score["low"] <= 0.8 <= score["high"]

    assert 0.90 <= inside / 200 <= 0.99


def test_images_of_one_group_count_as_one() -> None:
    single = coin(100, 0.7, 0)
    doubled = make(
        np.repeat(single.probabilities, 10, axis=0), np.repeat(single.labels, 10), np.repeat(single.names, 10)
    )

    narrow = with_intervals(make(doubled.probabilities, doubled.labels), 2, 500, 0)["accuracy"]
    honest = with_intervals(doubled, 2, 500, 0)["accuracy"]
    alone = with_intervals(single, 2, 500, 0)["accuracy"]

    assert honest["high"] - honest["low"] == pytest.approx(alone["high"] - alone["low"], abs=0.02)
    assert narrow["high"] - narrow["low"] < 0.5 * (honest["high"] - honest["low"])


def test_one_image_that_is_right_says_little() -> None:
    labels = np.array([0] * 30 + [1])
    faultless = make(np.eye(2)[labels], labels)

    rare = with_intervals(faultless, 2, 500, 0)["per_class"][1]

    assert rare["support"] == 1
    for name in ("precision", "recall"):
        assert (rare[name]["value"], rare[name]["high"], rare[name]["effective"]) == (1.0, 1.0, 1.0)
        assert rare[name]["low"] == pytest.approx(0.2065, abs=1e-4)


def test_intervals_are_repeatable_and_can_be_left_out() -> None:
    predictions = coin(50, 0.6, 1)

    assert with_intervals(predictions, 2, 100, 3) == with_intervals(predictions, 2, 100, 3)
    assert with_intervals(predictions, 2, 0, 3)["macro_f1"]["low"] is None
    expected = metrics.f1_score(predictions.labels, predictions.predicted, average="macro")
    assert with_intervals(predictions, 2, 0, 3)["macro_f1"]["value"] == pytest.approx(expected)


def test_calibration_error_of_known_cases() -> None:
    probabilities = np.tile([0.9, 0.1], (100, 1))
    labels = np.array([0] * 70 + [1] * 30)

    error, bins = calibration_error(probabilities, labels)

    assert error == pytest.approx(0.2)
    [row] = [row for row in bins if row["count"]]
    assert (row["confidence"], row["accuracy"]) == pytest.approx((0.9, 0.7))
    assert calibration_error(np.zeros((0, 2)), np.zeros(0, np.int64))[0] is None


def test_a_temperature_can_be_undone() -> None:
    logits = np.random.default_rng(0).normal(size=(20, 5))

    def softmax(values: np.ndarray) -> np.ndarray:
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    assert np.allclose(undo_temperature(softmax(logits / 1.7), 1.7), softmax(logits), atol=1e-9)


def test_planted_wrong_labels_are_found() -> None:
    images, truth = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    given = truth.copy()
    planted = rng.choice(len(truth), len(truth) // 20, replace=False)
    given[planted] = (truth[planted] + rng.integers(1, 10, len(planted))) % 10
    model = KNeighborsClassifier(15)
    probabilities = cross_val_predict(model, images, given, cv=3, method="predict_proba")

    found = find_suspects({"test": make(probabilities, given)}, [str(digit) for digit in range(10)])

    indices = {int(row["filename"].removesuffix(".jpg")) for row in found}
    hits = indices & set(planted.tolist())
    assert len(hits) / len(planted) > 0.8
    assert len(hits) / len(indices) > 0.6
    corrected = [int(row["suggested"]) == truth[int(row["filename"].removesuffix(".jpg"))] for row in found]
    assert np.mean(corrected) > 0.6
    assert [row["score"] for row in found] == sorted(row["score"] for row in found)


def test_copies_are_no_suspects_and_a_missing_class_does_no_harm() -> None:
    probabilities = np.array([[0.99, 0.005, 0.005], [0.01, 0.98, 0.01], [0.98, 0.01, 0.01], [0.01, 0.98, 0.01]] * 5)
    labels = np.array([0, 1, 1, 1] * 5)
    predictions = make(probabilities, labels)
    predictions.augmented[2::4] = True

    assert find_suspects({"eval": predictions}, ["a", "b", "c"]) == []


def test_the_analysis_lists_mistakes_by_confidence_and_feeds_the_card() -> None:
    predictions = coin(60, 0.7, 2)
    findings = analyse({"eval": predictions, "test": predictions}, ["no|yes", "yes"], 1.5, 50, 0)
    findings["data"] = {
        "images": 120,
        "splits": {"train": {"originals": 60, "copies": 10}, "test": {"originals": 60, "copies": 0}},
        "split_seed": 27,
        "data_digest": "abcdef0123456789",
        "leak": "Too good.",
    }
    findings["answers"] = {"promised": None, "text": "", "per_class": []}

    test = findings["test"]
    assert len(test["mistakes"]) == sum(predictions.predicted != predictions.labels)
    assert sum(map(sum, test["confusion_matrix"])) == 60
    assert test["augmented"] == {"images": 0, "accuracy": None}
    assert test["calibration"]["error"] != test["calibration"]["error_before"]

    training = {"architecture": "resnet18", "parameters": 11_000_000, "precision": "float32"}
    card = make_card(findings, training, {"height": 96, "width": 96, "channels": 3}, {"model": "3"})
    text = as_markdown(card)
    assert "# Model card: resnet18, 2 classes" in text
    assert f"| accuracy | {test['metrics']['accuracy']['value']:.3f} |" in text
    assert "abcdef012345" in text
    assert "would vary as much. Too good.\n" in text
    assert re.search(r"\| yes \| 0\.\d{3} \(0\.\d{3} – 0\.\d{3}\) \|", text)
    assert r"| Classes | no\|yes, yes |" in text


@pytest.mark.parametrize(
    ("training", "line"),
    [
        ({}, None),
        ({"weights": None}, "| Weights at the beginning | random |"),
        ({"weights": "imagenet"}, "| Weights at the beginning | ImageNet's, of keras.applications |"),
        (
            {"weights": {"file": "r18_a.safetensors", "sha256": "ab" * 32}},
            rf"| Weights at the beginning | r18\_a.safetensors, SHA-256 `{'ab' * 32}` |",
        ),
    ],
)
def test_the_model_card_says_what_the_model_began_with(training: dict[str, Any], line: str | None) -> None:
    """A training of an older program doesn't say, and neither does its card."""
    findings: dict[str, Any] = {
        "test": {"metrics": {"per_class": []}},
        "temperature": None,
        "labels": ["no", "yes"],
        "data": {"images": 0, "splits": {}, "split_seed": 0, "data_digest": "", "leak": None},
        "answers": {"promised": None, "text": "", "per_class": []},
    }
    figures = {"architecture": "resnet18", "parameters": 1, "precision": "float32"} | training

    card = make_card(findings, figures, {"height": 96, "width": 96, "channels": 3}, {})

    assert card.get("weights", "none") == training.get("weights", "none")
    lines = as_markdown(card).splitlines()
    assert [text for text in lines if "beginning" in text] == ([line] if line else [])
    start = lines.index("| Precision in training | float32 |")
    assert lines[start + (2 if line else 1)] == "| Temperature | not calibrated |"
    mirrored = as_markdown(
        make_card(findings, figures | {"flip_average": True}, {"height": 96, "width": 96, "channels": 3}, {})
    )
    assert "| Answers | averaged over each image and its mirror image |\n| Temperature |" in mirrored
    assert "doesn't answer" not in mirrored


def test_the_model_card_says_when_the_model_does_not_answer() -> None:
    rows: list[dict[str, Any]] = [
        {"label": "a|b", "threshold": 0.83217, "images": 40},
        {"label": "c", "threshold": None, "images": 7},
    ]
    share: dict[str, Any] = {"value": 0.5, "low": 0.4, "high": 0.6}
    none = dict.fromkeys(share)
    rows[0] |= {"answered": share, "precision": share}
    rows[1] |= {"answered": share | {"value": 0.0}, "precision": none}
    findings: dict[str, Any] = {
        "test": {"metrics": {"per_class": []}},
        "temperature": 1.0,
        "labels": ["a|b", "c"],
        "data": {"images": 0, "splits": {}, "split_seed": 0, "data_digest": "", "leak": None},
        "answers": {"promised": {"precision": 0.9}, "text": "It answers.", "per_class": rows, "curve": {}},
    }
    figures = {"architecture": "resnet18", "parameters": 1, "precision": "float32"}

    card = make_card(findings, figures, {"height": 96, "width": 96, "channels": 3}, {})

    assert "curve" not in card["answers"]
    text = as_markdown(card)
    assert "\n\n## When it doesn't answer\n\nIt answers. An answer counts where `accepted` is true" in text
    assert "| a\\|b | 0.8322 | 0.500 (0.400 – 0.600) of 40 | 0.500 (0.400 – 0.600) |\n" in text
    assert "| c | never enough | 0.000 (0.400 – 0.600) of 7 | – |\n\n## Intended use" in text


def test_the_model_card_says_where_the_model_is_weak() -> None:
    row = {"examples": 60, "accuracy": 0.5, "low": 0.377, "high": 0.623, "effective": 60.0, "columns": ["camera"]}
    rows = [row | {"slice": "camera = a|b", "judged": True}, row | {"slice": "camera = c", "judged": False}]
    findings: dict[str, Any] = {
        "test": {"metrics": {"per_class": []}},
        "temperature": None,
        "labels": ["no", "yes"],
        "data": {"images": 0, "splits": {}, "split_seed": 0, "data_digest": "", "leak": None},
        "answers": {"promised": None, "text": "", "per_class": []},
        "slices": judged_slices({"slices": {"text": "The worst slice is camera = a|b.", "rows": rows, "judged": 1}}),
    }
    figures = {"architecture": "resnet18", "parameters": 1, "precision": "float32"}

    card = make_card(findings, figures, {"height": 96, "width": 96, "channels": 3}, {})

    text = as_markdown(card)
    assert "## Slices of the test split\n\nThe worst slice is camera = a\\|b.\n\n| slice |" in text
    assert "| camera = a\\|b | 0.500 (0.377 – 0.623) | 60 |\n\n## Intended use" in text
    assert "camera = c" not in text
    assert judged_slices({"slices": None}) is None
    without = as_markdown(make_card(findings | {"slices": None}, figures, {"height": 9, "width": 9, "channels": 3}, {}))
    assert "Slices" not in without


@pytest.mark.parametrize("label", ["a|b", "<i>a</i>", "[a](b)", "*a*", "`a`", "a\nb", "a\\b", "&amp;", "~~a~~"])
def test_markdown_shows_a_label_as_it_is(label: str) -> None:
    shown = re.sub(r"\\(.)", r"\1", literally(label))
    bare = re.sub(r"\\.", "", literally(label))

    assert shown == label.replace("\n", " ")
    assert not re.search(r"[|<>`*\[\]&~\n\\]", bare)


def test_test_results_are_doubted_where_the_weights_know_the_images(tmp_path: Path) -> None:
    """Own images aren't the weights' fault, even where train and test share a group; others of a group count."""
    for split, groups in (("train", "abc"), ("eval", "de"), ("test", "afgh")):
        rows = [_image(split, group, number) for group in groups for number in range(2)]
        write_shard(rows, tmp_path / shard_name(split, 0, 1))

    def digest(group: str, number: int) -> str:
        return (group + str(number)) * 32

    own = [digest(group, number)[:16] for group in "abcde" for number in range(2)]
    assert leak(own, tmp_path) == ""
    assert leak([*own, "0" * 16], tmp_path) == ""
    assert "were made from 2 of the 8 test images" in leak([*own, digest("g", 1)[:16]], tmp_path)
    assert "don't say what they were made from" in leak(None, tmp_path)


def test_an_image_that_the_model_could_not_decode_is_named(tmp_path: Path) -> None:
    write_shard([_image("test", "a", number) for number in range(2)], tmp_path / shard_name("test", 0, 1))
    write_predictions(["a0.png", "a1.png"], np.array([[0.4, 0.6], [np.nan, np.nan]], np.float32), tmp_path)

    with pytest.raises(ValueError, match=r"couldn't decode a1\.png of test \(1 such\)"):
        read_split(tmp_path, "test", ["cat", "dog"], tmp_path)


def _image(split: str, group: str, number: int) -> ImageRow:
    digest, name = (group + str(number)) * 32, f"{group}{number}.png"
    return ImageRow(name, "cat", split, b"x", "png", 1, 1, 3, digest, name, None, 0.0, group, name, 0, name)
