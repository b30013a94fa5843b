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
        ("split.group_regex=^(a)", {"SplitBalanceAugment", "DriftReference", *KNOW_THE_RECIPE}),
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
        ("push.min_agreement=0.9", {"Report"}),
        ("predict.embeddings=true", {"Report"}),  # nothing is predicted
    ],
)
def test_an_option_reruns_those_who_read_it(override: str, changed: set[str]) -> None:
    before, after = keys(), keys(override)

    assert {name for name in before if before[name] != after[name]} == changed


def test_what_is_to_be_predicted_is_predicted_by_what_was_pushed() -> None:
    def batch_predict(*overrides: str, to_predict: str = "abc") -> BaseComponent:
        config = load(None, ["predict.path=new", *overrides])
        components = create_components(config, RunContext("faces", "models", to_predict=to_predict))
        [found] = [one for one in components if one.id == "BatchPredict"]
        assert (
            found.inputs["pushed_model"]
            is next(one for one in components if one.id == "Pusher").outputs["pushed_model"]
        )
        return found

    first = batch_predict().exec_properties
    for other in (batch_predict("predict.embeddings=true"), batch_predict(to_predict="def")):
        assert other.exec_properties != first
    assert batch_predict("evaluate.bootstrap=10").exec_properties == first


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


def test_other_formats_are_made_of_what_is_pushed_and_go_with_it() -> None:
    components = cross_fitting("push.ensemble=true", "push.formats=[saved_model,onnx]")
    export = components["ModelExport"]

    assert export.inputs["model"] is components["Pusher"].inputs["model"]
    for taker in ("Pusher", "Report"):
        assert components[taker].inputs["exports"] is export.outputs["exports"]
    assert "ModelExport" not in cross_fitting("push.formats=[saved_model]")


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
