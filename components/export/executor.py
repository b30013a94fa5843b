"""Runs the export inside TFX."""

from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types.artifact_utils import get_single_instance

from components.export.agreement import compare
from components.export.calibration import calibration_images
from components.export.measure import batches, run_on
from components.export.network import Network
from components.export.options import ExportOptions
from components.export.runtimes import image_of, open_exported
from components.export.served_facts import facts_of
from components.formats.examples import read_labels
from components.formats.exports import EXPORTS, FILES, SAVED_MODEL, Facts, Format
from components.formats.saved_model import ASSETS, serving_folder
from components.scoring.intervals import with_intervals
from components.scoring.predictions import Predictions, read_split
from components.tools.files import replacing

_MIB = 2**20
_TIMED = 8  # batches, of the SavedModel


class Executor(BaseExecutor):
    """Writes a model in other formats and says how far they agree with it."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Export.

        Args:
            input_dict: `model`, `dataset` and `evaluation`.
            output_dict: `exports`, an Analysis.
            exec_properties: `options` as JSON.
        """
        uris = {name: Path(get_single_instance(artifacts).uri) for name, artifacts in input_dict.items()}
        options = ExportOptions.model_validate_json(exec_properties["options"])
        served = serving_folder(uris["model"])
        labels = read_labels(served / ASSETS)
        reference = read_split(uris["dataset"], "test", labels, uris["evaluation"])
        exports = get_single_instance(output_dict["exports"])
        target = Path(exports.uri)
        target.mkdir(parents=True, exist_ok=True)

        network = Network(served)
        rows = []
        for kind in options.formats:
            if kind == SAVED_MODEL:
                continue
            facts = facts_of(served / ASSETS, kind, network.shape)
            _write(network, facts, kind, uris["dataset"], target / FILES[kind])
            row = _measured(target / FILES[kind], uris["dataset"], reference)
            row["agrees"] = row["agreement"] >= options.min_agreement
            rows.append({"format": kind, "file": FILES[kind], **row})
            name = kind.replace("-", "_")
            exports.set_float_custom_property(f"{name}_agreement", row["agreement"])
            exports.set_float_custom_property(f"{name}_accuracy", row["accuracy"]["value"])
            exports.set_int_custom_property(f"{name}_agrees", int(row["agrees"]))
        found = {
            "images": len(reference),
            "min_agreement": options.min_agreement,
            "saved_model": _reference(network, served, uris["dataset"], reference),
            "files": rows,
        }
        EXPORTS.write(found, target)


def _write(network: Network, facts: Facts, kind: Format, dataset: Path, file: Path) -> None:
    if kind == "onnx":
        data = network.to_onnx(facts)
    else:
        images = calibration_images(dataset, image_of(facts)) if kind == "litert-int8" else None
        data = network.to_litert(facts, images)
    with replacing(file) as temporary:
        temporary.write_bytes(data)


def _measured(file: Path, dataset: Path, reference: Predictions) -> dict[str, Any]:
    """Return agreement, accuracy, time and size of a file, as it is run without TensorFlow."""
    model = open_exported(file)
    answers, milliseconds = run_on(batches(dataset, "test", image_of(model.facts)), model.probabilities)
    return {
        "runtime": f"{model.runtime} {version(model.runtime)}",
        **compare(reference, answers, model.facts.thresholds),
        "milliseconds": milliseconds,
        "mebibytes": file.stat().st_size / _MIB,
    }


def _reference(network: Network, served: Path, dataset: Path, reference: Predictions) -> dict[str, Any]:
    """Return accuracy, time and size of the SavedModel itself."""
    image = image_of(facts_of(served / ASSETS, SAVED_MODEL, network.shape))
    _, milliseconds = run_on(islice(batches(dataset, "test", image), _TIMED), network.probabilities)
    own = [path for path in served.rglob("*") if path.is_file() and ASSETS not in path.parts]
    return {
        "runtime": f"tensorflow {version('tensorflow')}",
        "accuracy": with_intervals(reference, reference.probabilities.shape[1], 0, 0)["accuracy"],
        "milliseconds": milliseconds,
        "mebibytes": sum(path.stat().st_size for path in own) / _MIB,
    }
