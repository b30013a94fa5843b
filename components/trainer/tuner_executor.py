"""Executor of ImageTuner: runs the search, writes the leaderboard and the best hyperparameters.

TFX's own executor writes a "best" even if every trial failed.
"""

import gc
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tfx.components.tuner.executor import Executor as TunerExecutor
from tfx.components.tuner.executor import search
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.utils import json_utils

from components.trainer.leaderboard import rank
from components.trainer.parameters import custom_config
from components.trainer.signatures import write_json

LEADERBOARD = "leaderboard.json"


class Executor(TunerExecutor):
    """Runs `components.trainer.tuner_fn.tuner_fn`."""

    def Do(  # noqa: N802 (TFX's name)
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Try every combination and hand over the best.

        Raises:
            RuntimeError: all trials failed; the message holds their causes.
        """
        examples = artifact_utils.get_single_uri(input_dict[standard_component_specs.EXAMPLES_KEY])
        config = custom_config(exec_properties) | {"examples_uri": examples}
        properties = {**exec_properties, standard_component_specs.CUSTOM_CONFIG_KEY: json_utils.dumps(config)}
        tuner = search(
            input_dict,
            properties,
            (self._get_tmp_dir() if self._context else tempfile.mkdtemp()),
            print_tuning_summary=False,
        )

        rows = rank(tuner.rows)
        results = _made(output_dict[standard_component_specs.TUNER_RESULTS_KEY])
        write_json(rows, f"{results}/{LEADERBOARD}")
        best = tuner.oracle.get_space()
        best.values = rows[0]["hyperparameters"]
        chosen = _made(output_dict[standard_component_specs.BEST_HYPERPARAMETERS_KEY])
        write_json(json.loads(json.dumps(best.get_config())), f"{chosen}/best_hyperparameters.txt")
        shutil.rmtree(tuner.folder, ignore_errors=True)
        del tuner
        gc.collect()  # as in the Trainer's executor


def _made(artifacts: list[Artifact]) -> Path:
    """Return an output's folder, made unless it is there: Kubeflow's launcher makes none."""
    folder = Path(artifact_utils.get_single_uri(artifacts))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
