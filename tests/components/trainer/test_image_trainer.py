import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from drawn_weights import draw_weights
from examples_artifact import examples_artifact
from safetensors.numpy import save_file
from tfx.types import channel_utils, standard_artifacts
from trainer_examples import draw_shapes, shapes_examples

from components.formats import saved_model
from components.formats.predictions import read_predictions
from components.images.options import ImageOptions
from components.models import resnets
from components.models.torch_weights import read_weights
from components.trainer.component import ImageTrainer
from components.trainer.executor import Executor
from components.trainer.run_fn import weights_made_from
from components.training.decoding import decode_image
from components.training.options import AnswerOptions, ModelOptions, TrackingOptions, TrainOptions
from components.training.origin import weights_origin

IMAGE = ImageOptions(height=32, width=32)
TRAIN = TrainOptions(epochs=2, warmup_epochs=1, batch_size=32, learning_rate=1e-3)


def trainer(examples: standard_artifacts.Examples, **options: Any) -> ImageTrainer:
    defaults: dict[str, Any] = {
        "model_options": ModelOptions(),
        "train_options": TRAIN,
        "image_options": IMAGE,
        "tracking_options": TrackingOptions(),
        "answer_options": AnswerOptions(),
        "calibrate": 1,
        "seed": 0,
        "checkpoint_dir": "",
        "flip_average": 1,
    }
    return ImageTrainer(examples=channel_utils.as_channel([examples]), **(defaults | options))


def execute(component: ImageTrainer, examples: standard_artifacts.Examples, root: Path) -> standard_artifacts.ModelRun:
    model, model_run = standard_artifacts.Model(), standard_artifacts.ModelRun()
    model.uri, model_run.uri = str(root / "model"), str(root / "model_run")
    properties = {key: value for key, value in component.spec.exec_properties.items() if value is not None}
    Executor().Do({"examples": [examples]}, {"model": [model], "model_run": [model_run]}, properties)
    assert model_run.get_string_custom_property("model") == model.uri
    return model_run


@pytest.fixture(scope="module")
def model_run(tmp_path_factory: pytest.TempPathFactory) -> standard_artifacts.ModelRun:
    root = tmp_path_factory.mktemp("trainer")
    examples = examples_artifact(shapes_examples(root / "examples", train=48, evaluation=12))
    answers = AnswerOptions(precision=0.25, confidence=0.5, per_class=True)
    component = trainer(
        examples,
        epochs=1,
        architecture="resnet34",
        seed=3,
        checkpoint_dir=str(root / "checkpoints"),
        answer_options=answers,
    )
    return execute(component, examples, root)


@pytest.fixture(scope="module")
def outputs(model_run: standard_artifacts.ModelRun) -> Path:
    return Path(model_run.uri).parent


def test_scalar_parameters_override_the_sections(outputs: Path) -> None:
    training = json.loads((outputs / "model_run" / "training.json").read_text())

    assert (training["architecture"], training["epochs_run"], training["seed"]) == ("resnet34", 1, 3)


def test_the_figures_of_the_training_are_complete(outputs: Path) -> None:
    training = json.loads((outputs / "model_run" / "training.json").read_text())

    assert {"parameters", "precision", "devices", "best_epoch", "seconds", "images_per_second"} <= training.keys()
    assert training["temperature"] > 0
    assert training["weights"] is None
    assert (training["train_images"], training["eval_images"], training["batch_size"]) == (48, 12, 32)
    assert training["history"][0].keys() == {
        "epoch",
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
        "learning_rate",
        "seconds",
        "images_per_second",
    }
    assert list((outputs / "model_run" / "tensorboard").glob("*tfevents*"))


def test_what_the_model_was_made_from_is_said_beside_the_figures_too(outputs: Path) -> None:
    assets = outputs / "model" / "Format-Serving" / "assets.extra"

    assert saved_model.read_made_from(outputs / "model_run") == saved_model.read_made_from(assets)
    assert (outputs / "model_run" / "made_from.txt").exists()


