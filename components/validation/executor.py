"""Runs the schema, the comparison of splits and the gate inside TFX."""

from pathlib import Path
from typing import Any

import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx import types
from tfx.components.distribution_validator import executor as distribution_validator
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.proto import distribution_validator_pb2
from tfx.types import standard_component_specs as keys
from tfx.types.artifact_utils import get_single_instance
from tfx.utils import io_utils, json_utils

from components.formats.documents import GATE, SUMMARY
from components.formats.examples import TEXT, read_labels
from components.validation.gate import (
    MAX_SHARE_DIFFERENCE,
    Anomaly,
    DataAnomalyError,
    balance_anomalies,
    schema_anomalies,
)
from components.validation.options import ValidateOptions
from components.validation.schema import make_schema


class SchemaExecutor(BaseExecutor):
    """Writes the schema that the data is held to."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Make the schema, or take over the user's.

        Args:
            input_dict: `examples`, for their label map.
            output_dict: `schema`, a standard Schema.
            exec_properties: `validate`, options as JSON, and `max_pixels`.
        """
        options = ValidateOptions.model_validate_json(exec_properties["validate"])
        if options.schema_path:
            try:
                text = Path(options.schema_path).read_text("utf-8")
                schema = text_format.Parse(text, schema_pb2.Schema())
            except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
                raise ValueError(f"can't read validate.schema = {options.schema_path}: {error}") from None
        else:
            labels = read_labels(get_single_instance(input_dict["examples"]).uri)
            schema = make_schema(labels, int(exec_properties["max_pixels"]))
        uri = Path(get_single_instance(output_dict["schema"]).uri)
        uri.mkdir(parents=True, exist_ok=True)
        tfdv.write_schema_text(schema, str(uri / "schema.pbtxt"))


class ComparisonExecutor(distribution_validator.Executor):
    """TFX's DistributionValidator between two splits of the same statistics."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> Any:
        """Compare the shares of the classes in eval with those in test.

        Args:
            input_dict: `statistics`.
            output_dict: `anomalies`, with one Anomalies proto for the pair.
            exec_properties: not read.

        Returns:
            TFX's ExecutorOutput, with the anomalies' properties.
        """
        del exec_properties
        config = distribution_validator_pb2.DistributionValidatorConfig()
        feature = config.default_slice_config.feature.add()
        feature.path.step.append(TEXT)
        feature.distribution_comparator.infinity_norm.threshold = MAX_SHARE_DIFFERENCE
        statistics = input_dict[keys.STATISTICS_KEY]
        return super().Do(
            {keys.STATISTICS_KEY: statistics, keys.BASELINE_STATISTICS_KEY: statistics},
            output_dict,
            {
                keys.DISTRIBUTION_VALIDATOR_CONFIG_KEY: config,
                keys.INCLUDE_SPLIT_PAIRS_KEY: json_utils.dumps([("eval", "test")]),
            },
        )


class GateExecutor(BaseExecutor):
    """Stops the run on an anomaly, or lets it go on with a warning."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Collect the anomalies, write them down, and raise if one is fatal and the options say stop.

        Args:
            input_dict: `dataset`, `schema_anomalies` and `distribution_anomalies`.
            output_dict: `verdict`, an Analysis.
            exec_properties: `validate`, options as JSON.

        Raises:
            DataAnomalyError: a fatal anomaly.
        """
        options = ValidateOptions.model_validate_json(exec_properties["validate"])
        summary = SUMMARY.read(get_single_instance(input_dict["dataset"]).uri)
        given = summary["given_splits"]
        counts = summary["counts"]
        originals = {s: {label: n["originals"] for label, n in by_label.items()} for s, by_label in counts.items()}
        copied = any(n["copies"] for s in ("eval", "test") for n in counts[s].values())
        anomalies = balance_anomalies(originals, given)
        for split, found in _read(input_dict["schema_anomalies"], "Split-"):
            anomalies += schema_anomalies(split, found)
        for split, found in _read(input_dict["distribution_anomalies"], "SplitPair-"):
            # Copies and a split that was given make a difference that somebody wanted.
            anomalies += schema_anomalies(split, found, "distribution", fatal=not (copied or given))
        fatal = [anomaly for anomaly in anomalies if anomaly.fatal]
        verdict = get_single_instance(output_dict["verdict"])
        uri = Path(verdict.uri)
        uri.mkdir(parents=True, exist_ok=True)
        stopped = bool(fatal) and options.on_anomaly == "stop"
        GATE.write({"passed": not fatal, "anomalies": [anomaly.as_dict() for anomaly in anomalies]}, uri)
        verdict.set_int_custom_property("anomalies", len(anomalies))
        verdict.set_int_custom_property("passed", int(not fatal))
        if stopped:
            raise DataAnomalyError(_message(fatal))


def _read(artifacts: list[types.Artifact], prefix: str) -> list[tuple[str, anomalies_pb2.Anomalies]]:
    """Return the Anomalies proto of each split (or pair of splits) by name."""
    found = []
    for folder in sorted(Path(get_single_instance(artifacts).uri).glob(f"{prefix}*")):
        anomalies = anomalies_pb2.Anomalies()
        anomalies.ParseFromString(io_utils.read_bytes_file(str(folder / "SchemaDiff.pb")))
        found.append((folder.name.removeprefix(prefix), anomalies))
    return found


def _message(fatal: list[Anomaly]) -> str:
    shown = "; ".join(str(anomaly) for anomaly in fatal[:5])
    more = f" (and {len(fatal) - 5} more)" if len(fatal) > 5 else ""
    return f"the data has anomalies: {shown}{more}. Mend the data, or set validate.on_anomaly=warn"
