"""A run through driver and launcher, and the same configuration run locally: both sides, and what must be equal."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from local_side import LocalRun
from workflow import Run


@dataclass(frozen=True)
class Both:
    """The two sides.

    Attributes:
        run: through driver and launcher.
        version: the folder in the object store that it pushed its model to.
        local: on this machine.
    """

    run: Run
    version: str
    local: LocalRun

    @property
    def pushed(self) -> dict[str, Any]:
        """What the model that was pushed through Kubeflow was made from."""
        found: dict[str, Any] = json.loads(self.run.backend.files().cat_file(f"{self.version}/assets.extra/run.json"))
        return found

    def fetched(self, task: str, output: str, folder: Path) -> Path:
        """Copy a task's output from the object store to a folder of its name, and return that."""
        target = folder / task / output
        self.run.backend.files().get(self.run.artifact(task, output), str(target), recursive=True)
        return target


def side_by_side(run: Run, locally: Callable[[], LocalRun]) -> Both:
    """Run both sides at the same time; both must succeed."""
    with ThreadPoolExecutor(1) as pool:
        local = pool.submit(locally)
        assert run.to_its_end(), run.why()
        return Both(run, _newest_version(run), local.result())


def assert_same_counts_and_records(both: Both, folder: Path) -> None:
    for component, task, output in (
        ("ImageIngest", "image-ingest", "images"),
        ("SplitBalanceAugment", "split-balance-augment", "dataset"),
    ):
        summary = both.fetched(task, output, folder) / "summary.json"
        assert _read(summary) == _read(both.local.outputs[component, output] / "summary.json")
    found = both.fetched("tf-record-converter", "examples", folder)
    expected = both.local.outputs["TFRecordConverter", "examples"]
    shards = sorted(path.relative_to(expected) for path in expected.rglob("*.gz"))
    assert len(shards) == 3
    assert [(found / shard).read_bytes() for shard in shards] == [(expected / shard).read_bytes() for shard in shards]


def assert_same_model_and_metrics(both: Both, folder: Path) -> None:
    found = _variables(both.fetched("trainer", "model", folder))
    expected = _variables(both.local.outputs["Trainer", "model"])
    assert found
    assert found.keys() == expected.keys()
    assert [name for name in found if not np.array_equal(found[name], expected[name])] == []
    for component, task, output, name in (
        ("Evaluator", "evaluator", "evaluation", "results.json"),
        ("PredictionAnalysis", "prediction-analysis", "analysis", "analysis.json"),
    ):
        figures = both.fetched(task, output, folder) / name
        assert _read(figures) == _read(both.local.outputs[component, output] / name)


def _newest_version(run: Run) -> str:
    versions = run.backend.files().ls(run.destination, detail=False)
    return str(max(versions, key=lambda path: int(path.rsplit("/", 1)[-1])))


def _variables(model: Path) -> dict[str, Any]:
    reader = tf.train.load_checkpoint(str(model / "Format-Serving" / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]
    return {name: reader.get_tensor(name) for name in names}


def _read(path: Path) -> Any:
    # A pushed version is named by the second in which it was pushed.
    return json.loads(re.sub(r"(?<![\d.])\d{10}(?!\d)", "0", path.read_text("utf-8")))
