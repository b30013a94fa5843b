"""What tasks take: Kubeflow's launcher copies every input as a whole, so who needs a few figures isn't given images."""

import pytest
from tfx.types.standard_artifacts import Examples, Model

from components.formats.artifacts import ImageDataset
from components.plain_executor import PlainExecutor
from pipeline.config import load
from pipeline.context import RunContext, RunParameters
from pipeline.pipeline import create_components

LARGE = {ImageDataset.TYPE_NAME, Examples.TYPE_NAME, Model.TYPE_NAME}
# Nothing is large to who copies it to where it is served from, or looks at every image.
NEED = {("Pusher", "Model"), ("SimpleBaselines", ImageDataset.TYPE_NAME)}
FOLDS = ["evaluate.folds=2"]


@pytest.fixture(scope="module")
def taken() -> dict[str, list[tuple[str, str]]]:
    """By component without TFX, name and type of each artifact that it takes: of a compiled pipeline, with a search."""
    given = RunParameters("faces", "", "models", 0)
    components = create_components(load("choose-best", FOLDS), RunContext("faces", "models", parameters=given))
    return {
        component.id: [(name, channel.type.TYPE_NAME) for name, channel in component.inputs.items()]
        for component in components
        if issubclass(component.executor_spec.executor_class, PlainExecutor)
    }


def test_whoever_starts_in_a_second_fetches_only_what_it_needs(taken: dict[str, list[tuple[str, str]]]) -> None:
    found = {(component, kind) for component, inputs in taken.items() for _, kind in inputs if kind in LARGE}

    assert found == NEED


def test_those_are_the_components_without_tfx(taken: dict[str, list[tuple[str, str]]]) -> None:
    plain = {"DataDigest", "ImageIngest", "ImageSchema", "DataGate", "SimpleBaselines", "CrossFit", "BaselineFinder"}

    assert taken.keys() == {*plain, "Pusher", "Report"}


@pytest.mark.parametrize(
    ("made", "takers"),
    [
        (("ImageIngest", "images"), {"SplitBalanceAugment"}),
        (
            ("SplitBalanceAugment", "dataset"),
            {"TFRecordConverter", "SimpleBaselines", "PredictionAnalysis", "ModelExplanation", "DriftReference"},
        ),
        (("TFRecordConverter", "examples"), {"StatisticsGen", "Tuner", "Trainer", "ImageFolds", "Evaluator"}),
        (("ImageFolds", "examples"), {"Trainer.fold-1", "Trainer.fold-2"}),
        (("Trainer.fold-1", "model"), set()),
        (("Trainer", "model"), {"Evaluator", "ModelExplanation", "DriftReference", "Pusher"}),
    ],
)
def test_what_is_large_is_fetched_by_those_alone_who_need_it_as_a_whole(
    made: tuple[str, str], takers: set[str]
) -> None:
    components = {one.id: one for one in create_components(load("choose-best", FOLDS), RunContext("faces", "models"))}
    channel = components[made[0]].outputs[made[1]]

    assert {
        name for name, one in components.items() if any(taken is channel for taken in one.inputs.values())
    } == takers
