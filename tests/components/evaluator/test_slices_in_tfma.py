"""Slices by a table's columns in a real run of TFX's Evaluator, with a model whose answers are known."""

from pathlib import Path
from typing import Any

import pytest
from known_answers import convert, evaluate, image, known_answers

LABELS = ("cat", "dog")
# Of each camera: test images, and how many of them the model has right. The names are as odd as those of a table.
CAMERAS = {"1.0": (60, 54), "007": (60, 30), "": (20, 4), "Größe, x=y": (60, 48)}
CAMERA = "camera/ä.b (c)"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """Examples, and the images that the model has right."""
    rows: dict[str, list[Any]] = {"train": [], "eval": [], "test": []}
    right = []
    for camera, (images, correct) in CAMERAS.items():
        for number in range(images):
            name = f"{camera or 'none'}-{number}.png"
            # A column that is called like a feature of ours, and one of numbers.
            said = {CAMERA: camera, "image/encoded": "ab"[number % 3 == 0], "age": f"{number // 2},5"}
            rows["test"].append(image(name, LABELS[number % 2], "test", said))
            right += [name] * (number < correct)
    for split in ("train", "eval"):
        said = {CAMERA: "007", "image/encoded": "", "age": "3"}
        rows[split] = [image(f"{split}{label}.png", label, split, said) for label in LABELS]
    return convert(rows, tmp_path_factory.mktemp("made")), right


def test_a_weak_slice_is_found_and_keeps_the_model_back(made: Any, tmp_path: Path) -> None:
    examples, right = made
    model = known_answers(right, LABELS, tmp_path / "model")

    results, blessed, evaluation = evaluate(
        examples, model, tmp_path, min_accuracy=0.5, min_slice_accuracy=0.7, slice_on=["age", CAMERA, ("age", CAMERA)]
    )

    rows = results["slices"]["rows"]
    found = {row["values"][0]: row for row in rows if row["columns"] == [CAMERA]}
    assert {name: (row["examples"], round(row["accuracy"] * row["examples"])) for name, row in found.items()} == {
        camera or "not given": counts for camera, counts in CAMERAS.items()
    }
    assert [row["judged"] for row in found.values()] == [True, True, True, False]  # of 20 images
    ages = {row["values"][0]: row["examples"] for row in rows if row["columns"] == ["age"]}
    # Quarters of all images, those of train and eval among them, at numbers that occur.
    assert ages == {"up to 5.5": 48, "over 5.5, up to 12.5": 50, "over 12.5, up to 21.5": 54, "over 21.5": 48}
    crossed = [row for row in rows if row["columns"] == ["age", CAMERA]]
    assert sum(row["examples"] for row in crossed) == 200
    assert {row["values"][1] for row in crossed} == set(found)
    # Of the highest ages 14 in 48 are right, which is worse, and too few to judge.
    worst = results["slices"]["worst"]
    assert (worst["slice"], worst["accuracy"], results["slices"]["judged"]) == (f"{CAMERA} = 007", 0.5, 5)
    assert not blessed
    assert not results["blessed"]
    [failure] = results["failures"]
    assert failure["bound"] == 0.7
    start = f"test accuracy on the slice {CAMERA} = 007 is 0.500 (60 images; 95 % for all 5 judged slices at once: "
    assert failure["text"].startswith(start)
    assert failure["text"].endswith("at least 0.700 is required of each slice")
    assert evaluation.get_string_custom_property("worst_slice") == worst["slice"]


def test_slices_that_just_reach_it_or_are_too_small_keep_no_model_back(made: Any, tmp_path: Path) -> None:
    examples, right = made
    model = known_answers(right, LABELS, tmp_path / "model")

    results, blessed, _ = evaluate(examples, model, tmp_path, min_accuracy=0.5, min_slice_accuracy=0.5)

    assert blessed
    assert results["slices"]["worst"]["slice"] == f"{CAMERA} = 007"
    assert {tuple(row["columns"]) for row in results["slices"]["rows"]} == {(CAMERA,), ("image/encoded",), ("age",)}
