"""`default_pipeline_1.3.1.yml` beside this file was saved by Albumentations 1.3.1."""

import random
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import numpy as np
import pytest
import yaml

from components.augment.augmenter import Augmenter, BadPipeline
from components.augment.legacy_rules import PipelineError
from components.augment.pipeline_yaml import load_pipeline
from components.augment.transforms import default_pipeline
from examples import custom_pipeline

SAVED_BY_1_3 = (Path(__file__).parent / "default_pipeline_1.3.1.yml").read_text()


def saved(*transforms: Any, version: str = "1.3.1", **compose: Any) -> str:
    return yaml.safe_dump({
        "__version__": version,
        "transform": {"__class_fullname__": "Compose", "p": 1.0, "transforms": list(transforms), **compose},
    })  # fmt: skip


def of(name: str, **arguments: Any) -> dict[str, Any]:
    return {"__class_fullname__": name, "p": 1.0, **arguments}


def only(text: str) -> dict[str, Any]:
    """The single transform of a loaded pipeline, as 2.x would save it."""
    (transform,) = A.to_dict(load_pipeline(text).pipeline)["transform"]["transforms"]
    return transform


def test_the_default_pipeline_saved_by_1_3_keeps_its_meaning() -> None:
    loaded = load_pipeline(SAVED_BY_1_3)
    flip, contrast, choice, dropout, rotate = A.to_dict(loaded.pipeline)["transform"]["transforms"]
    ours = A.to_dict(default_pipeline())["transform"]["transforms"]
    for part in choice["transforms"]:
        part["p"] = 1.0  # of a OneOf: weights, and they are equal
    assert [flip, contrast, choice] == ours[:3]
    assert (dropout["dropout_prob"], dropout["p"]) == (ours[3]["dropout_prob"], ours[3]["p"]) == (0.01, 0.25)
    assert (rotate["limit"], rotate["border_mode"], rotate["p"]) == ((-20, 20), cv2.BORDER_REPLICATE, 1.0)
    assert "Rotate: always_apply=True → p=1.0 (was 0.5)" in loaded.changes
    assert "GaussNoise → components.augment.transforms.GaussNoise" in loaded.changes


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (of("Rotate", p=0.5, always_apply=True), {"p": 1.0, "limit": [-90, 90], "border_mode": 4}),
        (of("Rotate", border_mode=0, value=[1, 2, 3]), {"fill": [1, 2, 3]}),
        (of("Rotate", border_mode=0, value=9), {"fill": [9, 0, 0]}),
        (of("GaussNoise", var_limit=80.0), {"var_limit": [0, 80], "mean": 0}),
        (of("CoarseDropout", max_holes=3, max_height=9, min_height=4),
         {"num_holes_range": [3, 3], "hole_height_range": [4, 9], "hole_width_range": [8, 8]}),
        (of("Cutout"), {"num_holes_range": [8, 8], "hole_height_range": [8, 8]}),
        (of("RandomResizedCrop", height=60, width=80), {"size": [60, 80]}),
        (of("ImageCompression", quality_lower=10, quality_upper=40), {"quality_range": [10, 40]}),
        (of("RandomBrightness", limit=[-0.1, 0.3]), {"brightness_limit": [-0.1, 0.3], "contrast_limit": [0, 0]}),
        (of("albumentations.augmentations.transforms.HorizontalFlip"), {"__class_fullname__": "HorizontalFlip"}),
        ({"__class_fullname__": "RandomRotate90"}, {"p": 0.5}),
    ],
)  # fmt: skip
def test_arguments_of_1_x_keep_their_meaning(old: dict[str, Any], new: dict[str, Any]) -> None:
    migrated = only(saved(old))
    for key, value in new.items():
        found = list(migrated[key]) if isinstance(value, list) else migrated[key]
        assert found == value


def test_flip_of_1_x_is_one_of_three_ways() -> None:
    migrated = only(saved(of("Flip", p=0.7)))
    assert (migrated["__class_fullname__"], migrated["p"], len(migrated["transforms"])) == ("OneOf", 0.7, 3)


def test_sequences_and_choices_keep_their_meaning() -> None:
    flip, grey = of("HorizontalFlip", p=0.5), of("ToGray", p=0.5)
    some = only(saved({"__class_fullname__": "SomeOf", "p": 0.8, "n": 2, "transforms": [flip, grey]}))
    assert some["__class_fullname__"] == "RandomOrder"
    assert [part["p"] for part in some["transforms"]] == [1.0, 1.0]
    assert (some["p"], some["replace"]) == (0.8, True)
    assert only(saved({"__class_fullname__": "Sequential", "p": 0.2, "transforms": [flip]}))["p"] == 1.0


