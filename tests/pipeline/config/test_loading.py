import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from pipeline.config import PRESETS, Config, ConfigError, load, preset_name, presets, validate


def test_every_preset_loads_and_changes_something() -> None:
    assert {"facial-affect", "choose-best", "resnet-paper", "finetune"} <= set(presets())
    for name in presets():
        assert (load(name).digest() == load().digest()) == (name == "default")


def test_a_preset_is_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [preset_name(source) for source in ("photos", "photos.yaml", "mine.yaml", "configs/photos", None)] == [
        "photos",
        "photos",
        None,
        None,
        None,
    ]

    (tmp_path / "photos.yaml").write_text("seed: 7")
    assert preset_name("photos.yaml") is None
    assert load("photos.yaml").seed == 7


def test_the_default_file_holds_every_key_with_its_default() -> None:
    expected = Config().as_dict()
    expected["train"]["checkpoints"] = None  # decides nothing, so no run is compared by it
    assert yaml.safe_load((PRESETS / "default.yaml").read_text()) == expected


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("train: {epochs: 5, batch_size: 8}\n")

    config = load(file, ["train.epochs=7", "split.group_regex='^(a)'", "balance.splits=[]", "validate.on_anomaly=warn"])

    assert (config.train.epochs, config.train.batch_size, config.split.group_regex) == (7, 8, "^(a)")
    assert config.balance.splits == ()
    assert config.validation.on_anomaly == "warn"


