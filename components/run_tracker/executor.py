"""Adds to a training's run on an MLflow server what came of the model, without TFX; an absent server fails nothing."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.formats.documents import ANALYSIS, CARD, CARD_MARKDOWN, MLFLOW, REPORT, RESULTS, TRAINING
from components.formats.saved_model import serving_folder
from components.plain_executor import PlainExecutor
from components.run_tracker.figures import figures, verdict
from components.tools.files import content_digest
from components.training.mlflow_run import MlflowRun
from components.training.mlflow_tracker import METRICS, MlflowTracker
from components.training.options import MlflowOptions

# Of the run, by which the same isn't said twice: this component runs whenever the pipeline does.
_SAID = "results_digest"


class Executor(PlainExecutor):
    """Completes a run on an MLflow server."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Send what the server doesn't have yet; what keeps it from being sent is a property.

        Args:
            input_dict: see `RunTracker`.
            output_dict: `tracked`, with the properties `run` and `problem`.
            exec_properties: `mlflow` as JSON.
        """
        artifacts = {name: artifact for name, found in input_dict.items() for artifact in found}
        options = MlflowOptions.model_validate_json(exec_properties["mlflow"])
        run = _with_training(options, Path(artifacts["model_run"].uri))
        analysis, results = (ANALYSIS.read(artifacts["analysis"].uri), RESULTS.read(artifacts["evaluation"].uri))
        report = Path(artifacts["report"].uri)
        files = {
            "report": report if report.is_file() else report / REPORT,  # Kubeflow's pages need the file named
            CARD_MARKDOWN: Path(artifacts["analysis"].uri, CARD_MARKDOWN),
            CARD.name: Path(artifacts["analysis"].uri, CARD.name),
        }
        model = serving_folder(artifacts["model"].uri) if "model" in artifacts else None
        _send(run, figures(analysis, results), verdict(results, _pushed(artifacts["pushed_model"])), files, model)

        [tracked] = output_dict["tracked"]
        Path(tracked.uri).mkdir(parents=True, exist_ok=True)
        MLFLOW.write({"run_id": run.run_id, "problem": run.problem}, tracked.uri)
        tracked.set_string_custom_property("run", run.run_id or "")
        tracked.set_string_custom_property("problem", run.problem)


def _with_training(options: MlflowOptions, model_run: Path) -> MlflowRun:
    """Return the training's run, with what the server missed of the training while it was away.

    One that the training couldn't open is found again by the training's figures, whenever this component runs.
    """
    known = MLFLOW.read(model_run) if MLFLOW.exists(model_run) else {"run_id": None, "parameters": {}}
    tracker = MlflowTracker(
        options, known["parameters"], run_id=known["run_id"], mark=content_digest(model_run / TRAINING.name)
    )
    tracker.catch_up(
        [
            (row["epoch"], {name: row[name] for name in METRICS if row.get(name) is not None})
            for row in TRAINING.read(model_run)["history"]
        ]
    )
    return tracker.run


def _pushed(artifact: Any) -> dict[str, str]:
    if not artifact.get_int_custom_property("pushed"):
        return {}
    names = {"pushed_model": "pushed_destination", "pushed_version": "pushed_version", "pushed_digest": "pushed_digest"}
    return {name: artifact.get_string_custom_property(key) for name, key in names.items()}


def _send(
    run: MlflowRun, scores: Mapping[str, float], tags: Mapping[str, str], files: Mapping[str, Path], model: Path | None
) -> None:
    said = _digest(scores, tags, files, model)

    def send(client: Any, run_id: str) -> None:
        if client.get_run(run_id).data.tags.get(_SAID) != said:
            for name, value in scores.items():
                client.log_metric(run_id, name, value)
            for name, text in tags.items():
                client.set_tag(run_id, name, text)
            for file in files.values():
                client.log_artifact(run_id, str(file))
            if model is not None:
                client.log_artifacts(run_id, str(model), "model")
            client.set_tag(run_id, _SAID, said)
        if client.get_run(run_id).info.status != "FINISHED":
            client.set_terminated(run_id, "FINISHED")

    run.send(send)


def _digest(scores: Mapping[str, float], tags: Mapping[str, str], files: Mapping[str, Path], model: Path | None) -> str:
    contents = {name: content_digest(file) for name, file in files.items()}
    everything = [dict(scores), dict(tags), contents, content_digest(model)]
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:16]
