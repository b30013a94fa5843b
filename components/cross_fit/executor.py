"""Gathers what the folds' Trainers have predicted, without TFX."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from components.cross_fit.gather import SCORES, summarize
from components.formats.documents import TRAINING
from components.formats.examples import read_labels
from components.formats.folds import CROSS_FIT, MOST_FOLDS, fold_input, read_folds
from components.formats.predictions import read_predictions, write_predictions
from components.plain_executor import PlainExecutor


class Executor(PlainExecutor):
    """Makes one table of predictions, and one document of scores, of all folds."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Gather.

        Args:
            input_dict: `folds` of ImageFolds, `labels` of TFRecordConverter, and the ModelRun of each fold's Trainer.
            output_dict: `cross_fit`, an Analysis.
            exec_properties: nothing that is read.

        Raises:
            KeyError: a fold's Trainer didn't predict one of its images.
        """
        del exec_properties
        uris = {name: Path(artifact.uri) for name, found in input_dict.items() for artifact in found}
        names = read_labels(uris["labels"])
        images = read_folds(uris["folds"])
        place = {name: index for index, name in enumerate(names)}
        runs = {fold: uris[key] for fold in range(1, MOST_FOLDS + 1) if (key := fold_input("model_run", fold)) in uris}
        predictions, ids = {}, []
        for fold, run in runs.items():
            held_out = images.filter(pc.field("fold") == fold)
            of_fold = held_out["id"].to_pylist()
            labels = np.array([place[label] for label in held_out["label"].to_pylist()], np.int64)
            predictions[fold] = (labels, read_predictions(run, of_fold))
            ids += of_fold
        trainings = {fold: TRAINING.read(run) for fold, run in runs.items()}
        found = summarize(predictions, trainings, len(names))

        [artifact] = output_dict["cross_fit"]
        target = Path(artifact.uri)
        target.mkdir(parents=True, exist_ok=True)
        write_predictions(ids, np.concatenate([answers for _, answers in predictions.values()]), target)
        CROSS_FIT.write(found, target)
        artifact.set_int_custom_property("folds", len(runs))
        for name in SCORES:
            artifact.set_float_custom_property(name, found[name]["mean"])
            artifact.set_float_custom_property(f"{name}_spread", found[name]["spread"])
