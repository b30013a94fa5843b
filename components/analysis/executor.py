"""Runs the analysis inside TFX."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from tfx import types
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types.artifact_utils import get_single_instance

from components.analysis.analyse import analyse
from components.analysis.answers import check_answers
from components.analysis.cross_fit import of_ensemble, read_cross_fit, read_held_out
from components.analysis.leak import leak
from components.analysis.model_card import as_markdown, make_card
from components.analysis.options import AnalysisOptions
from components.analysis.pictures import make_pictures
from components.analysis.slices import judged_slices
from components.analysis.suspects import about_suspects
from components.formats.dataset import write_table
from components.formats.documents import (
    ANALYSIS,
    CARD,
    CARD_MARKDOWN,
    PICTURES,
    PREDICTIONS,
    RESULTS,
    SUMMARY,
    TRAINING,
)
from components.formats.examples import read_labels
from components.formats.saved_model import read_made_from
from components.formats.stored_at import stored_at
from components.formats.suspects import expected_wrong, shown_rows
from components.images.options import ImageOptions
from components.scoring.predictions import Predictions, read_split
from components.tools.files import write_text

# Whoever has asked the model already: the Trainer when it fitted the temperature, and the Evaluator.
_PREDICTED_BY = {"eval": "model_run", "test": "evaluation"}


class Executor(BaseExecutor):
    """Says how far a model can be trusted, from what it said of eval and test."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Analyse and write the JSON, the predictions, pictures for the report, and the model card.

        Args:
            input_dict: `dataset`, `labels`, `model_run`, `evaluation`; `cross_fit` and `ensemble` where they are.
            output_dict: `analysis`.
            exec_properties: `options` and `image` as JSON; `seed`; `recipe`.
        """
        inputs = {name: get_single_instance(artifacts) for name, artifacts in input_dict.items() if artifacts}
        uris = {name: Path(artifact.uri) for name, artifact in inputs.items()}
        options = AnalysisOptions.model_validate_json(exec_properties["options"])
        image = ImageOptions.model_validate_json(exec_properties["image"])
        labels = read_labels(uris["labels"])
        training = TRAINING.read(uris["model_run"])
        by_split = {split: read_split(uris["dataset"], split, labels, uris[by]) for split, by in _PREDICTED_BY.items()}
        held_out = read_held_out(uris, labels)
        ensemble = of_ensemble(uris["ensemble"]) if "ensemble" in uris else None
        if ensemble is not None:
            training |= ensemble
            by_split["eval"] = held_out["eval"]  # of which its members know others
        temperature = training.get("temperature") if options.calibrate else None
        judged = {**by_split, **held_out}
        findings = analyse(by_split, labels, temperature, options.bootstrap, int(exec_properties["seed"]), judged)
        findings |= {"cross_fit": read_cross_fit(uris), "ensemble": ensemble}
        findings["answers"] = check_answers(by_split["test"], labels, training.get("answers"))
        findings["about_suspects"] = about_suspects(judged, options.suspects)
        findings["data"] = _data(SUMMARY.read(uris["dataset"]))
        findings["data"]["leak"] = leak(read_made_from(uris["model_run"]), uris["dataset"])
        results = RESULTS.read(uris["evaluation"])
        findings |= {"baselines": results["baselines"], "slices": judged_slices(results)}
        lineage = {name: stored_at(artifact) for name, artifact in inputs.items()}
        made_by = inputs.get("ensemble", inputs["model_run"])
        lineage["model"] = made_by.get_string_custom_property("model")
        lineage = dict(sorted(lineage.items())) | {
            "recipe": exec_properties["recipe"],
            "data": findings["data"]["data_digest"],
        }
        card = make_card(findings, training, image.model_dump(), lineage)

        analysis = get_single_instance(output_dict["analysis"])
        target = Path(analysis.uri)
        target.mkdir(parents=True, exist_ok=True)
        write_table(_table({**held_out, **by_split}, labels), target / PREDICTIONS)
        CARD.write(card, target)
        write_text(as_markdown(card), target / CARD_MARKDOWN)
        PICTURES.write(make_pictures(uris["dataset"], findings, by_split["test"]), target)
        ANALYSIS.write(findings, target)
        metrics = findings["test"]["metrics"]
        for name in ("accuracy", "macro_f1"):
            analysis.set_float_custom_property(name, metrics[name]["value"])
            for bound in ("low", "high"):
                if metrics[name][bound] is not None:
                    analysis.set_float_custom_property(f"{name}_{bound}", metrics[name][bound])
        for name in ("answered", "precision"):
            if (score := findings["answers"][name]) is not None and score["value"] is not None:
                analysis.set_float_custom_property(name, score["value"])
        listed = shown_rows(findings)
        analysis.set_int_custom_property("suspects", len(listed))
        analysis.set_int_custom_property("suspects_expected", expected_wrong(listed))


def _data(summary: dict[str, Any]) -> dict[str, Any]:
    splits = {
        split: {kind: sum(counts[kind] for counts in by_label.values()) for kind in ("originals", "copies")}
        for split, by_label in summary["counts"].items()
    }
    images = sum(counts["originals"] for counts in splits.values())
    return {
        "images": images,
        "splits": splits,
        "split_seed": summary["seed"],
        "data_digest": summary["data_digest"],
    }


def _table(by_split: dict[str, Predictions], labels: list[str]) -> pa.Table:
    """Return one row an image: where it is, what it is, what the model says."""
    tables = []
    for split, predictions in by_split.items():
        columns: dict[str, Any] = {
            "split": [split] * len(predictions),
            "filename": predictions.names.tolist(),
            "label": [labels[index] for index in predictions.labels],
            "predicted": [labels[index] for index in predictions.predicted],
            "augmented": predictions.augmented,
        }
        columns |= {f"probability/{label}": predictions.probabilities[:, i] for i, label in enumerate(labels)}
        tables.append(pa.table(columns))
    return pa.concat_tables(tables)