def test_the_exported_model_serves_labels_with_its_temperature(outputs: Path) -> None:
    training = json.loads((outputs / "model_run" / "training.json").read_text())
    served = tf.saved_model.load(str(outputs / "model" / "Format-Serving"))

    answer = served.signatures["serving_default"](image_bytes=tf.constant(draw_shapes(6)[0]))

    assert {label.decode() for label in answer["label"].numpy()} <= {"circle", "square", "cross"}
    np.testing.assert_allclose(answer["probabilities"].numpy().sum(axis=1), 1.0, atol=1e-5)
    assert float(served.temperature) == pytest.approx(training["temperature"])


@pytest.mark.training
def test_a_model_from_imagenets_weights_is_exported_with_their_preprocessing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3))
    monkeypatch.setattr(keras.applications, "ResNet50", lambda **_: theirs)
    examples = examples_artifact(shapes_examples(tmp_path / "examples", train=12, evaluation=6))
    model = ModelOptions(architecture="resnet50", weights="imagenet", normalize=False, freeze=True)
    train = TrainOptions(epochs=1, warmup_epochs=0, precision="float32")

    component = trainer(examples, model_options=model, train_options=train, flip_average=0)
    execute(component, examples, tmp_path)

    folder = str(tmp_path / "model" / "Format-Serving")
    served = tf.saved_model.load(folder)
    encoded = draw_shapes(6)[0]
    pixels = np.stack([decode_image(tf.constant(data), ImageOptions(height=32, width=32)) for data in encoded])
    features = theirs(keras.applications.resnet.preprocess_input(pixels.astype("float32")), training=False)
    kernel, bias = (served.weights_by_path[f"predictions/{name}"] for name in ("kernel", "bias"))
    expected = tf.nn.softmax((tf.matmul(features, kernel) + bias) / served.temperature).numpy()
    answer = served.signatures["serving_default"](image_bytes=tf.constant(encoded))
    np.testing.assert_allclose(answer["probabilities"].numpy(), expected, atol=1e-5)

    again = resnets.resnet("resnet50", 3, (32, 32, 3), weights=folder)
    np.testing.assert_allclose(
        again(pixels.astype("float32"), training=False),
        tf.nn.softmax(tf.matmul(features, kernel) + bias).numpy(),
        atol=1e-5,
    )


