"""Executor of ImageTuner: runs the search, writes the leaderboard, the best options and the state of their training.

TFX's own executor writes a "best" even if every trial failed.
"""

import gc
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tfx.components.tuner.executor import Executor as TunerExecutor
from tfx.components.tuner.executor import search
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.types.artifact import Artifact

from components.formats.documents import write_leaderboard
from components.tools.files import write_json
from components.training.checkpoint import FILE_NAME
from components.training.parameters import BEST, tfx_properties

TUNER_FN = "components.tuner.tuner_fn.tuner_fn"


class Executor(TunerExecutor):
    """Runs `components.tuner.tuner_fn.tuner_fn`."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Try every combination and hand over the best.

        Raises:
            RuntimeError: all trials failed; the message holds their causes.
        """
        properties = {keys.TUNER_FN_KEY: TUNER_FN, **tfx_properties(input_dict, exec_properties)}
        tuner = search(
            input_dict,
            properties,
            (self._get_tmp_dir() if self._context else tempfile.mkdtemp()),
            print_tuning_summary=False,
        )

        rows = tuner.rows
        results = _made(output_dict[keys.TUNER_RESULTS_KEY])
        write_leaderboard(rows, results)
        best = tuner.oracle.get_space()
        best.values = rows[0]["hyperparameters"]
        chosen = _made(output_dict[keys.BEST_HYPERPARAMETERS_KEY])
        write_json(best.get_config(), chosen / BEST)
        if tuner.checkpoint.exists():  # the Trainer goes on from it
            shutil.copyfile(tuner.checkpoint, chosen / FILE_NAME)
        tuner.state.remove()
        del tuner
        gc.collect()  # as in the Trainer's executor


def _made(artifacts: list[Artifact]) -> Path:
    """Return an output's folder, made unless it is there: Kubeflow's launcher makes none."""
    folder = Path(artifact_utils.get_single_uri(artifacts))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
