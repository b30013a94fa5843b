"""Corrected labels reach the next run's data set, the copies of the images included."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from analysed_run import record_run
from click.testing import CliRunner

from components.analysis.suspects import about_suspects, find_suspects
from components.formats.dataset import SPLITS, ImageRow, read_shard, shard_paths
from components.images.copy_mark import CopyMark, marked
from components.images.hashing import file_sha256
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from components.scoring.predictions import Predictions
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.split_balance_augment.split_dataset import split_dataset
from components.work.options import BeamOptions
from pipeline.cli import main

_CLASSES = ("glass", "metal", "paper")
_EACH = 40


@pytest.fixture
def photos(data_set, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """Photos, three of each class in the folder of the next one; two of them have copies, by a table and by a mark."""
    root = tmp_path / "photos"
    for place, label in enumerate(_CLASSES):
        for number, file in enumerate(sorted((data_set("trashnet96") / "train" / label).glob("*.jpg"))[:_EACH]):
            folder = root / "train" / (_CLASSES[(place + 1) % 3] if number < 3 else label)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / file.name)
    first, second = sorted((root / "train" / "metal").glob("glass*.jpg"))[:2]
    other = sorted((root / "train" / "metal").glob("metal*.jpg"))[5]
    (first.parent / "of_table.jpg").write_bytes(other.read_bytes()[:-2] + b"\0\xff\xd9")
    (root / "lineage.csv").write_text(f"file,source,copy\ntrain/metal/of_table.jpg,{first.relative_to(root)},1\n")
    mark = CopyMark(file_sha256(second.read_bytes()), 1)
    (first.parent / "of_mark.jpg").write_bytes(marked(other.read_bytes(), "jpeg", mark))
    return root


def data_set_of(data: Path, folder: Path, labels_csv: Path | None = None) -> dict[str, ImageRow]:
    """Ingest and split as the pipeline does; return the rows by id."""
    images, dataset = folder / "images", folder / "dataset"
    images.mkdir(parents=True)
    dataset.mkdir()
    ingest(str(data), images, DataOptions(labels_csv=str(labels_csv) if labels_csv else None))
    options = {
        "split": SplitOptions(),
        "balance": BalanceOptions(splits=("train",), global_multiplier=2),
        "augment": AugmentOptions(),
    }
    split_dataset(str(images), str(dataset), **options, beam=BeamOptions(workers=1))  # type: ignore[arg-type]
    return {row.id: row for split in SPLITS for path in shard_paths(dataset, split) for row in read_shard(path)}


def findings_of(rows: dict[str, ImageRow]) -> dict[str, object]:
    """Suspects as the analysis finds them; what the network says is drawn here, nearly always the truth."""
    rng = np.random.default_rng(0)
    names = np.array(sorted(row.id for row in rows.values() if row.copy == 0))
    truth = np.array([_CLASSES.index(next(c for c in _CLASSES if c in name.rpartition("/")[2])) for name in names])
    logits = 5 * np.eye(3)[truth] + rng.normal(size=(len(names), 3))
    said = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([_CLASSES.index(rows[name].label) for name in names])
    judged = {"test": Predictions(said, labels, names, names, np.zeros(len(names), bool))}
    return {
        "suspects": find_suspects(judged, list(_CLASSES)),
        "about_suspects": about_suspects(judged, 100),
        "labels": list(_CLASSES),
    }


def test_from_a_runs_suspects_to_the_next_runs_labels(photos: Path, tmp_path: Path) -> None:
    before = data_set_of(photos, tmp_path / "one")
    workdir = record_run(tmp_path / "work", photos, tmp_path / "one" / "dataset", findings_of(before))
    listed, table = tmp_path / "list.csv", tmp_path / "labels.csv"

    def suspects(*words: str) -> None:
        done = CliRunner().invoke(main, ["suspects", "--workdir", str(workdir), *words])
        assert done.exit_code == 0, done.output

    suspects("--export", str(listed))
    header, *lines = listed.read_text("utf-8-sig").splitlines()
    decided = [",".join([cells[0], cells[4], *cells[2:]]) for cells in (line.split(",") for line in lines)]
    assert len(decided) == 9
    listed.write_text("\n".join([header, *decided]) + "\n")
    suspects("--import", str(listed), "--into", str(table))
    after = data_set_of(photos, tmp_path / "two", table)

    assert {name for name, row in after.items() if row.copy == 0} == {n for n, row in before.items() if row.copy == 0}
    for row in after.values():
        assert row.label in row.source_id.rpartition("/")[2]  # a photo's name holds what it shows
    wrong = [row for row in before.values() if row.label not in row.source_id.rpartition("/")[2]]
    assert {row.id for row in wrong if row.copy == 0} == {line.split(",")[0] for line in decided}
    for copy in ("train/metal/of_table.jpg", "train/metal/of_mark.jpg"):
        assert (before[copy].label, after[copy].label) == ("metal", "glass")
        assert after[copy].split == after[after[copy].source_id].split
    made = [row for row in after.values() if row.source_id in {one.id for one in wrong} and row.copy > 0]
    assert len(made) > 2
