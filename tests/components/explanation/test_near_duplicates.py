"""Versions of pictures that were planted in another split, found by an untrained network and their pixels."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from explained_data import cloud, clouds, row, untrained_model, write_dataset

from components.explanation.embeddings import Embeddings, embed_originals
from components.explanation.near_duplicates import Rule, find_pairs, learn_rule
from components.explanation.served_model import ServedModel
from components.formats.dataset import ImageRow
from components.formats.found_images import find_images
from components.images.codec import encode

TRAIN, FIRST = 60, 1000  # pictures of train, and their seeds


def versions() -> dict[str, bytes]:
    """Versions of the first pictures of train, each made in another way."""
    pixels = [cloud(FIRST + number) for number in range(6)]
    brighter = np.clip(pixels[2] * 1.15 + 8, 0, 255).astype(np.uint8)
    return {
        "encoded": encode(pixels[0], "jpeg", 40),
        "cropped": encode(np.ascontiguousarray(pixels[1][3:, :-3]), "jpeg", 70),
        "brighter": encode(brighter, "png"),
        "smaller": encode(cv2.resize(pixels[3], (40, 40), interpolation=cv2.INTER_AREA), "jpeg", 90),
        "grey": encode(cv2.cvtColor(pixels[4], cv2.COLOR_RGB2GRAY), "png"),
        "same": encode(pixels[5], "png"),
    }


def data() -> dict[str, list[ImageRow]]:
    train = clouds("train", TRAIN, FIRST)
    planted = [row(f"test/{name}.jpg", "test", image) for name, image in versions().items()]
    grouped = [row("test/grouped.jpg", "test", encode(cloud(FIRST + 7), "jpeg", 60), group=train[7].group)]
    copied = [row("test/copy.jpg", "test", encode(cloud(FIRST + 8), "jpeg", 60), copy=1)]
    in_eval = [row("eval/encoded.jpg", "eval", encode(cloud(FIRST + 9), "jpeg", 60))]
    of_eval = [row("test/of_eval.jpg", "test", encode(cloud(3000), "jpeg", 60))]
    test = [*clouds("test", 40, 2000), *planted, *grouped, *copied, *of_eval]
    return {"train": train, "eval": [*clouds("eval", 20, 3000), *in_eval], "test": test}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    return ServedModel(untrained_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("dataset"), data())


@pytest.fixture(scope="module")
def embeddings(model: ServedModel, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Embeddings:
    return embed_originals(dataset, model.embed, tmp_path_factory.mktemp("features") / "features")


@pytest.fixture(scope="module")
def rule(model: ServedModel, dataset: Path, embeddings: Embeddings) -> Rule:
    return learn_rule(embeddings, partial(find_images, dataset), model.embed)


def test_originals_have_features_of_unit_length_and_copies_have_none(embeddings: Embeddings, dataset: Path) -> None:
    names = [one.id for split in ("train", "eval", "test") for one in data()[split] if one.copy == 0]

    assert embeddings.names.tolist() == names
    assert embeddings.of("eval").names.tolist() == [name for name in names if name.startswith("eval/")]
    np.testing.assert_allclose(np.linalg.norm(embeddings.features, axis=1), 1.0, rtol=1e-5)


def test_the_rule_finds_as_many_versions_as_it_says(rule: Rule, embeddings: Embeddings) -> None:
    assert rule.versions == (embeddings.splits != "train").sum()
    assert 0.85 <= rule.found <= 0.95
    assert rule.pixels >= 0.9


def test_planted_versions_are_found_and_nothing_else(rule: Rule, embeddings: Embeddings, dataset: Path) -> None:
    pairs = find_pairs(embeddings, rule, partial(find_images, dataset))

    found = {(str(embeddings.names[pair.image]), str(embeddings.names[pair.other])) for pair in pairs}
    train = [one.id for one in data()["train"]]
    planted = {(f"test/{name}.jpg", train[number]) for number, name in enumerate(versions())}
    planted |= {("eval/encoded.jpg", train[9]), ("test/of_eval.jpg", "eval/0.png")}
    assert found <= planted
    # Grey and brightened aren't what the rule was learned from; what was encoded again, cropped or scaled is.
    assert found >= {pair for pair in planted if not {"grey", "brighter"} & set(pair[0].replace(".", "/").split("/"))}
    assert pairs == sorted(pairs, key=lambda pair: -pair.pixels)


def test_a_split_without_images_has_no_pairs(model: ServedModel, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", {"train": clouds("train", 3, 0)})
    embeddings = embed_originals(dataset, model.embed, tmp_path / "features")
    read = partial(find_images, dataset)

    rule = learn_rule(embeddings, read, model.embed)

    assert (rule.versions, find_pairs(embeddings, rule, read)) == (0, [])


def test_an_image_that_the_model_cannot_decode_is_named(model: ServedModel, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", {"train": [*clouds("train", 2, 0), row("train/bad.png", "train", b"x")]})

    with pytest.raises(ValueError, match=r"the model couldn't decode train/bad\.png: ingest the data again"):
        embed_originals(dataset, model.embed, tmp_path / "features")
