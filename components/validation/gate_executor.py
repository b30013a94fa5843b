"""Runs the gate, without TFX and TFDV."""

from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.formats.documents import GATE, SUMMARY
from components.plain_executor import PlainExecutor
from components.validation.constant_images import constant_anomalies
from components.validation.gate import (
    Anomaly,
    DataAnomalyError,
    balance_anomalies,
    is_real_difference,
    schema_anomalies,
)
from components.validation.options import ValidateOptions


class GateExecutor(PlainExecutor):
    """Stops the run on an anomaly, or lets it go on with a warning."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Collect the anomalies, write them down, and raise if one is fatal and the options say stop.

        Args:
            input_dict: `summary`, `schema_anomalies` and `distribution_anomalies`.
            output_dict: `verdict`, an Analysis.
            exec_properties: `validate`, options as JSON.

        Raises:
            DataAnomalyError: a fatal anomaly.
        """
        options = ValidateOptions.model_validate_json(exec_properties["validate"])
        [split], [verdict] = input_dict["summary"], output_dict["verdict"]
        summary = SUMMARY.read(split.uri)
        given = summary["given_splits"]
        counts = summary["counts"]
        originals = {s: {label: n["originals"] for label, n in by_label.items()} for s, by_label in counts.items()}
        copied = any(n["copies"] for s in ("eval", "test") for n in counts[s].values())
        by_hash = bool(summary.get("assignment"))
        anomalies = balance_anomalies(originals, given, by_hash=by_hash)
        anomalies += constant_anomalies(summary.get("classes", {}), summary.get("constant", {}))
        for split, found in _read(input_dict["schema_anomalies"], "Split-"):
            anomalies += schema_anomalies(split, found)
        for split, found in _read(input_dict["distribution_anomalies"], "SplitPair-"):
            # Copies, hashes and a split that was given make a difference that is to stay. Others go by the counts:
            # TFDV's distance is the same for 4 images as for 4,000.
            wanted = bool(copied or given or by_hash)
            if wanted or is_real_difference(originals["eval"], originals["test"]):
                anomalies += schema_anomalies(split, found, "distribution", fatal=not wanted)
        fatal = [anomaly for anomaly in anomalies if anomaly.fatal]
        uri = Path(verdict.uri)
        uri.mkdir(parents=True, exist_ok=True)
        stopped = bool(fatal) and options.on_anomaly == "stop"
        GATE.write({"passed": not fatal, "anomalies": [anomaly.as_dict() for anomaly in anomalies]}, uri)
        verdict.set_int_custom_property("anomalies", len(anomalies))
        verdict.set_int_custom_property("passed", int(not fatal))
        if stopped:
            raise DataAnomalyError(_message(fatal))


def _read(artifacts: list[Any], prefix: str) -> list[tuple[str, anomalies_pb2.Anomalies]]:
    """Return the Anomalies proto of each split (or pair of splits) by name."""
    [artifact] = artifacts
    found = []
    for folder in sorted(Path(artifact.uri).glob(f"{prefix}*")):
        anomalies = anomalies_pb2.Anomalies()
        anomalies.ParseFromString((folder / "SchemaDiff.pb").read_bytes())
        found.append((folder.name.removeprefix(prefix), anomalies))
    return found


def _message(fatal: list[Anomaly]) -> str:
    shown = "; ".join(str(anomaly) for anomaly in fatal[:5])
    more = f" (and {len(fatal) - 5} more)" if len(fatal) > 5 else ""
    return f"the data has anomalies: {shown}{more}. Mend the data, or set validate.on_anomaly=warn"
