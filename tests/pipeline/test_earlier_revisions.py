"""What an earlier revision left is still opened: its workdir, its pushed model, its networks."""

import json
from pathlib import Path

import earlier_workdir
import keras
import numpy as np
import pytest
from click.testing import CliRunner, Result

import components.trainer.resnets  # noqa: F401 (registers the layers, as the path that has always been public does)
from components.formats.dataset import SPLITS, read_columns, read_shard, shard_paths
from components.formats.documents import ANALYSIS, CARD, GATE, RESULTS, SUMMARY, TRAINING
from components.formats.pushed_models import list_versions
from components.images.codec import encode
from pipeline.cli import main


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return earlier_workdir.unpack(tmp_path_factory.mktemp("earlier"))


def command(*words: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_its_runs_and_artifacts_are_listed(workdir: Path) -> None:
    [run] = json.loads(command("inspect", "runs", "--workdir", workdir, "--json").output)
    executions = json.loads(command("inspect", "executions", "latest", "--workdir", workdir, "--json").output)
    artifacts = json.loads(command("inspect", "artifacts", "latest", "--workdir", workdir, "--json").output)

    assert run["state"] == "succeeded"
    assert {"ImageIngest", "Trainer", "Evaluator", "DistributionValidator"} <= {one["component"] for one in executions}
    assert {"components.ImageDataset", "components.Analysis", "components.HtmlReport"} <= {a["type"] for a in artifacts}


def test_its_suspects_are_listed(workdir: Path) -> None:
    [analysis] = workdir.glob("artifacts/PredictionAnalysis/analysis/*/analysis.json")

    listed = json.loads(command("suspects", "--workdir", workdir, "--json").output)

    expected = json.loads(analysis.read_text())["suspects"]
    assert [row["filename"] for row in listed] == [row["filename"] for row in expected]


def test_what_a_later_program_wrote_is_refused_in_a_line(tmp_path: Path) -> None:
    workdir = earlier_workdir.unpack(tmp_path)
    [analysis] = workdir.glob("artifacts/PredictionAnalysis/analysis/*/analysis.json")
    [labels] = workdir.glob("serving_model/*/assets.extra/label_map.json")
    for path, words in ((analysis, ["suspects", "--workdir"]), (labels, ["predict", "--model"])):
        path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 9}))
        place = workdir if words[0] == "suspects" else workdir / "serving_model"
        shown = CliRunner().invoke(main, [*words, str(place), *([str(analysis)] if words[0] == "predict" else [])])

        assert shown.exit_code == 1
        assert shown.output.splitlines()[-1].startswith(f"Error: {path} has format 9, and this program reads up to 1")


def test_its_documents_and_shards_are_read(workdir: Path) -> None:
    for document, place in (
        (SUMMARY, "ImageIngest/images"),
        (SUMMARY, "SplitBalanceAugment/dataset"),
        (GATE, "DataGate/verdict"),
        (TRAINING, "Trainer/model_run"),
        (RESULTS, "Evaluator/evaluation"),
        (ANALYSIS, "PredictionAnalysis/analysis"),
        (CARD, "PredictionAnalysis/analysis"),
    ):
        [folder] = workdir.glob(f"artifacts/{place}/*")
        assert document.read(folder)

    [dataset] = workdir.glob("artifacts/SplitBalanceAugment/dataset/*")
    rows = [row for path in shard_paths(dataset, "eval") for row in read_shard(path)]
    assert {row.split for row in rows} == {"eval"} < set(SPLITS)
    assert read_columns(dataset, "eval", ["id"])[0].to_pylist() == [row.id for row in rows]


def test_its_pushed_model_is_found_and_predicts(workdir: Path, tmp_path: Path) -> None:
    [version] = list_versions(str(workdir / "serving_model"))
    assert version.origin is not None
    assert len(version.labels) == 8
    pixels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(encode(pixels, "png"))

    output = command("predict", "--model", workdir / "serving_model", tmp_path / "a.png", "--json").output

    [row] = json.loads(output[output.index("[") :])
    logits = keras.saving.load_model(workdir / "tiny.keras")(pixels[np.newaxis].astype("float32")).numpy()[0]
    expected = np.exp((logits - logits.max()) / 1.5)
    np.testing.assert_allclose(list(row["probabilities"].values()), expected / expected.sum(), atol=1e-4)
