"""What of the configuration each component's cache key holds, and the order of the components."""

import json

import pytest
from tfx.dsl.components.base.base_component import BaseComponent

from pipeline.config import ConfigError, load
from pipeline.context import RunContext
from pipeline.pipeline import create_components

# They know a model by its recipe, or show the configuration.
KNOW_THE_RECIPE = {"BaselineFinder", "PredictionAnalysis", "Pusher", "Report"}


def keys(*overrides: str) -> dict[str, dict[str, object]]:
    components = create_components(load("choose-best", overrides), RunContext(uri="faces", destination="models"))
    return {component.id: dict(component.exec_properties) for component in components}


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("data.max_pixels=1000000", {"ImageIngest", "ImageSchema", *KNOW_THE_RECIPE}),
        ("split.group_regex=^(a)", {"SplitBalanceAugment", *KNOW_THE_RECIPE}),
        ("data.near_duplicates=group", {"SplitBalanceAugment", *KNOW_THE_RECIPE}),
        ("balance.global_multiplier=2", {"SplitBalanceAugment", *KNOW_THE_RECIPE}),
        ("balance.max_copies_per_image=9", {"SplitBalanceAugment", *KNOW_THE_RECIPE}),
        # What copies no longer fill up, the loss no longer makes up for.
        ("balance.splits=[test]", {"SplitBalanceAugment", "Tuner", "Trainer", *KNOW_THE_RECIPE}),
        ("train.imbalance=sqrt", {"Tuner", "Trainer", *KNOW_THE_RECIPE}),
        ("train.learning_rate=0.01", {"Tuner", "Trainer", *KNOW_THE_RECIPE}),
        ("tuner.epochs=3", {"Tuner", *KNOW_THE_RECIPE}),
        ("tracking.tensorboard=false", {"Trainer", "Report"}),
        ("validate.on_anomaly=warn", {"DataGate", "Report"}),
        ("evaluate.bootstrap=10", {"PredictionAnalysis", "Report"}),
        ("report.suspects=10", {"PredictionAnalysis", "Report"}),
        ("push.registry_model=faces", {"Report"}),
        ("notify.webhook_env=HOOK", {"Report"}),
        ("evaluate.calibrate=false", {"Trainer", *KNOW_THE_RECIPE}),
        ("evaluate.flip_average=false", {"Trainer", *KNOW_THE_RECIPE}),
        ("evaluate.target_precision=0.9", {"Trainer", *KNOW_THE_RECIPE}),
        ("evaluate.target_per_class=true", {"Report"}),
        ("evaluate.min_accuracy=0.9", {"Evaluator", "Report"}),
        ("evaluate.beat_baselines=false", {"Evaluator", "Report"}),
        ("evaluate.gain_confidence=0.95", {"Evaluator", "Report"}),
        ("evaluate.min_slice_accuracy=0.7", {"Evaluator", "Report"}),
        ("evaluate.slice_on=[camera]", {"Evaluator", "Report"}),
        ("explain.map_points=100", {"ModelExplanation", "Report"}),
    ],
)
def test_an_option_reruns_those_who_read_it(override: str, changed: set[str]) -> None:
    before, after = keys(), keys(override)

    assert {name for name in before if before[name] != after[name]} == changed


def test_components_stand_in_the_order_of_the_data() -> None:
    config = load("choose-best", ["evaluate.folds=3", "push.ensemble=true"])
    components = create_components(config, RunContext(uri="faces", destination="models"))

    seen: set[str] = set()
    for component in components:
        assert {node.id for node in component.upstream_nodes} <= seen
        seen.add(component.id)


def cross_fitting(*overrides: str) -> dict[str, BaseComponent]:
    config = load("choose-best", ["evaluate.folds=2", *overrides])
    return {one.id: one for one in create_components(config, RunContext(uri="faces", destination="models"))}


def test_folds_change_nothing_of_the_model_that_is_pushed() -> None:
    with_folds = {name: dict(one.exec_properties) for name, one in cross_fitting().items()}

    assert {name for name, found in keys().items() if found != with_folds[name]} == {"Report"}


def test_folds_are_trained_as_the_model_is_with_what_the_tuner_chose_and_on_no_image_of_test() -> None:
    components = cross_fitting("train.epochs=7", "seed=3")
    trainers = [components[f"Trainer.fold-{fold}"] for fold in (1, 2)]

    for fold, trainer in enumerate(trainers, 1):
        assert trainer.exec_properties == {**components["Trainer"].exec_properties, "fold": fold}
        assert trainer.inputs["hyperparameters"] is components["Tuner"].outputs["best_hyperparameters"]
        assert trainer.inputs["examples"] is components["ImageFolds"].outputs["examples"]


def test_an_ensemble_is_evaluated_and_pushed_in_the_trainers_place() -> None:
    components = cross_fitting("push.ensemble=true")
    model = components["Ensemble"].outputs["model"]

    assert components["Evaluator"].inputs["model"] is model
    assert components["Pusher"].inputs["model"] is model
    other = cross_fitting()["Pusher"].exec_properties["recipe"]
    assert components["Pusher"].exec_properties["recipe"] != other


@pytest.mark.parametrize("folds", [0, 1])
def test_less_than_two_folds_are_none(folds: int) -> None:
    components = create_components(load(None, [f"evaluate.folds={folds}"]), RunContext("faces", "models"))

    assert not {one.id for one in components} & {"ImageFolds", "CrossFit", "Trainer.fold-1"}
    with pytest.raises(ConfigError, match=rf"at least 2\. Received: evaluate\.folds={folds}"):
        load(None, ["push.ensemble=true", f"evaluate.folds={folds}"])


def test_the_reports_graph_holds_what_a_component_takes_and_what_it_waits_for() -> None:
    graph = json.loads(str(keys()["Report"]["graph"]))

    assert graph["Trainer"] == ["DataGate", "TFRecordConverter", "Tuner"]
    assert graph["Tuner"] == ["DataGate", "TFRecordConverter"]
    assert graph["ImageIngest"] == []
