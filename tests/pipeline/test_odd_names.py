"""Names of folders, classes and files that would be patterns, quotations or variables somewhere, from end to end."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from whole_pipeline import run

from pipeline.local.workdir import Workdir
from pipeline.sample.dataset import write_sample_data

pytestmark = pytest.mark.e2e

_ODD = "{x},'y' \"z\" $HOME %41 #é;&@~=+\n"
_CLASSES = ("a[b]c", "*", "q?", 'it\'s "so" $HOME', "50%#1", "Zürich 日本")


def test_names_may_hold_any_character(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn"
    write_sample_data(drawn, 160)
    data, neighbour = tmp_path / f"da[t]a *? {_ODD}", tmp_path / f"data xy {_ODD}"
    for label, folder in zip(_CLASSES, sorted((drawn / "train").iterdir()), strict=False):
        (data / "train" / label).mkdir(parents=True)
        for number, path in enumerate(sorted(folder.iterdir())):
            shutil.copy(path, data / "train" / label / f"{path.stem} [{number}]*? {_ODD}{path.suffix}")
    shutil.copytree(drawn, neighbour)
    workdir = Workdir(tmp_path / f"work {_ODD}")
    serving, checkpoints = tmp_path / f"se[r]ving *? {_ODD}", tmp_path / f"check[p]oints *? {_ODD}"
    settings = {"push.destination": serving, "train.checkpoints": checkpoints}

    result = run(data, workdir.root, *(f"{key}={json.dumps(str(path))}" for key, path in settings.items()))

    assert result.status == 0, result.text
    images = Counter(path.parent.name for path in data.rglob("*.jpg"))
    shards = workdir.artifacts.glob("ImageIngest/images/*/images-*.parquet")
    rows = [row for path in shards for row in pq.read_table(path, columns=["label", "id"]).to_pylist()]
    assert Counter(row["label"] for row in rows) == images
    assert {row["id"] for row in rows} == {path.relative_to(data).as_posix() for path in data.rglob("*.jpg")}
    [version] = serving.iterdir()
    assert json.loads((version / "assets.extra" / "label_map.json").read_text())["labels"] == sorted(_CLASSES)

    line = [sys.executable, "-m", "pipeline", "predict", "--model", str(serving), "--json", str(data / "train" / "q?")]
    shown = subprocess.run(line, capture_output=True, text=True, check=True)

    assert len(json.loads(shown.stdout)) == images["q?"]
    assert {row["label"] for row in json.loads(shown.stdout)} <= set(_CLASSES)
