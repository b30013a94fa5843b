"""The Evaluator on TFRecords with a model whose predictions are known, against scikit-learn on the same predictions."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hashed_answers import LABELS, make_baselines, make_examples, make_model, predictions
from sklearn import metrics
from tfx.types import standard_artifacts

from components.evaluator.baseline import choose
from components.evaluator.baseline_executor import BaselineExecutor
from components.evaluator.comparison import Comparison, decide
from components.evaluator.eval_config import least_accuracy
from components.evaluator.executor import EvaluatorExecutor
from components.evaluator.options import EvaluateOptions
from components.formats import saved_model
from components.formats.artifacts import Analysis
from components.formats.dataset import read_columns
from components.formats.examples import write_labels
from components.formats.predictions import read_predictions
from components.formats.pushed_models import Origin, candidates, list_versions
from components.pusher.push import push
from components.tools.files import read_json, write_json
from components.tools.scores import scores


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    return make_examples(tmp_path_factory.mktemp("evaluator"))


@pytest.fixture(scope="module")
def evaluate(
    data: tuple[Any, ...], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[dict[str, Any], bool]]:
    def run(model: Any, baseline: Any = None, linear: int = 0, **options: Any) -> tuple[dict[str, Any], bool]:
        options.setdefault("beat_baselines", False)
        folder = tmp_path_factory.mktemp("evaluation")
        dataset, examples, groups = data
        evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
        evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
        if baseline is None:
            baseline = standard_artifacts.Model()
            baseline.uri = str(folder / "empty")
        EvaluatorExecutor().Do(
            {
                "groups": [groups],
                "examples": [examples],
                "model": [model],
                "baselines": [make_baselines(folder / "baselines", dataset, linear)],
                "baseline_model": [baseline],
            },
            {"evaluation": [evaluation], "blessing": [blessing]},
            {"evaluate": EvaluateOptions(**options).model_dump_json()},
        )
        blessed = (folder / "blessing" / "BLESSED").exists()
        return read_json(folder / "evaluation" / "results.json"), blessed

    return run


def test_metrics_equal_scikit_learns(data: tuple[Any, ...], evaluate: Callable[..., Any], tmp_path: Path) -> None:
    model = make_model(tmp_path)
    labels, probabilities = predictions(model, data[1])
    predicted = probabilities.argmax(axis=1)

    results, blessed = evaluate(model, min_accuracy=0.0)

    found = results["candidate"]
    assert 0.4 < found["accuracy"] < 1.0
    # What the model said is kept, so that nobody asks it again.
    folder = max(tmp_path.parent.glob("evaluation*"), key=lambda path: path.stat().st_mtime) / "evaluation"
    ids = read_columns(Path(data[0].uri), "test", ["id"])[0].to_pylist()
    np.testing.assert_allclose(read_predictions(folder, ids), probabilities, rtol=1e-6)
    with pytest.raises(KeyError, match=r"no prediction of 1\.png"):
        read_predictions(folder, ["1.png"])
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "weighted_f1": metrics.f1_score(labels, predicted, average="weighted"),
        "macro_precision": metrics.precision_score(labels, predicted, average="macro", zero_division=0),
        "macro_recall": metrics.recall_score(labels, predicted, average="macro"),
        "top_2_accuracy": metrics.top_k_accuracy_score(labels, probabilities, k=2),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    table = metrics.precision_recall_fscore_support(labels, predicted, zero_division=0)
    for index, label in enumerate(sorted(LABELS)):
        row = found["per_class"][label]
        assert [row[name] for name in ("precision", "recall", "f1", "support")] == pytest.approx(
            [column[index] for column in table], abs=1e-6
        )
    assert blessed
    assert results["blessed"]


def test_slices_hold_the_classes_and_the_kinds_of_images(evaluate: Callable[..., Any], tmp_path: Path) -> None:
    results, _ = evaluate(make_model(tmp_path), min_accuracy=0.0)

    by_feature = {(one["feature"], one["value"]): one["examples"] for one in results["candidate"]["slices"]}
    assert by_feature == {
        ("image/augmented", "0"): 54,
        ("image/class/text", "cat"): 30,
        ("image/class/text", "dog"): 20,
        ("image/class/text", "<b>emu</b>"): 4,
    }


def test_without_a_threshold_the_majority_class_and_a_little_more_must_be_reached(
    evaluate: Callable[..., Any], tmp_path: Path
) -> None:
    results, blessed = evaluate(make_model(tmp_path, lean=-2.0))

    assert results["least_accuracy"] == pytest.approx(30 / 54 + 0.05)
    assert not blessed
    [failure] = results["failures"]
    assert failure["value"] == pytest.approx(results["candidate"]["accuracy"])
    assert failure["bound"] == pytest.approx(30 / 54 + 0.05)


def test_the_threshold_that_the_data_sets_can_be_passed() -> None:
    assert least_accuracy(EvaluateOptions(), [98, 2]) == pytest.approx(0.99)
    assert least_accuracy(EvaluateOptions(), [90, 10]) == pytest.approx(0.95)
    assert least_accuracy(EvaluateOptions(min_accuracy=0.3), [98, 2]) == 0.3


@pytest.mark.parametrize(("right", "linear", "failed"), [(31, 31, ["linear_model"]), (31, 30, [])])
def test_a_model_that_is_no_better_than_the_simple_baselines_is_not_blessed(
    right: int, linear: int, failed: list[str], data: tuple[Any, ...], evaluate: Callable[..., Any], tmp_path: Path
) -> None:
    """Of 54 test images 30 are of one class."""
    digests = read_columns(Path(data[0].uri), "test", ["sha256"])[0].to_pylist()
    model = make_model(tmp_path, lean=-100.0, seen=digests[:right])

    results, blessed = evaluate(model, linear=linear, min_accuracy=0.0, beat_baselines=True)

    assert [failure["metric"] for failure in results["failures"]] == failed
    assert blessed == results["blessed"] == (not failed)
    assert [one["gain"]["value"] for one in results["baselines"]] == pytest.approx(
        [(right - 30) / 54, (right - linear) / 54]
    )
    assert "always saying 'cat' gives 0.556" in results["about_baselines"]
    folder = max(tmp_path.parent.glob("evaluation*"), key=lambda path: path.stat().st_mtime) / "blessing"
    assert [path.name for path in folder.iterdir()] == ["NOT_BLESSED" if failed else "BLESSED"]


@pytest.mark.parametrize(
    ("lean", "gain", "blessed"),
    [(1.0, 0.0, True), (3.0, 0.0, True), (0.0, 0.0, False), (1.0, 0.01, False), (0.0, -0.9, True)],
)
def test_the_candidate_must_gain_on_the_baseline(
    lean: float, gain: float, blessed: bool, evaluate: Callable[..., Any], tmp_path: Path
) -> None:
    baseline = make_model(tmp_path / "baseline", lean=1.0)
    baseline.set_string_custom_property("version", "7")

    results, found = evaluate(make_model(tmp_path / "new", lean=lean), baseline, min_accuracy=0.0, min_gain=gain)

    assert found == blessed
    assert results["baseline"]["version"] == "7"
    if not blessed:
        assert [failure["change"] for failure in results["failures"]] == [True]


def test_a_model_that_says_which_answers_it_accepts_is_compared_with_one_that_does_not(
    data: tuple[Any, ...], evaluate: Callable[..., Any], tmp_path: Path
) -> None:
    baseline = make_model(tmp_path / "baseline", lean=0.5, further=("label", "score"))
    baseline.set_string_custom_property("version", "7")
    model = make_model(tmp_path / "new", further=("label", "score", "accepted"))

    results, blessed = evaluate(model, baseline, min_accuracy=0.0)

    assert blessed
    for name, one in (("candidate", model), ("baseline", baseline)):
        labels, probabilities = predictions(one, data[1])
        assert results[name]["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == labels).mean())
    alone, _ = evaluate(model, min_accuracy=0.0)
    assert alone["candidate"]["accuracy"] == results["candidate"]["accuracy"]


@pytest.mark.parametrize(
    ("pushed", "new", "lean", "on", "images", "blessed"),
    [
        ((), (), 0.5, "all", 54, True),
        (range(20), (), 0.5, "new", 34, True),
        (range(20), (), 5.0, "new", 34, False),
        (range(20), range(10, 30), 0.5, "new", 24, True),
        (range(20), range(20, 54), 0.5, "seen", 54, False),
        (None, (), 0.5, "unknown", 54, False),
    ],
)
def test_a_model_gains_nothing_from_test_images_that_it_was_made_from(
    pushed: Sequence[int] | None,
    new: Sequence[int],
    lean: float,
    on: str,
    images: int,
    blessed: bool,
    data: tuple[Any, ...],
    evaluate: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """Models know by heart what they have seen; the pushed one is worse on the rest, but for a strong lean."""
    digests = read_columns(Path(data[0].uri), "test", ["sha256"])[0].to_pylist()
    models = []
    for name, seen, salt, strength in (
        ("pushed", range(20) if pushed is None else pushed, 3, lean),
        ("new", (), 1, 1.0),
    ):
        model = make_model(tmp_path / name, salt, strength, [digests[index] for index in seen])
        model.set_string_custom_property("version", "7")
        models.append(model)
    for model, known in zip(models, (pushed, new), strict=True):
        if known is not None:
            saved_model.write_made_from(
                ["f" * 64, *(digests[index] for index in known)], Path(model.uri) / "Format-Serving" / "assets.extra"
            )

    results, found = evaluate(models[1], models[0], min_accuracy=0.0)

    comparison = results["comparison"]
    assert (comparison["on"], comparison["images"]) == (on, images)
    assert comparison["fair"] == (on in ("all", "new"))
    old = set(pushed or ()) | set(new) if on == "new" else set()
    fresh = [index for index in range(len(digests)) if index not in old]
    scores = []
    for name, model in zip(("baseline", "candidate"), models, strict=True):
        labels, probabilities = predictions(model, data[1])
        right = probabilities.argmax(axis=1) == labels
        assert results[name]["accuracy"] == pytest.approx(right.mean())
        assert results[name]["compared_accuracy"] == pytest.approx(right[fresh].mean())
        scores.append(f"{right[fresh].mean():.3f}")
    folder = max(tmp_path.parent.glob("evaluation*"), key=lambda path: path.stat().st_mtime) / "evaluation"
    ids = read_columns(Path(data[0].uri), "test", ["id"])[0].to_pylist()
    np.testing.assert_allclose(read_predictions(folder, ids), probabilities, rtol=1e-6)  # the candidate's
    assert not list(folder.glob("*kept*"))
    assert "version 7 on the" in comparison["text"]
    assert f"accuracy {scores[1]} against {scores[0]}." in comparison["text"]
    assert found == blessed
    if not blessed:
        [failure] = results["failures"]
        assert failure["change"]
        assert failure["text"].endswith("at least +0.000 is required")
        assert (f"on the {images} of 54 test images that are new to both (" in failure["text"]) == (on == "new")


@pytest.mark.parametrize(
    ("right", "confidence", "blessed"), [(44, None, True), (44, 0.95, False), (44, 0.6, True), (54, 0.95, True)]
)
def test_a_gain_that_may_be_chance_is_not_enough_where_confidence_is_asked_for(
    right: int,
    confidence: float | None,
    blessed: bool,
    data: tuple[Any, ...],
    evaluate: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """Of 54 test images the pushed model has 40 right, the new one these and some more."""
    digests = read_columns(Path(data[0].uri), "test", ["sha256"])[0].to_pylist()
    baseline = make_model(tmp_path / "baseline", lean=-100.0, seen=digests[:40])
    baseline.set_string_custom_property("version", "7")
    model = make_model(tmp_path / "new", lean=-100.0, seen=digests[:right])

    results, found = evaluate(model, baseline, min_accuracy=0.0, gain_confidence=confidence)

    assert found == results["blessed"] == blessed
    folder = max(tmp_path.parent.glob("evaluation*"), key=lambda path: path.stat().st_mtime) / "blessing"
    assert [path.name for path in folder.iterdir()] == ["BLESSED" if blessed else "NOT_BLESSED"]
    gain = results["comparison"]["gain"]
    assert (gain["only_candidate"], gain["only_baseline"]) == (right - 40, 0)
    assert gain["value"] == pytest.approx((right - 40) / 54)
    assert (gain["low"] > 0) == (right == 54 or confidence == 0.6)
    assert gain["level"] == (confidence or 0.95)
    assert results["comparison"]["text"].endswith("beyond chance." if gain["low"] > 0 else "it may be chance.")
    if not blessed:
        [failure] = results["failures"]
        assert "more than +0.000 is required" in failure["text"]


def test_who_has_seen_an_image_of_a_group_has_seen_the_group() -> None:
    images = [("a" * 64, "ann"), ("b" * 64, "bob"), ("c" * 64, "ann"), ("d" * 64, "dan")]

    found = decide(["a" * 16, "d" * 16], None, images, ["ann", "ann", "bob"])

    assert found == Comparison("new", 1, 3, frozenset({"ann"}), by_pushed=True)


@pytest.mark.parametrize(
    ("pushed", "new", "which"),
    [("a", None, "the pushed model"), ("a", "a", "the pushed model"), ("d", "a", "one of the models")],
)
def test_of_how_many_images_some_are_new_and_why_is_said(pushed: str, new: str | None, which: str) -> None:
    images = [("a" * 64, "ann"), ("b" * 64, "bob"), ("d" * 64, "dan")]

    found = decide([pushed * 16], new and [new * 16], images, ["ann", "ann", "bob"])

    assert found.where == f" on the 1 of 3 test images that are new to both ({which} was made from the others)"


@pytest.mark.parametrize("right", [51, 50])
def test_a_model_that_just_reaches_its_threshold_is_blessed(
    right: int, data: tuple[Any, ...], evaluate: Callable[..., Any], tmp_path: Path
) -> None:
    """51/54 as a float32, which TFMA's accuracy is, lies below 51/54."""
    digests = read_columns(Path(data[0].uri), "test", ["sha256"])[0].to_pylist()
    model = make_model(tmp_path, lean=-100.0, seen=digests[:right])

    results, blessed = evaluate(model, min_accuracy=51 / 54)

    assert results["candidate"]["accuracy"] == pytest.approx(right / 54)
    assert blessed == (right == 51)


