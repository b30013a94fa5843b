"""What a run sets: checked by one rule wherever it is set, and the same in every component as in a local run."""

import json
from typing import Any

import pytest

from components.training.parameters import custom_config
from pipeline.config import Config, load
from pipeline.context import RunContext, recipe, recipe_parts
from pipeline.kubeflow.parameters import checked
from pipeline.kubeflow.run_values import as_run, check_values
from pipeline.record import report_facts


def compiled_recipe(config: Config) -> str:
    return json.dumps(recipe_parts(config))


@pytest.mark.parametrize(
    ("compiled", "run", "local"),
    [
        ([], {}, []),
        (["train.epochs=5"], {"epochs": 5, "seed": 0, "architecture": "resnet18"}, ["train.epochs=5"]),
        ([], {"epochs": 50, "seed": 7}, ["train.epochs=50", "seed=7"]),
        ([], {"epochs": 2}, ["train.epochs=2", "train.warmup_epochs=1"]),
        ([], {"epochs": 1}, ["train.epochs=1", "train.warmup_epochs=0"]),
        (["model.dropout=0.2"], {"architecture": "resnet34"}, ["model.dropout=0.2", "model.architecture=resnet34"]),
    ],
)
def test_a_run_has_the_recipe_of_a_local_run_with_equal_values(
    compiled: list[str], run: dict[str, Any], local: list[str]
) -> None:
    values = as_run({"recipe": compiled_recipe(load(None, compiled)), **run})

    assert values["recipe"] == recipe(load(None, local))


def test_other_values_make_another_recipe() -> None:
    text = compiled_recipe(load())
    runs: list[dict[str, Any]] = [{}, {"epochs": 6}, {"seed": 1}, {"architecture": "resnet34"}]

    found = {as_run({"recipe": text, **run})["recipe"] for run in runs}
    found.add(recipe(load(None, ["train.label_smoothing=0"])))

    assert len(found) == 5
    assert as_run({"recipe": text, "destination": "s3://elsewhere"})["recipe"] == recipe(load())


def test_a_component_without_recipe_keeps_its_parameters() -> None:
    assert as_run({"epochs": 5}) == {"epochs": 5}


def test_the_report_states_what_the_run_was_started_with() -> None:
    config = load(None, ["train.epochs=5", "split.seed=3"])
    compiled = {
        "config": json.dumps(config.as_dict()),
        "facts": json.dumps(report_facts(config, RunContext(uri="s3://faces", destination="s3://models"))),
        "recipe": compiled_recipe(config),
    }

    values = as_run({**compiled, "data": "s3://other", "epochs": 50, "seed": 7, "architecture": "resnet34"})

    shown, facts = json.loads(values["config"]), json.loads(values["facts"])
    assert (shown["train"]["epochs"], shown["seed"], shown["model"]["architecture"]) == (50, 7, "resnet34")
    assert (facts["origin"]["data"], facts["origin"]["seed"]) == ("s3://other", 7)
    assert facts["origin"]["recipe"] == values["recipe"]
    assert facts["command"] == (
        "python -m pipeline run --data s3://other --set seed=7 --set split.seed=3 "
        "--set 'model.architecture=\"resnet34\"' --set train.epochs=50"
    )


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 34, 100])
def test_trainer_and_report_shorten_the_warm_up_alike(epochs: int) -> None:
    config = load()
    compiled = {
        "config": json.dumps(config.as_dict()),
        "facts": json.dumps(report_facts(config, RunContext(uri="s3://faces", destination="s3://models"))),
        "recipe": compiled_recipe(config),
        "data": "s3://faces",
    }

    reported = json.loads(as_run({**compiled, "epochs": epochs})["config"])["train"]
    trained = custom_config({"train_options": config.train.model_dump_json(), "epochs": epochs})["train"]

    assert reported == trained
    assert reported["epochs"] == epochs


INTEGER = {"least": 1, "most": 9}
CHOICES = {"choices": ["resnet18", "resnet34"]}
MOUNTED = {"volumes": {"ImageIngest": ["/data"]}}


@pytest.mark.parametrize(
    ("rule", "value", "taken"),
    [
        (INTEGER, "5", 5),
        (INTEGER, 5.0, 5),
        (INTEGER, 9, 9),
        (CHOICES, "resnet34", "resnet34"),
        (MOUNTED, "/data/train", "/data/train"),
        (MOUNTED, "s3://faces", "s3://faces"),
        ({"volumes": None}, "/anywhere", "/anywhere"),
    ],
)
def test_a_possible_value_is_taken_in_its_own_kind(rule: dict[str, Any], value: Any, taken: Any) -> None:
    found = checked("x", value, rule)

    assert (found, type(found)) == (taken, type(taken))


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        *((INTEGER, value) for value in (0, 10, 2.5, "2.5", "", "many", True, None, 1e300, float("inf"), float("nan"))),
        *((CHOICES, value) for value in ("vgg", "", 18)),
        *((MOUNTED, value) for value in ("", "data", "/database", "/", "minio://faces", "http://faces")),
    ],
)
def test_an_impossible_value_is_an_error_that_names_the_parameter(rule: dict[str, Any], value: Any) -> None:
    with pytest.raises(ValueError, match="^parameter epochs "):
        check_values({"n": value, "other": 1}, {"n": {"parameter": "epochs", **rule}})