@pytest.mark.training
def test_a_training_from_weights_of_pytorch_says_what_it_began_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the frozen backbone of the exported model computes what it did in PyTorch."""
    path = tmp_path / "resnet18.safetensors"
    save_file(draw_weights("resnet18", 1000), path)
    examples = examples_artifact(shapes_examples(tmp_path / "examples", train=12, evaluation=6))
    options = ModelOptions(weights=str(path), freeze=True)
    train = TrainOptions(epochs=1, warmup_epochs=0, precision="float32")

    execute(trainer(examples, model_options=options, train_options=train), examples, tmp_path)

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    training = json.loads((tmp_path / "model_run" / "training.json").read_text())
    assert training["weights"] == {"file": "resnet18.safetensors", "sha256": digest}
    assert training["conventions"] == {
        "imagenet_preprocessing": False,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "bottleneck_stride": "first",  # a ResNet-18 has no bottleneck
        "stem": "imagenet",
    }
    assert (
        f"Beginning with the weights of resnet18.safetensors (SHA-256 {digest[:12]}…); pixels are standardized by mean "
        "0.485, 0.456, 0.406 and std 0.229, 0.224, 0.225; their classifier of 1000 is left out, that of 3 classes "
        "begins at random" in capsys.readouterr().out
    )
    served = tf.saved_model.load(str(tmp_path / "model" / "Format-Serving"))
    ours = {name: value.numpy() for name, value in served.weights_by_path.items()}
    theirs = read_weights(str(path), "resnet18", 3)
    assert max(np.abs(ours[name] - theirs[name]).max() for name in theirs if "predictions" not in name) == 0.0


def test_the_digest_of_a_folder_is_that_of_its_files_digests(tmp_path: Path) -> None:
    (tmp_path / "7" / "variables").mkdir(parents=True)
    (tmp_path / "7" / "variables" / "b").write_text("bee")
    (tmp_path / "7" / "a").write_text("ay")
    lines = subprocess.run(
        ["sha256sum", "a", "variables/b"], cwd=tmp_path / "7", capture_output=True, check=True
    ).stdout

    assert weights_origin(str(tmp_path / "7")) == {"file": "7", "sha256": hashlib.sha256(lines).hexdigest()}
    assert weights_origin("imagenet") == "imagenet"
    assert weights_origin(None) is None


def serve_eval(outputs: Path) -> tuple[list[bytes], dict[str, Any]]:
    served = tf.saved_model.load(str(outputs / "model" / "Format-Serving"))
    files = sorted((outputs / "examples" / "Split-eval").glob("*.gz"))
    examples = list(tf.data.TFRecordDataset(list(map(str, files)), "GZIP").as_numpy_iterator())
    answer = served.signatures["serve_examples"](tf.constant(examples))
    return examples, {name: value.numpy() for name, value in answer.items()}


def test_the_exported_model_accepts_the_images_of_eval_that_the_promise_was_made_of(
    outputs: Path, model_run: standard_artifacts.ModelRun
) -> None:
    training = json.loads((outputs / "model_run" / "training.json").read_text())["answers"]
    in_assets = json.loads((outputs / "model" / "Format-Serving" / "assets.extra" / "training.json").read_text())
    examples, answer = serve_eval(outputs)

    assert in_assets["answers"] == training
    assert (training["precision"], training["confidence"], training["per_class"]) == (0.25, 0.5, True)
    assert [one["label"] for one in training["found"]] == ["circle", "square", "cross"]
    assert training["thresholds"] == [one["score"] for one in training["found"]]
    assert sum(one["images"] for one in training["found"]) == len(examples)
    for one in training["found"]:
        accepted = answer["accepted"][answer["label"] == one["label"].encode()]
        assert (len(accepted), accepted.sum()) == (one["images"], one["answered"])
    assert 0.0 < model_run.get_float_custom_property("answered") == answer["accepted"].mean()


def test_the_predictions_of_eval_are_those_of_the_exported_model(outputs: Path) -> None:
    examples, served = serve_eval(outputs)
    answer = served["probabilities"]
    ids = [
        tf.train.Example.FromString(one).features.feature["image/id"].bytes_list.value[0].decode() for one in examples
    ]

    np.testing.assert_allclose(read_predictions(outputs / "model_run", ids), answer, atol=1e-5)


def test_checkpoints_are_gone_after_success(outputs: Path) -> None:
    assert not list((outputs / "checkpoints").rglob("*.npz"))


def test_a_label_without_a_name_is_an_error(tmp_path: Path) -> None:
    examples = examples_artifact(shapes_examples(tmp_path / "examples", train=6, evaluation=6))
    (tmp_path / "examples" / "label_map.json").write_text(json.dumps({"labels": ["circle", "square"]}))

    with pytest.raises(ValueError, match=r"must be 0 to 1. Received: 0 to 2"):
        execute(trainer(examples), examples, tmp_path)


def test_weights_that_do_not_say_what_they_were_made_from_make_a_model_that_does_not_either(tmp_path: Path) -> None:
    saved_model.write_made_from(["a" * 64], make_assets(tmp_path / "says") / "assets.extra")
    (tmp_path / "model.keras").touch()

    assert weights_made_from(None) == weights_made_from("imagenet") == frozenset()
    assert weights_made_from(str(tmp_path / "says")) == frozenset({"a" * 16})
    assert weights_made_from(str(tmp_path / "model.keras")) is None
    assert weights_made_from(str(make_assets(tmp_path / "older"))) is None


def make_assets(model: Path) -> Path:
    (model / "assets.extra").mkdir(parents=True)
    return model