def test_scores_of_many_matrices_at_once_equal_those_of_each() -> None:
    matrices = np.random.default_rng(0).integers(0, 9, (5, 4, 4)).astype(float)
    matrices[0, :, 2] = matrices[0, 2, :] = 0  # a class that doesn't occur

    together = scores(matrices)

    for index, matrix in enumerate(matrices):
        for name, value in scores(matrix).items():
            assert np.allclose(together[name][index], value)


def test_the_baseline_is_the_newest_with_the_same_classes_that_something_else_made(
    data: tuple[Any, ...], tmp_path: Path
) -> None:
    destination = tmp_path / "serving"
    model = Path(make_model(tmp_path / "model").uri) / "Format-Serving"
    mine = Origin("recipe", "data", "folder")
    for version, origin in ((1, Origin("old", "data")), (2, Origin("older", "data")), (3, mine)):
        push(model, str(destination), version, origin, {}, {})
    push(model, str(destination), 4, Origin("other", "data"), {"label_map.json": {"labels": ["a", "b"]}}, {})
    (destination / "5").mkdir()  # a copy that was cut short

    standing = list_versions(str(destination))

    def numbers(origin: Origin) -> list[int]:
        return [version.number for version in candidates(standing, origin)]

    assert numbers(mine) == [4, 2, 1]
    best = choose(candidates(standing, mine), sorted(LABELS))
    assert best is not None
    assert best.number == 2
    assert numbers(Origin("recipe", "data")) == [4, 2, 1]
    assert numbers(Origin("recipe", "x", "y")) == [4, 3, 2, 1]
    # The same images in another folder, or read where nobody digests a folder.
    assert numbers(Origin("recipe", "data", "z")) == [4, 2, 1]
    assert list_versions(str(tmp_path / "nowhere")) == []

    output, summary, labels = standard_artifacts.Model(), Analysis(), Analysis()
    output.uri, summary.uri, labels.uri = (str(tmp_path / name) for name in ("found", "summary", "labels"))
    for folder in (summary.uri, labels.uri):
        Path(folder).mkdir()
    write_json({"data_digest": "data"}, Path(summary.uri) / "summary.json")
    write_labels(sorted(LABELS), labels.uri)
    BaselineExecutor().Do(
        {"summary": [summary], "labels": [labels]},
        {"model": [output]},
        {"destination": str(destination), "recipe": "recipe", "folder_digest": "folder"},
    )
    assert output.get_string_custom_property("version") == "2"
    assert (tmp_path / "found" / "Format-Serving" / "saved_model.pb").exists()
