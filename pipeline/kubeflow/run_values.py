"""What a run of a compiled pipeline sets anew, told to parameters that the compiler took from the configuration."""

import hashlib
import json
from typing import Any

from pipeline.config import Config, validate
from pipeline.run_context import RunContext
from pipeline.run_record import report_facts

Values = dict[str, Any]

_DECISIVE = ("architecture", "epochs", "seed")


def with_run_values(values: Values) -> Values:
    """A component's parameters, with those of the run in its recipe and in what the report says of it.

    Otherwise a longer training would be taken for the model that stands at the destination already, and pushed without
    comparison; and the report would show the compiler's defaults.
    """
    if "recipe" not in values:
        return values
    chosen = {name: values[name] for name in _DECISIVE if name in values}
    text = json.dumps([values["recipe"], chosen], sort_keys=True)
    values = {**values, "recipe": hashlib.sha256(text.encode()).hexdigest()[:16]}
    return _told_in_the_report(values, chosen) if "facts" in values else values


def _told_in_the_report(values: Values, chosen: Values) -> Values:
    config = _configured(json.loads(values["config"]), chosen)
    facts = report_facts(config, RunContext(uri=values["data"], destination=""))
    facts["origin"]["recipe"] = values["recipe"]
    return {**values, "config": json.dumps(config.as_dict()), "facts": json.dumps(facts)}


def _configured(config: Values, chosen: Values) -> Config:
    config = {**config, "train": dict(config["train"]), "model": dict(config["model"])}
    places = {"architecture": config["model"], "epochs": config["train"], "seed": config}
    for name, value in chosen.items():
        places[name][name] = value
    return validate(config)
