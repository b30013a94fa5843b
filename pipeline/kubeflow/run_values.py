"""What a run of a compiled pipeline sets, passed to parameters that the compiler took from the configuration."""

import json
from collections.abc import Mapping
from typing import Any

from components.training.options import TrainOptions
from pipeline.config import validate
from pipeline.config.secrets import recorded
from pipeline.context import RunContext, recipe_digest, with_run_values
from pipeline.kubeflow.parameters import checked
from pipeline.record import report_facts

Values = dict[str, Any]

_DECISIVE = ("architecture", "epochs", "seed")


def check_values(values: Values, rules: Mapping[str, Mapping[str, Any]]) -> Values:
    """Return a component's parameters with those of the run checked.

    Args:
        values: the parameters as the driver hands them over.
        rules: by name of a parameter, that of the run and what is possible; see `pipeline.kubeflow.parameters`.

    Raises:
        ValueError: an impossible value; the message names the run's parameter.
    """
    found = {key: checked(rule["parameter"], values[key], rule) for key, rule in rules.items() if key in values}
    return {**values, **found}


def as_run(values: Values) -> Values:
    """Return a component's parameters as a local run with the same values would have them.

    A component that knows a model by its recipe got what the recipe consists of, and the values that the run sets. So
    a longer training isn't taken for the model that stands at the destination already, and the report shows the
    run's values instead of the compiler's.
    """
    if "recipe" not in values:
        return values
    chosen = {name: values[name] for name in _DECISIVE if name in values}
    parts = json.loads(values["recipe"])
    train = TrainOptions.model_validate(parts["train"])
    train = train.with_epochs(chosen.pop("epochs", train.epochs))
    values = {**values, "recipe": recipe_digest({**parts, **chosen, "train": train.model_dump(mode="json")})}
    return _told_in_the_report(values) if "facts" in values else values


def _told_in_the_report(values: Values) -> Values:
    chosen = {name: values[name] for name in _DECISIVE if name in values}
    config = with_run_values(validate(json.loads(values["config"])), chosen)
    facts = report_facts(config, RunContext(uri=values["data"], destination=""))
    facts["origin"]["recipe"] = values["recipe"]
    return {**values, "config": json.dumps(recorded(config)), "facts": json.dumps(facts)}
