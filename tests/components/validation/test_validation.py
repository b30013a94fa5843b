"""Real TFDV statistics and validators over TFRecords with a planted anomaly of each kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tfx.components.example_validator.executor import Executor as ValidatorExecutor
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts
from tfx.types.artifact_utils import encode_split_names

from components.formats.artifacts import Analysis
from components.formats.documents import GATE
from components.formats.examples import write_metadata_columns
from components.tools.files import write_json
from components.validation.comparison_executor import ComparisonExecutor
from components.validation.gate import DataAnomalyError, balance_anomalies
from components.validation.gate_executor import GateExecutor
from components.validation.options import ValidateOptions
from components.validation.schema import make_schema
from components.validation.schema_executor import SchemaExecutor
from components.validation.statistics_executor import StatisticsExecutor

LABELS = ["happy", "sad"]
_RUNNER = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"]


def example(label: str, **changed: Any) -> bytes:
    values: dict[str, Any] = {
        "image/encoded": b"x",
        "image/format": b"jpeg",
        "image/height": 96,
        "image/width": 96,
        "image/channels": 3,
        "image/class/label": LABELS.index(label),
        "image/class/text": label.encode(),
        "image/augmented": 0,
        **{f"image/{name.replace('_', '/')}": value for name, value in changed.items()},
    }
    feature = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        if isinstance(value, int)
        else tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in values.items()
        if value is not None
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


Records = dict[str, list[bytes]]


def clean() -> Records:
    return {split: [example(label) for label in LABELS for _ in range(20)] for split in ("train", "eval", "test")}


def counts_of(records: Records) -> dict[str, dict[str, dict[str, int]]]:
    def of(split: str, label: str) -> int:
        texts = [tf.train.Example.FromString(record).features.feature["image/class/text"] for record in records[split]]
        return sum(text.bytes_list.value[0] == label.encode() for text in texts)

    return {split: {label: {"originals": of(split, label), "copies": 0} for label in LABELS} for split in records}


@pytest.fixture
def gate(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs everything from the TFRecords to the gate's verdict."""

    def run(
        records: Records,
        given: tuple[str, ...] = (),
        columns: tuple[str, ...] = (),
        assignment: dict[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        examples = standard_artifacts.Examples()
        examples.uri = str(tmp_path / "examples")
        examples.split_names = encode_split_names(list(records))
        for split, rows in records.items():
            folder = tmp_path / "examples" / f"Split-{split}"
            folder.mkdir(parents=True)
            with tf.io.TFRecordWriter(str(folder / "data.gz"), "GZIP") as writer:
                for row in rows:
                    writer.write(row)
        summary, labels, statistics = Analysis(), Analysis(), standard_artifacts.ExampleStatistics()
        schema, verdict = standard_artifacts.Schema(), Analysis()
        anomalies, differences = standard_artifacts.ExampleAnomalies(), standard_artifacts.ExampleAnomalies()
        for name, artifact in (
            ("summary", summary),
            ("labels", labels),
            ("statistics", statistics),
            ("schema", schema),
            ("verdict", verdict),
            ("anomalies", anomalies),
            ("differences", differences),
        ):
            artifact.uri = str(tmp_path / name)
        for made in ("summary", "labels"):
            (tmp_path / made).mkdir()
        told = {"counts": counts_of(records), "given_splits": list(given), "assignment": assignment}
        write_json(told, tmp_path / "summary" / "summary.json")
        write_json({"labels": LABELS}, tmp_path / "labels" / "label_map.json")
        validate = ValidateOptions(**options).model_dump_json(by_alias=True)

        for folder in (examples.uri, labels.uri):
            write_metadata_columns(columns, folder)
        StatisticsExecutor(BaseBeamExecutor.Context(beam_pipeline_args=_RUNNER)).Do(
            {"examples": [examples]}, {"statistics": [statistics]}, {}
        )
        SchemaExecutor().Do(
            {"labels": [labels]},
            {"schema": [schema]},
            {"validate": validate, "max_pixels": 1_000_000},
        )
        ValidatorExecutor().Do({"statistics": [statistics], "schema": [schema]}, {"anomalies": [anomalies]}, {})
        ComparisonExecutor().Do({"statistics": [statistics]}, {"anomalies": [differences]}, {})
        GateExecutor().Do(
            {"summary": [summary], "schema_anomalies": [anomalies], "distribution_anomalies": [differences]},
            {"verdict": [verdict]},
            {"validate": validate},
        )
        return GATE.read(tmp_path / "verdict")

    return run


def test_clean_data_passes(gate: Callable[..., dict[str, Any]]) -> None:
    assert gate(clean()) == {"passed": True, "anomalies": []}


@pytest.mark.parametrize("own_schema", [False, True])
def test_what_is_known_of_images_is_in_the_statistics_and_no_anomaly(
    own_schema: bool, gate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Whatever the values, and whatever a schema of the user's own, made before there was a table, says of others."""
    cameras = {"train": b"a", "eval": b"", "test": "größe".encode()}
    named = {"metadata_camera, ä.b": b"", "metadata_age": b"7"}
    records = {
        split: [example(label, **(named | {"metadata_camera, ä.b": cameras[split]})) for label in LABELS] * 20
        for split in cameras
    }
    options = {}
    if own_schema:
        schema = make_schema(LABELS, 1_000_000)
        (tmp_path / "own.pbtxt").write_text(text_format.MessageToString(schema))
        options["schema"] = str(tmp_path / "own.pbtxt")

    verdict = gate(records, columns=("camera, ä.b", "age"), **options)

    assert verdict == {"passed": True, "anomalies": []}
    found = tfdv.load_stats_binary(str(tmp_path / "statistics" / "Split-test" / "FeatureStats.pb"))
    paths = {feature.path.step[0]: feature for feature in found.datasets[0].features}
    assert [bucket.label for bucket in paths["image/metadata/camera, ä.b"].string_stats.rank_histogram.buckets] == [
        "größe"
    ]
    assert "image/metadata/age" in paths


@pytest.mark.parametrize(
    ("changed", "feature"),
    [
        ({"class_text": b"hapy"}, "image/class/text"),
        ({"class_label": 7}, "image/class/label"),
        ({"height": None}, "image/height"),
        ({"width": 0}, "image/width"),
        ({"height": 2_000_000}, "image/height"),
        ({"channels": 4}, "image/channels"),
        ({"format": b"heif"}, "image/format"),
    ],
)
def test_a_planted_anomaly_stops_the_run(
    changed: dict[str, Any], feature: str, gate: Callable[..., dict[str, Any]]
) -> None:
    records = clean()
    records["eval"][3] = example("happy", **changed)

    with pytest.raises(DataAnomalyError, match=f"eval: {feature}: .*validate.on_anomaly=warn"):
        gate(records)


def test_an_anomaly_is_a_warning_where_the_options_say_so(gate: Callable[..., dict[str, Any]]) -> None:
    records = clean()
    records["train"][0] = example("happy", channels=4)

    verdict = gate(records, on_anomaly="warn")

    assert not verdict["passed"]
    assert [(one["split"], one["feature"]) for one in verdict["anomalies"]] == [("train", "image/channels")]


def test_splits_of_our_own_with_other_class_shares_stop_the_run(gate: Callable[..., dict[str, Any]]) -> None:
    records = clean()
    records["test"] = [example("happy")] * 36 + [example("sad")] * 4

    verdict = gate(records, on_anomaly="warn")

    assert not verdict["passed"]
    assert {one["source"] for one in verdict["anomalies"] if one["fatal"]} == {"balance", "distribution"}


def test_splits_that_were_given_may_have_other_class_shares(gate: Callable[..., dict[str, Any]]) -> None:
    records = clean()
    records["test"] = [example("happy")] * 36 + [example("sad")] * 4

    verdict = gate(records, given=("test",))

    assert verdict["passed"]
    assert {one["source"] for one in verdict["anomalies"]} == {"balance", "distribution"}
    assert not any(one["fatal"] for one in verdict["anomalies"])


def test_splits_that_hashes_decided_may_have_other_class_shares(gate: Callable[..., dict[str, Any]]) -> None:
    records = clean()
    records["test"] = [example("happy")] * 36 + [example("sad")] * 4

    verdict = gate(records, assignment={"rule": "stable"})

    assert verdict["passed"]
    assert "balance" in {one["source"] for one in verdict["anomalies"]}


def test_uneven_splits_of_our_own_are_fatal() -> None:
    uneven = {"train": {"a": 50, "b": 50}, "eval": {"a": 9, "b": 1}, "test": {"a": 20, "b": 20}}

    assert [(one.split, one.fatal) for one in balance_anomalies(uneven)] == [("eval", True), ("eval", True)]
    assert [(one.split, one.fatal) for one in balance_anomalies(uneven, by_hash=True)] == [("eval", False)] * 2
    assert balance_anomalies({split: {"a": 10, "b": 7} for split in ("train", "eval", "test")}) == []


def test_a_schema_of_the_users_own_is_taken_over_and_a_bad_one_named(
    gate: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pbtxt"
    bad.write_text("feature { nonsense: 1 }")

    with pytest.raises(ValueError, match=r"can't read validate\.schema = .*bad\.pbtxt"):
        gate(clean(), schema=str(bad))
