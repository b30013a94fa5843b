import gzip
from pathlib import Path
from typing import Any

import pytest

from components.images.options import ImageOptions
from components.training.options import ModelOptions, TrainOptions
from components.training.settings import Settings, read_settings

SETTINGS = Settings(ModelOptions(), TrainOptions(), ImageOptions())
CONFIG: dict[str, Any] = {"model": {}, "train": {"epochs": 7}, "image": {}, "seed": 5, "calibrate": False}


def test_sections_seed_and_calibration_are_read() -> None:
    settings = read_settings(CONFIG)

    assert (settings.train.epochs, settings.seed, settings.calibrate) == (7, 5, False)


def test_the_tuners_choice_wins() -> None:
    values = {"model.architecture": "resnet50", "train.learning_rate": 0.5}

    settings = read_settings(CONFIG, {"space": [], "values": values})

    assert (settings.model.architecture, settings.train.learning_rate) == ("resnet50", 0.5)


@pytest.mark.parametrize("key", ["image.height", "train.nothing", "epochs", "model.architecture.x"])
def test_an_option_that_no_trial_can_change_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=f"Received: {key}=1"):
        SETTINGS.with_choices({key: 1})


def test_an_impossible_value_is_refused() -> None:
    with pytest.raises(ValueError, match="learning_rate"):
        SETTINGS.with_choices({"train.learning_rate": -1.0})


def test_the_fingerprint_follows_options_seed_data_and_code(tmp_path: Path) -> None:
    file = tmp_path / "x.gz"
    file.write_bytes(gzip.compress(b"one"))
    first = SETTINGS.fingerprint([str(file)], "v1")

    assert first == SETTINGS.fingerprint([str(file)], "v1")
    assert first != SETTINGS.fingerprint([str(file)], "v2")
    assert first != SETTINGS.with_choices({"model.dropout": 0.5}).fingerprint([str(file)], "v1")
    assert first != Settings(SETTINGS.model, SETTINGS.train, SETTINGS.image, seed=1).fingerprint([str(file)], "v1")
    file.write_bytes(gzip.compress(b"two"))
    assert first != SETTINGS.fingerprint([str(file)], "v1")


def test_the_fingerprint_follows_the_weights_that_training_begins_with(tmp_path: Path) -> None:
    weights, found = tmp_path / "weights.safetensors", []
    for content in (b"one", b"two", b"one"):
        weights.write_bytes(content)
        found.append(SETTINGS.with_choices({"model.weights": str(weights)}).fingerprint([]))

    assert found[0] == found[2] != found[1]
