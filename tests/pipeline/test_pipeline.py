"""What of the configuration each component's cache key holds, and the order of the components."""

import json

import pytest

from pipeline.config import load
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
        ("train.learning_rate=0.01", {"Tuner", "Trainer", *KNOW_THE_RECIPE}),
        ("tuner.epochs=3", {"Tuner", *KNOW_THE_RECIPE}),
        ("tracking.tensorboard=false", {"Trainer", "Report"}),
        ("validate.on_anomaly=warn", {"DataGate", "Report"}),
        ("evaluate.bootstrap=10", {"PredictionAnalysis", "Report"}),
        ("evaluate.calibrate=false", {"Trainer", *KNOW_THE_RECIPE}),
        ("evaluate.flip_average=false", {"Trainer", *KNOW_THE_RECIPE}),
        ("evaluate.min_accuracy=0.9", {"Evaluator", "Report"}),
        ("evaluate.gain_confidence=0.95", {"Evaluator", "Report"}),
    ],
)
def test_an_option_reruns_those_who_read_it(override: str, changed: set[str]) -> None:
    before, after = keys(), keys(override)

    assert {name for name in before if before[name] != after[name]} == changed


def test_components_stand_in_the_order_of_the_data() -> None:
    components = create_components(load("choose-best"), RunContext(uri="faces", destination="models"))

    seen: set[str] = set()
    for component in components:
        assert {node.id for node in component.upstream_nodes} <= seen
        seen.add(component.id)


def test_the_reports_graph_holds_what_a_component_takes_and_what_it_waits_for() -> None:
    graph = json.loads(str(keys()["Report"]["graph"]))

    assert graph["Trainer"] == ["DataGate", "TFRecordConverter", "Tuner"]
    assert graph["Tuner"] == ["DataGate", "TFRecordConverter"]
    assert graph["ImageIngest"] == []
