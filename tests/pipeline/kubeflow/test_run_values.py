import json
from typing import Any

from pipeline.config import load
from pipeline.kubeflow.run_values import with_run_values
from pipeline.run_context import RunContext
from pipeline.run_record import report_facts


def test_other_parameters_make_another_recipe() -> None:
    def recipe(**values: Any) -> str:
        return str(
            with_run_values({"recipe": "a", "epochs": 5, "seed": 0, "architecture": "resnet18", **values})["recipe"]
        )

    assert recipe() == recipe()
    assert recipe(destination="s3://elsewhere") == recipe()
    assert len({recipe(), recipe(epochs=6), recipe(seed=1), recipe(architecture="resnet34"), recipe(recipe="b")}) == 5


def test_a_component_without_recipe_keeps_its_parameters() -> None:
    assert with_run_values({"epochs": 5}) == {"epochs": 5}


def test_the_report_states_what_the_run_was_started_with() -> None:
    config = load(None, ["train.epochs=5", "split.seed=3"])
    compiled = {
        "config": json.dumps(config.as_dict()),
        "facts": json.dumps(report_facts(config, RunContext(uri="s3://faces", destination="s3://models"))),
        "recipe": "a",
    }

    values = with_run_values({**compiled, "data": "s3://other", "epochs": 50, "seed": 7, "architecture": "resnet34"})

    shown, facts = json.loads(values["config"]), json.loads(values["facts"])
    assert (shown["train"]["epochs"], shown["seed"], shown["model"]["architecture"]) == (50, 7, "resnet34")
    assert (facts["origin"]["data"], facts["origin"]["seed"]) == ("s3://other", 7)
    assert facts["origin"]["recipe"] == values["recipe"] != "a"
    assert facts["command"] == (
        "python -m pipeline run --data s3://other --set seed=7 --set split.seed=3 "
        "--set 'model.architecture=\"resnet34\"' --set train.epochs=50"
    )
