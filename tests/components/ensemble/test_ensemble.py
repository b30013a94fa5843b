"""Exported models averaged into one: what it answers is held against what its members answer."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts
from trainer_examples import SHAPES, draw_shapes, example

from components.ensemble.combine import Ensemble, combine
from components.ensemble.executor import Executor
from components.formats.artifacts import Analysis
from components.formats.examples import read_labels
from components.formats.folds import ENSEMBLE
from components.formats.saved_model import ASSETS, read_made_from, serving_folder, write_made_from
from components.models.pretrained import load_weights
from components.training.export import export

LABELS = ["circle", "square", "cross"]
MEMBERS = 3


def network(seed: int) -> keras.Model:
    """A small one, since averaging doesn't depend on what is averaged."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((SHAPES.height, SHAPES.width, 3))
    maps = keras.layers.Conv2D(8, 5, 4, activation="relu")(keras.layers.Rescaling(1 / 255)(inputs))
    pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(maps)
    spread = keras.initializers.RandomNormal(0, 9)
    return keras.Model(inputs, keras.layers.Dense(len(LABELS), kernel_initializer=spread, name="predictions")(pooled))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("members")
    for number in range(MEMBERS):
        folder = serving_folder(root / str(number))
        training = {"parameters": 100 + number, "temperature": 1.0 + number}
        export(network(number), str(folder), LABELS, SHAPES, 1.0 + number, training, flip_average=number == 1)
        write_made_from([f"{number}".ljust(64, "0"), "f" * 64], folder / ASSETS)
    return [root / str(number) for number in range(MEMBERS)]


@pytest.fixture(scope="module")
def made(models: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ensemble")
    inputs = {}
    for number, uri in enumerate(models, 1):
        model = standard_artifacts.Model()
        model.uri = str(uri)
        inputs[f"model_{number:02d}"] = [model]
    whole, described = standard_artifacts.Model(), Analysis()
    whole.uri, described.uri = str(root / "model"), str(root / "ensemble")
    Executor().Do(inputs, {"model": [whole], "ensemble": [described]}, {})
    assert described.get_string_custom_property("model") == whole.uri
    return root


def answers(folder: Path, signature: str, images: list[bytes]) -> dict[str, np.ndarray]:
    [(name, _)] = tf.saved_model.load(str(folder)).signatures[signature].structured_input_signature[1].items()
    answer = tf.saved_model.load(str(folder)).signatures[signature](**{name: tf.constant(images)})
    return {key: value.numpy() for key, value in answer.items()}


@pytest.mark.parametrize("signature", ["serving_default", "serve_examples"])
def test_probabilities_are_the_mean_of_the_members(models: list[Path], made: Path, signature: str) -> None:
    images = draw_shapes(6)[0]
    given = images if signature == "serving_default" else [example(image) for image in images]

    whole = answers(serving_folder(made / "model"), signature, given)

    each = [answers(serving_folder(model), signature, given)["probabilities"] for model in models]
    mean = np.mean(each, axis=0)
    assert np.abs(np.array(each) - mean).max() > 0.05, "members that agree would show nothing"
    np.testing.assert_allclose(whole["probabilities"], mean, atol=1e-6)
    np.testing.assert_allclose(whole["score"], mean.max(axis=1), atol=1e-6)
    assert [label.decode() for label in whole["label"]] == [LABELS[index] for index in mean.argmax(axis=1)]


def test_what_cannot_be_decoded_has_no_label_and_the_others_do_not_notice(made: Path) -> None:
    images = draw_shapes(2)[0]

    whole = answers(serving_folder(made / "model"), "serving_default", [images[0], b"no image", images[1]])

    assert [bool(label) for label in whole["label"]] == [True, False, True]
    assert np.isnan(whole["score"]).tolist() == [False, True, False]
    alone = answers(serving_folder(made / "model"), "serving_default", images)
    np.testing.assert_allclose(whole["probabilities"][[0, 2]], alone["probabilities"], atol=1e-6)


def test_it_says_what_it_is_made_of(made: Path) -> None:
    assets = serving_folder(made / "model") / ASSETS

    assert read_labels(assets) == LABELS
    assert set(read_made_from(assets) or ()) == {"0" * 16, "1".ljust(16, "0"), "2".ljust(16, "0"), "f" * 16}
    described = ENSEMBLE.read(made / "ensemble")
    assert (described["members"], described["parameters"]) == (3, 303)
    assert described["temperatures"] == [1.0, 2.0, 3.0]
    assert described["megabytes"] > 0


def test_a_training_cannot_begin_with_it_and_is_told_what_with(made: Path) -> None:
    with pytest.raises(ValueError, match=r"average of several models \(push\.ensemble\): begin with the model of one"):
        load_weights(network(0), str(serving_folder(made / "model")), "resnet18", lambda _: network(0))


class Member(tf.Module):
    """A model with outputs that this pipeline may give one day."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = tf.Variable(value)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def embed(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.size(image_bytes)
        return {
            "features": tf.fill([count, 2], self.value),
            "map": tf.fill([count, 3, 3, 1], self.value),
            "accepted": tf.fill([count], self.value > 1.5),
        }


def test_other_outputs_are_put_side_by_side_averaged_or_agreed_on(tmp_path: Path) -> None:
    folders = []
    for value in (1.0, 2.0):
        member = Member(value)
        tf.saved_model.save(member, str(tmp_path / str(value)), signatures={"embed": member.embed})
        folders.append(tmp_path / str(value))

    combine(folders, tmp_path / "whole", LABELS)

    found = answers(tmp_path / "whole", "embed", [b"", b""])
    assert found["features"].tolist() == [[1, 1, 2, 2]] * 2
    assert found["map"].shape == (2, 3, 3, 1)
    assert (found["map"] == 1.5).all()
    assert found["accepted"].tolist() == [False, False]


def test_a_whole_of_one_answers_as_that_one(models: list[Path]) -> None:
    member = tf.saved_model.load(str(serving_folder(models[0])))
    images = tf.constant(draw_shapes(3)[0])

    whole = Ensemble([member], LABELS).answers["serving_default"](images)

    np.testing.assert_allclose(
        whole["probabilities"], member.signatures["serving_default"](image_bytes=images)["probabilities"], atol=1e-6
    )
