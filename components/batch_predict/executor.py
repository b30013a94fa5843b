"""Runs predictions at scale inside TFX."""

import os
import posixpath
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types.artifact_utils import get_single_instance

from components.batch_predict.options import PredictOptions
from components.batch_predict.predict import predict
from components.formats.nodes import BATCH_PREDICT
from components.formats.served_predictions import SERVED
from components.tools.environment import BEAM
from components.tools.files import write_text
from components.tools.progress import Progress
from components.work.options import BeamOptions


class Executor(BaseExecutor):
    """Has the pushed model predict what `predict.path` names."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Predict; nothing where no model was pushed.

        Args:
            input_dict: `pushed_model`, which says where the model is.
            output_dict: `predictions`, an Analysis.
            exec_properties: `options` and `beam`, each section as JSON; `max_pixels`. What the environment variable
                `PIPELINE_BEAM` holds wins over `beam`.
        """
        pushed, made = get_single_instance(input_dict["pushed_model"]), get_single_instance(output_dict["predictions"])
        Path(made.uri).mkdir(parents=True, exist_ok=True)
        if pushed.get_int_custom_property("pushed") != 1:
            made.set_int_custom_property("predicted", 0)
            return
        version = pushed.get_string_custom_property("pushed_version")
        options = PredictOptions.model_validate_json(exec_properties["options"])
        assert options.path is not None
        output = _absolute(posixpath.join(options.output, version) if options.output else made.uri)
        progress: list[Progress] = []

        def report(done: int, shards: int) -> None:
            progress[:] = progress or [Progress(BATCH_PREDICT, shards)]
            progress[0](done, f"{done} of {shards} shards")

        found = predict(
            _absolute(options.path),
            pushed.get_string_custom_property("pushed_destination"),
            output,
            options,
            BeamOptions.model_validate_json(os.environ.get(BEAM) or exec_properties["beam"]),
            max_pixels=int(exec_properties["max_pixels"]),
            anew=True,
            report=report,
        )
        if found["replaced"]:
            print(f"predictions in {output} differed in {' and '.join(found['replaced'])}, and were made again")
        if options.output:
            summary = {name: found[name] for name in ("images", "quarantined", "accepted", "labels", "shards")}
            write_text(SERVED.text({"summary": summary, "place": output}), Path(made.uri, SERVED.name))
        made.set_string_custom_property("predicted_to", output)
        made.set_string_custom_property("predicted_by", version)
        made.set_int_custom_property("predicted", found["images"])
        made.set_int_custom_property("quarantined", found["quarantined"])
        made.set_int_custom_property("kept_shards", found["kept"])
        if found["accepted"] is not None:
            made.set_int_custom_property("accepted", found["accepted"])


def _absolute(place: str) -> str:
    """Return a place as workers reach it, whose own folder is another."""
    return place if "://" in place else str(Path(place).absolute())
