"""The Evaluator where the classes are many: what it measures is the same, and grows with their number alone."""

from pathlib import Path

import tensorflow_model_analysis as tfma
from known_answers import convert, evaluate, image, known_answers

LABELS = [f"class {number:02d}" for number in range(60)]


def test_many_classes_are_measured_without_a_slice_of_each(tmp_path: Path) -> None:
    rows = {split: [image(f"{split} {label}", label, split, None) for label in LABELS] for split in ("train", "eval")}
    rows["test"] = [image(f"{label} {number}", label, "test", None) for label in LABELS for number in range(3)]
    right = [f"{label} {number}" for place, label in enumerate(LABELS) for number in range(place % 4)]
    model = known_answers(right, LABELS, tmp_path / "model")

    results, _, evaluation = evaluate(convert(rows, tmp_path / "made"), model, tmp_path, min_accuracy=0.0)

    per_class = results["candidate"]["per_class"]
    assert list(per_class) == LABELS
    assert [round(3 * one["recall"]) for one in per_class.values()] == [place % 4 for place in range(60)]
    by_class = [one for one in results["candidate"]["slices"] if one["feature"] == "image/class/text"]
    assert [(one["value"], one["examples"], one["accuracy"]) for one in by_class] == [
        (label, 3, per_class[label]["recall"]) for label in LABELS
    ]
    slices = [key for key, _ in tfma.load_eval_result(evaluation.uri).slicing_metrics]
    assert sorted(slices) == [(), (("image/augmented", 0),)]