def integers(section: type[BaseModel], above: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield each option that takes an integer of any size, and what bounds it."""
    for name, field in section.model_fields.items():
        kinds = {field.annotation, *get_args(field.annotation)}
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from integers(kind, f"{above}{name}.")
        if int in kinds:
            yield f"{above}{name}", field.metadata


def test_every_integer_has_an_upper_bound() -> None:
    found = dict(integers(Config))

    assert {"seed", "split.seed", "train.epochs", "image.width", "beam.workers"} <= set(found)
    # The target of a balanced split may be a word; its own check bounds the number.
    unbounded = [key for key, limits in found.items() if not {"Le", "Lt"} & {type(one).__name__ for one in limits}]
    assert unbounded == ["balance.target"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.epoch=3", r"unknown key train\.epoch\. Allowed here: augment, batch_size"),
        ("trian.epochs=3", r"unknown key trian\. Allowed here: augment, balance"),
        ("train.epochs=-1", r"train\.epochs: .*greater than or equal to 1\. Received: -1"),
        (f"train.epochs={'9' * 4000}", r"train\.epochs: .*less than or equal to 1000000\. Received: 9{20,200}…?"),
        ("data.path=[]", r"data\.path: names a folder, or several, none of them empty"),
        ("data.path=x/{YYYY}-{DD}", r"data\.path: a path with dates has .* Received: x/\{YYYY\}-\{DD\}"),
        ("data.until=2026-13", r"data\.until: a date is 2026, 2026-11 or 2026-11-30\. Received: 2026-13"),
        ("push.registry=http://", r"push\.registry: it must be an http:// or https:// URL"),
        ("push.registry='http://[::1'", r"push\.registry: it must be an http:// or https:// URL"),
        ("push.registry=http://host:99999", r"push\.registry: it must be an http:// or https:// URL"),
        ("train.epochs=many", r"train\.epochs: .*Received: 'many'"),
        ("split.train=0.8", r"split\.train \+ split\.eval \+ split\.test must be 1\. Received: 1\.1"),
        ("image.height=-5", r"image\.height: .*Received: -5"),
        ("model.architecture=vgg16", r"model\.architecture: .*'resnet18'.*Received: 'vgg16'"),
        ("balance.splits=[train, dev]", r"balance\.splits\.1: .*'test'.*Received: 'dev'"),
        ("train", "--set requires section.key=value"),
        ("seed.x=1", "seed"),
        ("train.epochs=[", "not YAML"),
        ("image.height=31", r"image\.height: .*greater than or equal to 32\. Received: 31"),
        ("seed=4294967296", r"seed: .*less than 4294967296"),
        ("split.group_regex='('", r"split\.group_regex: not a regular expression .*Received: '\('"),
        ("split.group_regex='a+'", r"split\.group_regex: a group in parentheses .*Received: 'a\+'"),
        ("model.weights=imagenet", r"imagenet exist for resnet50, .* Received: model\.architecture=resnet18"),
        ("model={weights: imagenet, architecture: resnet50}", r"requires .*model\.normalize=false.*normalize=True"),
        (
            "model.weights=r18.pth",
            r"takes no pickle, .*torch\.load\('r18\.pth', weights_only=True\).*Received: r18\.pth",
        ),
        (
            "model={weights: a.safetensors, normalize: false}",
            r"a\.safetensors is for pixels in \[0, 1\], which requires ",
        ),
        ("model.mean=[0.5, 0.5, 0.5]", r"model\.mean and model\.std go together.* model\.std=None"),
        ("model={mean: [124, 117, 104], std: [58, 57, 57]}", r"model\.mean must be in \[0, 1\] .* by 255\. Received: "),
        (
            "model={mean: [0.5], std: [0.5]}",
            r"a number for each of image\.channels=3\. Received: model\.mean=\(0\.5,\)",
        ),
        (
            "model={weights: imagenet, architecture: resnet50, normalize: false, mean: [0, 0, 0], std: [1, 1, 1]}",
            r"model\.weights=imagenet have their own normalization",
        ),
        ("model.bottleneck_stride=last", r"model\.bottleneck_stride: .*'first' or 'middle'\. Received: 'last'"),
        (
            "train.head_epochs=2",
            r"train\.head_epochs=2 needs pretrained weights: set model\.weights, or leave it out\. Received: null",
        ),
        ("train.layer_decay=0.5", r"train\.layer_decay=0\.5 needs pretrained weights: .*\. Received: null"),
        (
            "train={head_epochs: 4, epochs: 4, warmup_epochs: 0}",
            r"below train\.epochs .* Received: train\.head_epochs=4, ",
        ),
        ("train={head_epochs: 4, patience: 3}", r"at most train\.patience, .* train\.patience=3"),
        ("train={epochs: 6, head_epochs: 3, warmup_epochs: 3}", r"below train\.epochs less train\.head_epochs=3\. "),
        ("model.freeze=true", r"model\.freeze=true .* name some\. Received: null"),
        ("tuner.search={train.rate: [1]}", r"tuner\.search takes options of model and train\. Received: train\.rate"),
        ("tuner.search={seed: [1]}", r"tuner\.search takes options of model and train\. Received: seed"),
        ("tuner.search={model.dropout: []}", r"tuner\.search requires values.*model\.dropout=\[\]"),
        ("tuner.search={train.learning_rate: [-1]}", r"tuner\.search: train\.learning_rate: .*Received: -1"),
        ("tuner.search={train.epochs: [3, 5]}", r"can't take train\.epochs: all that is tried has the same epochs"),
        (
            "tuner.search={model.weights: [null, a.keras]}",
            r"model\.weights: .*one kind\. Received: \[None, 'a\.keras'\]",
        ),
        ("tuner.search={train.augment: [{flip: true}]}", r"train\.augment: KerasTuner requires numbers or texts"),
        (
            "model={weights: resnet18.safetensors, stem: small}",
            r"are of a network with model\.stem=imagenet: leave it at auto\. Received: model\.stem=small",
        ),
        ("train.size_schedule=[[1.0, 0.5]]", r"both between 0 and 1\. Received: \[\[1\.0, 0\.5\]\]"),
        ("tuner={enabled: true, epochs: 99}", r"tuner\.epochs must be at most train\.epochs.* Received: 99 of 20"),
        ("train.learning_rate=.nan", r"train\.learning_rate: .*finite"),
        (
            "kubeflow.components.Trainer.retry={count: 3, backoff: 10m, factor: 2, longest: 1h}",
            r"the pauses before 3 retries alone make 4200s\. Received: 1h",
        ),
        ("kubeflow.components.Trainer.retry.factor=1.5", r"retry\.factor: .*integer.*Received: 1\.5"),
    ],
)
def test_a_bad_override_names_the_key_and_what_is_allowed(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(None, [override])


def keys_of(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield all keys of a section and of those below it; those of a component's options as the Trainer's."""
    for name, field in model.model_fields.items():
        key, kind = (*above, field.alias or name), field.annotation
        yield key
        if get_origin(kind) is dict:
            key, kind = (*key, "Trainer"), get_args(kind)[1]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from keys_of(kind, key)


def message_of(key: tuple[str, ...], value: Any) -> str:
    """Return what is said of a value; "" where it is one."""
    for part in reversed(key):
        value = {part: value}
    try:
        validate(value)
    except ConfigError as error:
        return str(error)
    return ""


_PYDANTICS_OWN = r"instance of|Options\b|valid (dictionary|list|tuple|string|integer|boolean|number)|unable to parse"


@pytest.mark.parametrize("bad", [False, None, 3, 2.5, "x", [1], [["a"]], {"q": 1}], ids=repr)
def test_a_value_of_another_kind_is_said_in_words_of_the_configuration(bad: Any) -> None:
    for key in keys_of(Config):
        assert not re.search(_PYDANTICS_OWN, message_of(key, bad))


def test_a_section_that_is_given_a_value_says_which_keys_it_has() -> None:
    with pytest.raises(
        ConfigError, match=r"train\.augment is a section: set its keys, flip, rotation, .*\. Received: false$"
    ):
        load(None, ["train.augment=false"])
    with pytest.raises(ConfigError, match=r"split is a section: set its keys, train, eval, .*\. Received: 3$"):
        load(None, ["split=3"])


def test_a_runner_that_beam_does_not_have_is_named() -> None:
    with pytest.raises(ConfigError, match=r"beam\.runner: Beam has the runners .*FlinkRunner.* Received: 'Flonk'"):
        load(None, ["beam.runner=Flonk"])
    for known in ("flink", "FlinkRunner", "directrunner", "some.module.Runner"):
        assert load(None, [f"beam.runner={known}"]).beam.runner == known


def test_smaller_images_that_cannot_get_smaller_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"no effect: no side .* smaller than 32 pixels\. Received: images of 32×32"):
        load(None, ["image={height: 32, width: 32}", "train.size_schedule=[[0.5, 0.5]]"])


