"""PredictionAnalysis from its artifacts: what it takes of a training, and what it leaves for the report."""

from pathlib import Path

import numpy as np
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from components.analysis.executor import Executor
from components.analysis.options import AnalysisOptions
from components.formats.artifacts import Analysis, ImageDataset
from components.formats.dataset import ImageRow, shard_name, write_shard
from components.formats.documents import ANALYSIS, CARD, CARD_MARKDOWN, PICTURES, RESULTS, SUMMARY, TRAINING
from components.formats.examples import write_labels
from components.formats.predictions import write_predictions
from components.formats.saved_model import write_made_from
from components.images.codec import encode
from components.images.options import ImageOptions

LABELS = ["happy", "sad"]


def rows(split: str) -> list[ImageRow]:
    data = encode(np.zeros((8, 8, 3), np.uint8), "png")
    names = [(f"{split}-{label}-{number}", label) for label in LABELS for number in range(4)]
    return [
        ImageRow(name, label, split, data, "png", 8, 8, 3, name.ljust(64, "."), name, None, 0.0, name, name, 0, name)
        for name, label in names
    ]


def test_of_a_training_the_analysis_takes_its_record_and_leaves_pictures_for_the_report(tmp_path: Path) -> None:
    taken: dict[str, Artifact] = {
        "dataset": ImageDataset(),
        "labels": Analysis(),
        "model_run": standard_artifacts.ModelRun(),
        "evaluation": standard_artifacts.ModelEvaluation(),
    }
    analysis = Analysis()
    for name, artifact in {**taken, "analysis": analysis}.items():
        artifact.uri = str(tmp_path / name)
        Path(artifact.uri).mkdir()
    for split in ("train", "eval", "test"):
        write_shard(rows(split), tmp_path / "dataset" / shard_name(split, 0, 1))
    summary = {"counts": {"test": {"happy": {"originals": 8, "copies": 0}}}, "seed": 27, "data_digest": "d"}
    SUMMARY.write(summary, tmp_path / "dataset")
    write_labels(LABELS, tmp_path / "labels")
    for name, split in (("model_run", "eval"), ("evaluation", "test")):  # always happy, so half of them are wrong
        sure = np.tile(np.array([0.8, 0.2], np.float32), (8, 1))
        write_predictions([row.id for row in rows(split)], sure, tmp_path / name)
    answers = {"precision": 0.4, "confidence": 0.95, "per_class": False, "thresholds": [0.7, 0.7]}
    answers["found"] = [{"label": None, "score": 0.7, "reason": ""}]
    training = {"architecture": "resnet18", "parameters": 1, "precision": "float32", "temperature": 1.5}
    training["answers"] = answers
    TRAINING.write(training, tmp_path / "model_run")
    score = {"value": 0.5, "low": 0.2, "high": 0.8}
    metrics = {"accuracy": score, "balanced_accuracy": score, "macro_f1": {"value": 0.25, "low": None, "high": None}}
    results = {"baselines": [{"says": "always saying 'happy'", "metrics": metrics}], "slices": None}
    RESULTS.write(results, tmp_path / "evaluation")
    write_made_from([rows("test")[0].sha256], tmp_path / "model_run")
    taken["model_run"].set_string_custom_property("model", "s3://runs/trainer/model")

    values = {"options": AnalysisOptions(bootstrap=0).model_dump_json(), "image": ImageOptions().model_dump_json()}
    Executor().Do(
        {name: [artifact] for name, artifact in taken.items()},
        {"analysis": [analysis]},
        {**values, "seed": 0, "recipe": "r"},
    )

    found, pictures = ANALYSIS.read(analysis.uri), PICTURES.read(analysis.uri)
    assert "made from 1 of the 8 test images" in found["data"]["leak"]
    lineage = CARD.read(analysis.uri)["lineage"]
    assert lineage["model"] == "s3://runs/trainer/model"
    assert lineage["model_run"] == str(tmp_path / "model_run")
    [line] = [line for line in Path(analysis.uri, CARD_MARKDOWN).read_text("utf-8").splitlines() if "always" in line]
    assert line == "| always saying 'happy' | 0.500 (0.200 – 0.800) | 0.500 (0.200 – 0.800) | 0.250 |"
    assert [row["filename"] for row in found["test"]["mistakes"]] == [f"test-sad-{number}" for number in range(4)]
    [confusion] = pictures["confusions"]
    assert (confusion["true"], confusion["predicted"]) == (1, 0)
    assert set(confusion["images"]) <= pictures["thumbnails"].keys()
    assert (found["answers"]["answered"]["value"], found["answers"]["precision"]["value"]) == (1.0, 0.5)
    assert [analysis.get_float_custom_property(name) for name in ("answered", "precision")] == [1.0, 0.5]
    assert CARD.read(analysis.uri)["answers"]["text"].startswith("The model answers 100.0 % (")
