"""Runs the stage inside TFX: reads the execution's parameters, publishes the summary's key figures."""

import os
from pathlib import Path
from typing import Any

from apache_beam.io.filesystems import FileSystems
from tfx import types
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types.artifact_utils import get_single_instance

from components.formats.documents import SUMMARY
from components.split.copies import cells_of, copies_by_class
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.split_balance_augment.split_dataset import split_dataset
from components.tools.environment import BEAM
from components.work.engine import write_whole
from components.work.options import BeamOptions


class Executor(BaseExecutor):
    """Turns the `images` artifact into the `dataset` artifact, and says beside it what became of them."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Run the stage.

        Args:
            input_dict: `images`, an ImageDataset from ingest.
            output_dict: `dataset`, an ImageDataset with splits, and `summary`, an Analysis.
            exec_properties: `split`, `balance`, `augment` and `beam`, each section as JSON; `group_near`. What the
                environment variable `PIPELINE_BEAM` holds wins over `beam`.
        """
        dataset, alone = (get_single_instance(output_dict[name]) for name in ("dataset", "summary"))
        for uri in (dataset.uri, alone.uri):
            if "://" not in uri:
                Path(uri).mkdir(parents=True, exist_ok=True)
        summary = split_dataset(
            get_single_instance(input_dict["images"]).uri,
            dataset.uri,
            split=SplitOptions.model_validate_json(exec_properties["split"]),
            balance=BalanceOptions.model_validate_json(exec_properties["balance"]),
            augment=AugmentOptions.model_validate_json(exec_properties["augment"]),
            group_near=bool(exec_properties["group_near"]),
            beam=BeamOptions.model_validate_json(os.environ.get(BEAM) or exec_properties["beam"]),
        )
        write_whole(FileSystems.join(alone.uri, SUMMARY.name), SUMMARY.text(summary).encode())
        for split, by_label in summary["counts"].items():
            images = sum(counts["originals"] + counts["copies"] for counts in by_label.values())
            dataset.set_int_custom_property(f"{split}_images", images)
        dataset.set_int_custom_property("made_copies", summary["made_copies"])
        dataset.set_int_custom_property("leaking_groups", summary["leaking_groups"])
        dataset.set_int_custom_property("groups", summary["groups"])
        if captures := summary["captures"]:
            dataset.set_string_custom_property("captures", captures["text"])
            dataset.set_int_custom_property("captured", captures["captured"])
            dataset.set_int_custom_property("searched", captures["names"])
            print(f"split.group_regex: {captures['text']}")
        if assignment := summary["assignment"]:
            dataset.set_string_custom_property("assignment", assignment["text"])
            dataset.set_string_custom_property("left_out", assignment["warning"])
            print(assignment["text"], assignment["warning"], sep="\n")
        cells = cells_of(summary["counts"])
        dataset.set_float_custom_property("most_copies_per_image", max(cell.copies_per_original for cell in cells))
        for line in copies_by_class(cells):
            print(line)
        dataset.set_int_custom_property("deviations", len(summary["deviations"]))
        dataset.set_int_custom_property("split_seed", summary["seed"])
        dataset.set_string_custom_property("data_digest", summary["data_digest"])