def test_a_frozen_backbone_has_no_second_stage() -> None:
    with pytest.raises(
        ConfigError, match=r"train\.layer_decay=0\.7 is for a backbone that learns: set model\.freeze=false"
    ):
        load("finetune", ["model.freeze=true", "train.head_epochs=0"])


@pytest.mark.parametrize(("epochs", "head", "warmup"), [(16, 4, 1), (4, 2, 1), (2, 1, 0), (1, 0, 0)])
def test_a_shorter_run_keeps_both_stages_as_far_as_it_can(epochs: int, head: int, warmup: int) -> None:
    train = load("finetune", []).train.with_epochs(epochs)

    assert (train.epochs, train.head_epochs, train.warmup_epochs) == (epochs, head, warmup)


def test_a_file_that_is_missing_or_no_yaml_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [")
    with pytest.raises(ConfigError, match=r"bad\.yaml is not YAML"):
        load(bad)
    with pytest.raises(ConfigError, match=r"no configuration file nothing\.yaml\. Presets: choose-best"):
        load("nothing.yaml")
    bad.write_text("- 1")
    with pytest.raises(ConfigError, match="must hold sections"):
        load(bad)


def test_the_digest_tells_configurations_apart() -> None:
    assert load(None, ["train.epochs=5"]).digest() == load(None, ["train.epochs=5"]).digest() != load().digest()


def test_searched_values_are_of_their_options_type() -> None:
    search = load(None, ["tuner.search={model.dropout: [0, 0.2], train.learning_rate: [0.001, 1e-4]}"]).tuner.search

    assert search == {"model.dropout": [0.0, 0.2], "train.learning_rate": [0.001, 0.0001]}
    assert {type(value) for values in search.values() for value in values} == {float}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("train: " + "[" * 5000 + "]" * 5000, "it is nested too deeply", id="lists in lists"),
        pytest.param("".join(" " * i + "a:\n" for i in range(2000)), "it is nested too deeply", id="keys in keys"),
        pytest.param("seed: " + "9" * 5000, "Exceeds the limit", id="a long number"),
        pytest.param("seed: 2026-02-31", "day is out of range for month", id="no day"),
    ],
)
def test_what_no_person_writes_is_a_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=reason) as caught:
        load(file)

    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 400
