"""Runs ingest, without TFX: reads the execution's parameters, publishes the summary's key figures."""

from pathlib import Path
from typing import Any

from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from components.plain_executor import PlainExecutor


class Executor(PlainExecutor):
    """Packs the folder at `uri` into the `images` artifact, and says beside it what was found."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Run ingest.

        Args:
            input_dict: empty.
            output_dict: `images`, an ImageDataset, and `findings`, an Analysis.
            exec_properties: `uri` and `data` (DataOptions as JSON).
        """
        del input_dict
        [images], [findings] = output_dict["images"], output_dict["findings"]
        for artifact in (images, findings):
            Path(artifact.uri).mkdir(parents=True, exist_ok=True)
        options = DataOptions.model_validate_json(exec_properties["data"])
        summary = ingest(exec_properties["uri"], Path(images.uri), options, Path(findings.uri))
        images.set_int_custom_property("images", summary["images"])
        images.set_int_custom_property("classes", sum(count > 0 for count in summary["classes"].values()))
        images.set_int_custom_property("quarantined", summary["quarantined"])
        images.set_int_custom_property("unused_images", sum(summary["unused_images"].values()))
        images.set_int_custom_property("doubtful_copies", summary["doubtful_copies"]["images"])
        images.set_int_custom_property("exact_duplicates", summary["duplicates"]["exact"])
        images.set_int_custom_property("label_conflicts", summary["duplicates"]["conflict"])
        images.set_string_custom_property("data_digest", summary["data_digest"])
