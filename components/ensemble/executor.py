"""Runs the averaging inside TFX."""

import gc
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types.artifact_utils import get_single_instance

from components.ensemble.combine import combine
from components.formats.documents import TRAINING
from components.formats.examples import read_labels, write_labels
from components.formats.folds import ENSEMBLE, MOST_FOLDS, fold_input
from components.formats.saved_model import ASSETS, read_made_from, serving_folder, write_made_from


class Executor(BaseExecutor):
    """Makes one model of the folds' models."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Average.

        Args:
            input_dict: the Model of each fold's Trainer.
            output_dict: `model`, and `ensemble`, an Analysis.
            exec_properties: nothing that is read.
        """
        del exec_properties
        keys = (fold_input("model", fold) for fold in range(1, MOST_FOLDS + 1))
        members = [serving_folder(get_single_instance(input_dict[key]).uri) for key in keys if input_dict.get(key)]
        trainings = [TRAINING.read(member / ASSETS) for member in members]
        labels = read_labels(members[0] / ASSETS)
        model, described = (get_single_instance(output_dict[name]) for name in ("model", "ensemble"))
        target = serving_folder(model.uri)
        combine(members, target, labels)
        gc.collect()  # the members' variables; other components share the process
        assets = target / ASSETS
        assets.mkdir(exist_ok=True)
        write_labels(labels, assets)
        made_from = [read_made_from(member / ASSETS) for member in members]
        if None not in made_from:
            write_made_from((digest for known in made_from for digest in known or ()), assets)
        size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
        found = {
            "members": len(members),
            "parameters": sum(training["parameters"] for training in trainings),
            "temperatures": [training["temperature"] for training in trainings],
            "flip_average": any(training.get("flip_average") for training in trainings),
            "megabytes": size,
        }
        for folder in (assets, Path(described.uri)):
            folder.mkdir(parents=True, exist_ok=True)
            ENSEMBLE.write(found, folder)
        described.set_int_custom_property("members", len(members))
        described.set_float_custom_property("megabytes", size)
        # For those who need to name the model, but nothing that is in it.
        described.set_string_custom_property("model", model.uri)
