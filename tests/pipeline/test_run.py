"""Whole pipelines by the command line, on drawn faces: small ones, one epoch, so that what is tested is the running."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from whole_pipeline import Result, command, run

from pipeline.cli.inspect import inspect
from pipeline.kubeflow.shown_metrics import SHOWN_METRICS
from pipeline.local.workdir import Workdir
from pipeline.sample.dataset import GROUP_REGEX

pytestmark = pytest.mark.e2e


@pytest.fixture
def data(project: Path) -> Path:
    return project / "faces"


@pytest.fixture
def finished(project: Path) -> Path:
    """A workdir in which the pipeline has run once, and then as other tests wanted."""
    return project / "runs" / "local"


def test_what_kubeflows_pages_show_is_what_a_run_measured(finished: Path) -> None:
    artifacts = Workdir(finished).artifacts

    def shown(key: str) -> dict[str, Any]:
        metrics = SHOWN_METRICS[key]
        folders = (artifacts / metrics.node / metrics.source).iterdir()
        return metrics.read(min(folders, key=lambda path: int(path.name)))

    test, matrix = shown("test_metrics"), shown("test_confusion_matrix")
    baselines = {"largest_class_accuracy", "linear_model_accuracy"}
    scores = {"test_accuracy", "test_balanced_accuracy", "test_macro_f1"}
    assert set(test) == {*scores, *baselines, "test_images", "blessed"}
    assert shown("training_metrics").keys() >= {"eval_accuracy", "eval_loss", "epochs", "images_per_second"}
    counts = np.array([row["row"] for row in matrix["confusionMatrix"]["rows"]])
    assert counts.sum() == test["test_images"]
    assert np.trace(counts) / counts.sum() == pytest.approx(test["test_accuracy"])


def test_a_first_run_pushes_a_model_with_its_papers(finished: Path) -> None:
    [version] = Workdir(finished).serving_model.iterdir()
    papers = version / "assets.extra"

    assert (version / "saved_model.pb").exists()
    assert json.loads((papers / "label_map.json").read_text())["labels"][0] == "anger"
    assert set(json.loads((papers / "run.json").read_text())) == {
        "format_version",
        "recipe",
        "data_digest",
        "folder_digest",
    }
    assert "accuracy" in json.loads((papers / "metrics.json").read_text())["test"]
    assert (papers / "model_card.md").read_text().startswith("# Model card: resnet18, 8 classes")


def test_the_report_lies_at_its_fixed_place(finished: Path) -> None:
    assert "<html" in Workdir(finished).report.read_text()


def test_an_unchanged_second_run_executes_nothing(data: Path, finished: Path) -> None:
    pushed = list(Workdir(finished).serving_model.iterdir())
    for path in data.rglob("*.jpg"):
        os.utime(path)  # a new time is no new content

    result = run(data, finished)

    assert result.status == 0
    assert result.having("cached") == set(result.states)
    assert "Nothing has changed" in result.text
    assert list(Workdir(finished).serving_model.iterdir()) == pushed


def test_what_was_damaged_is_named_and_made_again(data: Path, finished: Path) -> None:
    page = newest(finished / "artifacts" / "Report" / "report") / "index.html"
    content = bytearray(page.read_bytes())
    content[len(content) // 2] ^= 1
    page.write_bytes(content)

    first, second = run(data, finished), run(data, finished)

    assert first.status == 1
    assert f"Report failed: {page} was changed since an earlier run made it." in first.text
    assert (page.parent.with_name(f"{page.parent.name}.damaged") / "index.html").read_bytes() == content
    assert second.status == 0, second.text
    assert second.having("done") == {"Report"}
    assert CliRunner().invoke(inspect, ["verify", "--workdir", str(finished)]).exit_code == 0


def test_a_changed_option_reruns_only_what_depends_on_it(data: Path, finished: Path) -> None:
    result = run(data, finished, "evaluate.bootstrap=21")

    assert result.status == 0
    assert result.having("done") <= {"PredictionAnalysis", "ModelExplanation", "Pusher", "Report"}
    assert "PredictionAnalysis" in result.having("done")
    assert {"Trainer", "Evaluator"} <= result.having("cached")


def test_a_model_below_its_threshold_is_not_pushed_and_the_status_says_so(data: Path, finished: Path) -> None:
    pushed = set(Workdir(finished).serving_model.iterdir())

    result = run(data, finished, "evaluate.min_accuracy=1.0")

    assert result.status == 3, result.text
    assert re.search(r"Not blessed, not pushed: test accuracy is 0\.\d+, at least 1\.000 is required", result.text)
    assert set(Workdir(finished).serving_model.iterdir()) == pushed


def test_another_models_push_reruns_the_comparison(data: Path, finished: Path) -> None:
    serving = Workdir(finished).serving_model
    version = min(serving.iterdir())
    other = serving / "1000"
    shutil.copytree(version, other)
    (other / "assets.extra" / "run.json").write_text('{"recipe": "another", "data_digest": "d", "folder_digest": "f"}')
    pushed = set(serving.iterdir())
    try:
        result = run(data, finished)
        assert set(serving.iterdir()) == pushed, "the model was there already"
    finally:
        shutil.rmtree(other)

    assert result.status == 0, result.text
    assert {"BaselineFinder", "Evaluator"} <= result.having("done")
    assert "Trainer" in result.having("cached")
    assert "version 1000" in result.text


def test_a_pushed_model_that_was_taken_away_is_pushed_again(data: Path, finished: Path, tmp_path: Path) -> None:
    serving = Workdir(finished).serving_model
    [version] = serving.iterdir()
    shutil.move(version, tmp_path / "away")

    result = run(data, finished)

    assert result.status == 0, result.text
    assert "Pusher" in result.having("done")
    assert "Trainer" in result.having("cached")
    [again] = serving.iterdir()
    assert (again / "saved_model.pb").read_bytes() == (tmp_path / "away" / "saved_model.pb").read_bytes()


# `python -m pipeline`, where nobody makes an execution's output folders: Kubeflow's launcher doesn't.
_WITHOUT_FOLDERS = """
from tfx.orchestration.portable import outputs_utils
outputs_utils.make_output_dirs = lambda outputs: None
from pipeline.cli import main
main()
"""


def test_the_best_of_several_resnets_is_trained_and_pushed(data: Path, finished: Path, tmp_path: Path) -> None:
    """With all splits balanced, as in the published data set, and every executor making its own folders."""
    workdir = tmp_path / "work"
    options = ["tuner.architectures=[resnet18, resnet34]", "tuner.epochs=1", "balance.splits=[train, eval, test]"]
    python, _, _, *arguments = command(data, workdir, options, "choose-best")

    result = Result(
        subprocess.run([python, "-c", _WITHOUT_FOLDERS, *arguments], capture_output=True, text=True, check=False)
    )

    assert result.status == 0, result.text
    [leaderboard] = Workdir(workdir).artifacts.glob("Tuner/tuner_results/*/leaderboard.json")
    best, other = json.loads(leaderboard.read_text())
    assert {best["architecture"], other["architecture"]} == {"resnet18", "resnet34"}
    [version] = Workdir(workdir).serving_model.iterdir()
    training = json.loads((version / "assets.extra" / "training.json").read_text())
    assert training["architecture"] == best["architecture"]
    assert balanced_splits(workdir) == {"train", "eval", "test"}
    assert balanced_splits(finished) == {"train"}  # by default it alone is filled up


def balanced_splits(workdir: Path) -> set[str]:
    summary = max(Workdir(workdir).artifacts.glob("SplitBalanceAugment/dataset/*/summary.json"))
    counts = json.loads(summary.read_text())["counts"]
    return {split for split, cells in counts.items() if any(cell["copies"] for cell in cells.values())}


def test_a_fatal_anomaly_stops_before_training(data: Path, finished: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.pbtxt"
    schema.write_text(
        'feature { name: "image/class/text" type: BYTES presence { min_fraction: 1 min_count: 1 } shape {} '
        'string_domain { value: ["anger", "happy"] } }'
    )

    result = run(data, finished, f"validate.schema={schema}")

    assert result.status == 1
    assert "DataGate failed: the data has anomalies" in result.text
    assert "Trainer" not in result.states
    assert f"Log: {finished}" in result.text


def rows(dataset: Path, *splits: str) -> list[dict[str, str]]:
    shards = (path for split in splits for path in sorted(dataset.glob(f"{split}-*.parquet")))
    return [row for path in shards for row in pq.read_table(path, columns=["sha256", "group"]).to_pylist()]


def newest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: int(path.name))


def test_after_a_new_split_two_models_meet_on_test_images_that_are_new_to_both(
    data: Path, finished: Path, tmp_path: Path
) -> None:
    version = min(Workdir(finished).serving_model.iterdir())
    datasets = Workdir(finished).artifacts / "SplitBalanceAugment" / "dataset"
    known = {row["sha256"][:16] for row in rows(min(datasets.iterdir(), key=lambda p: int(p.name)), "train", "eval")}
    assert set((version / "assets.extra" / "made_from.txt").read_text().split()) == known
    serving = tmp_path / "serving"
    shutil.copytree(version, serving / version.name)

    result = run(data, finished, "split.seed=28", f"push.destination={serving}", f"model.weights={version}")

    assert result.status == 0, result.text
    dataset = newest(datasets)
    old = {row["group"] for row in rows(dataset, "train", "eval", "test") if row["sha256"][:16] in known}
    tested = [row["group"] for row in rows(dataset, "test")]
    new = sum(group not in old for group in tested)
    assert 0 < new < len(tested)
    evaluation = newest(Workdir(finished).artifacts / "Evaluator" / "evaluation")
    comparison = json.loads((evaluation / "results.json").read_text())["comparison"]
    assert (comparison["on"], comparison["images"]) == ("new", new)
    leak = f"were made from {len(tested) - new} of the {len(tested)} test images"
    papers = newest(serving) / "assets.extra"
    assert leak in result.text
    assert leak in (papers / "model_card.md").read_text()
    both = known | {row["sha256"][:16] for row in rows(dataset, "train", "eval")}
    assert set((papers / "made_from.txt").read_text().split()) == both


def test_a_changed_image_reruns_everything(data: Path, tmp_path: Path, finished: Path) -> None:
    changed = tmp_path / "faces"
    shutil.copytree(data, changed)
    image = min(changed.rglob("*.jpg"))
    image.write_bytes(image.read_bytes() + b"\0")

    result = run(changed, finished, f"push.destination={tmp_path / 'serving'}")

    assert result.status == 0, result.text
    # The schema comes from the label map, which is the same.
    assert result.having("cached") <= {"ImageSchema"}


def test_a_class_that_is_too_small_is_named_after_the_files_that_cannot_be_used(tmp_path: Path, data: Path) -> None:
    small = tmp_path / "faces"
    shutil.copytree(data, small)
    for image in sorted((small / "train" / "sad").iterdir())[1:]:
        image.unlink()
    (small / "train" / "sad" / "broken.jpg").write_bytes(b"\xff\xd8 broken")

    result = run(small, tmp_path / "work")

    assert result.status == 1
    listed, _, failure = result.text.partition("SplitBalanceAugment failed")
    assert "sad (1 image," in failure
    [table] = Workdir(tmp_path / "work").artifacts.glob("ImageIngest/findings/*/quarantine.parquet")
    assert f"1 file can't be used ({table}):" in listed
    assert "'train/sad/broken.jpg': " in listed


def test_an_image_that_may_be_a_copy_is_named(tmp_path: Path, data: Path) -> None:
    doubtful = tmp_path / "faces"
    shutil.copytree(data, doubtful)
    first, *rest = sorted((doubtful / "train" / "sad").iterdir())
    first.rename(first.with_name("aug_2020_001.jpg"))
    for image in rest:  # stops the run early
        image.unlink()

    result = run(doubtful, tmp_path / "work")

    assert "In doubt: 1 image named like a copy, but no image that could be its source is there" in result.text
    assert "'train/sad/aug_2020_001.jpg'" in result.text


def test_a_second_run_at_once_is_refused(data: Path, finished: Path) -> None:
    with Workdir(finished).locked():
        result = run(data, finished)

    assert result.status == 1
    assert f"in use by process {os.getpid()}" in result.text
    assert not result.states


@dataclass(frozen=True)
class Killed:
    data: Path
    folder: Workdir
    last: Result


@pytest.fixture(scope="module")
def killed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """A run over a folder that `datasplit` balanced, killed, and finished by the next.

    Killed twice: as soon as the split is there, and as soon as the Trainer has left something behind it; in between it
    was asked to end. And before that killed in the moment when the metadata store was being made.
    """
    base = tmp_path_factory.mktemp("killed")
    split = base / "split"
    line = [sys.executable, "-m", "components.datasplit", "--balance", "--seed", "27", "--output-path", str(split)]
    subprocess.run([*line, "--group-regex", GROUP_REGEX, str(project / "faces")], check=True, capture_output=True)
    folder = Workdir(base / "work")
    folder.metadata.parent.mkdir()
    folder.metadata.touch()
    moments = {
        "SplitBalanceAugment/dataset/*/summary.json": signal.SIGKILL,
        "StatisticsGen/statistics/*": signal.SIGTERM,
        "Trainer/model/*": signal.SIGKILL,
    }
    for moment, number in moments.items():
        process = subprocess.Popen(
            command(split, base / "work"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        deadline = time.monotonic() + 240
        while not list(folder.artifacts.glob(moment)) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(folder.artifacts.glob(moment)), f"never saw {moment}"
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
            process.wait()
            continue
        process.send_signal(number)
        said = process.communicate(timeout=120)[0].decode()
        assert process.returncode == 128 + number, said
        assert said.splitlines()[-1] == "Interrupted: the same command goes on with what is done."
    return Killed(split, folder, run(split, base / "work"))


def test_a_killed_run_is_finished_by_the_next(killed: Killed) -> None:
    result = killed.last

    assert result.status == 0, result.text
    assert {"ImageIngest", "SplitBalanceAugment"} <= result.having("cached")
    assert "Trainer" in result.having("done")
    [version] = killed.folder.serving_model.iterdir()
    assert (version / "saved_model.pb").exists()


def test_a_folder_that_datasplit_balanced_keeps_its_test_images(killed: Killed) -> None:
    assert killed.last.status == 0, killed.last.text
    split, artifacts = killed.data, killed.folder.artifacts
    [predictions] = artifacts.glob("PredictionAnalysis/analysis/*/predictions.parquet")
    rows = pq.read_table(predictions).to_pylist()
    tested = {row["filename"] for row in rows if row["split"] == "test"}
    assert tested == {str(path.relative_to(split)) for path in (split / "test").rglob("*.*")}
    assert any(row["augmented"] for row in rows if row["split"] == "test")
    dataset = newest(artifacts / "SplitBalanceAugment" / "dataset")  # the first was left by the killed one
    assert json.loads((dataset / "summary.json").read_text())["leaks"] == []
    sources = {
        name: {
            row["source_id"] for path in dataset.glob(f"{name}-*.parquet") for row in pq.read_table(path).to_pylist()
        }
        for name in ("train", "eval", "test")
    }
    assert not sources["train"] & sources["test"]
    assert not sources["train"] & sources["eval"]