def test_within_a_choice_always_apply_does_not_change_the_weights() -> None:
    parts = [of("HorizontalFlip", p=0.2, always_apply=True), of("ToGray", p=0.8)]
    choice = only(saved({"__class_fullname__": "OneOf", "p": 0.5, "transforms": parts}))
    assert [part["p"] for part in choice["transforms"]] == [0.2, 0.8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("just text", "no `transform`"),
        ("!!python/object/apply:os.system [id]", "more than plain data"),
        (yaml.safe_dump({"__version__": "2.0.8", "transform": of("HorizontalFlip")}), "must be a Compose"),
        (saved(of("HorizontalFlip"), version="3.1"), "1.x or 2.x. Received: '3.1'"),
        (saved(of("Nonsense")), "Nonsense"),
        (saved(of("Nonsense"), version="2.0.8"), "no transform .* is called Nonsense"),
        (saved(of("Rotate", angle=3)), "Rotate of Albumentations 1.x has no argument angle"),
        (saved(of("GaussNoise", var_limit=[10, 50]), version="2.0.8"), "GaussNoise .* has no argument var_limit"),
        (saved(of("Rotate", always_apply=True), version="2.0.8"), "has no argument always_apply"),
        (saved(of("Rotate", limit="wide"), version="2.0.8"), "Rotate: .*limit"),
        (saved(of("ElasticTransform")), "ElasticTransform of Albumentations 1.x can't be carried over"),
        (saved(of("MaskDropout")), "MaskDropout needs more than an image's pixels"),
        (saved(of("HorizontalFlip"), bbox_params={"format": "coco"}), "bbox_params"),
        (saved(of("HorizontalFlip", p=0.5, always_apply=True), p=0.5), "Compose with p < 1"),
        (saved({"__class_fullname__": "SomeOf", "n": 1, "transforms": [of("ToGray"), of("NoOp", p=0.1)]}), "unequal p"),
        (saved(of("Lambda", __name__="mine")), "Lambda"),
        (saved(of("Solarize", threshold="x")), r"Solarize .* can't have such arguments .*: \{'threshold': 'x'\}"),
        (saved(of("ImageCompression", compression_type=[1])), "ImageCompression .* can't have such arguments"),
        (saved(of("NoOp"), p="often"), r"Compose\.p must be a number. Received: 'often'"),
        (saved("HorizontalFlip"), r"Compose\.transforms must be a list .* Received: \['HorizontalFlip'\]"),
        (saved("HorizontalFlip", version="2.0.8"), r"Compose\.transforms must be a list"),
        (saved(of("OneOf", transforms=3), version="2.0.8"), r"OneOf\.transforms must be a list .* Received: 3"),
        (saved(of("OneOf", transforms=None)), r"OneOf\.transforms must be a list"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_names_it(text: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        load_pipeline(text)


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        (A.Compose([A.Normalize(p=1.0)]), "Received: .* float32"),
        (A.Compose([A.RandomCrop(100, 100, p=1.0)]), "fails on a 48×64 image"),
    ],
)
def test_a_pipeline_that_does_not_fit_the_images_is_an_error(pipeline: A.Compose, message: str, tmp_path: Path) -> None:
    A.save(pipeline, tmp_path / "p.yml", data_format="yaml")
    augmenter = Augmenter(0, (tmp_path / "p.yml").read_text())
    with pytest.raises(BadPipeline, match=message):
        next(augmenter.copies(np.zeros((48, 64, 3), np.uint8), "a" * 64, 1))


def test_the_example_is_what_its_script_saves(tmp_path: Path) -> None:
    shipped = Path(custom_pipeline.__file__).with_suffix(".yml").read_text()
    A.save(custom_pipeline.custom_pipeline(), tmp_path / "example.yml", data_format="yaml")
    assert (tmp_path / "example.yml").read_text() == shipped
    loaded = load_pipeline(shipped)
    assert loaded.changes == ()
    loaded.pipeline.set_random_state(np.random.default_rng(0), random.Random(0))
    assert loaded.pipeline(image=np.zeros((96, 96, 3), np.uint8))["image"].shape == (96, 96, 3)


def test_a_pipeline_saved_when_our_transforms_lay_elsewhere_still_loads() -> None:
    shipped = Path(custom_pipeline.__file__).with_suffix(".yml").read_text()
    earlier = shipped.replace("components.augment.transforms.", "components.split_balance_augment.transforms.")
    assert earlier != shipped
    assert load_pipeline(earlier).pipeline.to_dict() == load_pipeline(shipped).pipeline.to_dict()
