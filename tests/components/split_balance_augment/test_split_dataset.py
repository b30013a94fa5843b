import contextlib
import json
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import albumentations as A
import numpy as np
import pytest
from dask_cluster import DaskCluster
from drawn_images import draw, draw_folder
from split_data_set import COUNTS, ingested, rows, run, tree_hash

from components.formats.dataset import SPLITS, shard_name, shard_paths, write_shard
from components.images.codec import decode
from components.ingest.ingest import ingest
from components.ingest.options import DataOptions
from components.split_balance_augment.options import AugmentOptions, BalanceOptions, SplitOptions
from components.work.options import BeamOptions
from components.work.unit import WorkError


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ingested folder of 191 pictures, repacked into shards of several row groups each."""
    base = tmp_path_factory.mktemp("source")
    images = base / "images"
    images.mkdir()
    ingest(str(draw_folder(base / "folder", COUNTS)), images, DataOptions())
    repack(images, 4)
    return images


def repack(images: Path, shards: int) -> None:
    all_rows = rows(images, "images")
    for path in shard_paths(images, "images"):
        path.unlink()
    for index in range(shards):
        write_shard(all_rows[index::shards], images / shard_name("images", index, shards))


def test_copies_have_what_is_known_of_their_source(tmp_path: Path) -> None:
    draw_folder(tmp_path / "folder", {"anger": 12, "happy": 30})
    lines = ["path,camera", *(f"happy/img{number}.jpg,{'ab'[number % 2]}" for number in range(30))]
    lines += [f"anger/img{number}.jpg,{'cd'[number % 2]}" for number in range(11)]
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    (tmp_path / "images").mkdir()
    options = DataOptions(metadata_csv=str(tmp_path / "metadata.csv"))
    ingest(str(tmp_path / "folder"), tmp_path / "images", options)

    run(tmp_path / "images", tmp_path / "split")

    found = {row.id: row for split in SPLITS for row in rows(tmp_path / "split", split)}
    copies = [row for row in found.values() if row.copy]
    assert copies
    assert all(row.metadata == found[row.source_id].metadata for row in copies)
    assert {row.metadata for row in found.values()} == {(("camera", name),) for name in ("a", "b", "c", "d", "")}


@pytest.fixture(scope="module")
def done(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("done") / "dataset"
    run(source, target)
    return target


def test_every_original_is_kept_with_its_bytes(source: Path, done: Path) -> None:
    before = {row.id: row.image for row in rows(source, "images")}
    after = {row.id: row.image for split in ("train", "eval", "test") for row in rows(done, split) if row.copy == 0}
    assert after == before


def test_train_is_balanced_and_the_other_splits_hold_originals_only(done: Path) -> None:
    assert Counter(row.label for row in rows(done, "train")) == dict.fromkeys(COUNTS, 63)
    assert all(row.copy == 0 for split in ("eval", "test") for row in rows(done, split))


def test_an_image_has_no_more_copies_than_allowed_and_the_summary_says_what_is_missing(
    source: Path, done: Path, tmp_path: Path
) -> None:
    balance = BalanceOptions(max_copies_per_image=1)
    summary = run(source, tmp_path / "bounded", balance=balance)

    copies = Counter(row.source_id for row in rows(tmp_path / "bounded", "train") if row.copy)
    assert set(copies.values()) == {1}
    free = json.loads((done / "summary.json").read_text())["counts"]["train"]
    for label, one in summary["counts"]["train"].items():
        assert one["copies"] == min(free[label]["copies"], one["originals"])
        assert one["copies"] + one["missing"] == free[label]["copies"]
    assert summary["counts"]["train"]["anger"]["missing"] > 0
    assert summary["max_copies_per_image"] == 1


def test_copies_stay_with_their_source_and_name_it(done: Path) -> None:
    by_split = {split: rows(done, split) for split in ("train", "eval", "test")}
    originals = {row.id: (row, split) for split, found in by_split.items() for row in found if row.copy == 0}
    copies = [(row, split) for split, found in by_split.items() for row in found if row.copy > 0]
    assert len(copies) == len({row.id for row, _ in copies}) == 35 + 20
    for copy, split in copies:
        original, home = originals[copy.source_id]
        assert (split, copy.label, copy.group, copy.sha256) == (home, original.label, original.group, original.sha256)
        assert decode(copy.image).pixels.shape == (copy.height, copy.width, copy.channels)
        assert copy.image != original.image


def test_no_group_is_in_two_splits(done: Path) -> None:
    groups = [{row.group for row in rows(done, split)} for split in ("train", "eval", "test")]
    assert sum(len(group) for group in groups) == len(set().union(*groups))


def test_the_summary_counts_what_the_shards_hold(done: Path) -> None:
    summary = json.loads((done / "summary.json").read_text())
    for split, by_label in summary["counts"].items():
        held = Counter((row.label, row.copy > 0) for row in rows(done, split))
        for label, counts in by_label.items():
            assert (held[label, False], held[label, True]) == (counts["originals"], counts["copies"])
    assert summary["made_copies"] == 55
    assert summary["seed"] == 5
    assert summary["deviations"] == summary["leaks"] == []


def test_nothing_but_shards_and_summary_is_left(done: Path) -> None:
    assert all(path.suffix == ".parquet" or path.name == "summary.json" for path in done.iterdir())


@pytest.mark.parametrize(
    "beam",
    [
        BeamOptions(workers=2),
        BeamOptions(workers=4),
        BeamOptions(runner="FnApiRunner", workers=1),
        BeamOptions(runner="DirectRunner", workers=2),
    ],
    ids=["2 workers", "4 workers", "in process", "2 by name"],
)
def test_the_bytes_are_the_same_with_any_workers(source: Path, done: Path, beam: BeamOptions, tmp_path: Path) -> None:
    run(source, tmp_path / "again", beam=beam)
    assert tree_hash(tmp_path / "again") == tree_hash(done)


def test_brackets_in_a_folders_name_are_no_pattern(source: Path, done: Path, tmp_path: Path) -> None:
    base = tmp_path / "photos [2024]?*"
    shutil.copytree(source, base / "images")
    shutil.copytree(source, tmp_path / "photos 2" / "out" / ".units")
    run(base / "images", base / "out")
    assert tree_hash(base / "out") == tree_hash(done)
    assert tree_hash(tmp_path / "photos 2" / "out" / ".units") == tree_hash(source)


def test_split_and_copies_do_not_depend_on_how_the_input_is_sharded(source: Path, done: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shuffled = rows(source, "images")
    np.random.default_rng(0).shuffle(shuffled)  # type: ignore[arg-type]
    write_shard(shuffled, other / shard_name("images", 0, 1))
    (other / "summary.json").write_bytes((source / "summary.json").read_bytes())
    run(other, tmp_path / "again")
    for split in ("train", "eval", "test"):
        assert {r.id: r.image for r in rows(tmp_path / "again", split)} == {r.id: r.image for r in rows(done, split)}


def test_a_custom_pipeline_and_png_are_used(source: Path, tmp_path: Path) -> None:
    A.save(A.Compose([A.Resize(10, 12, p=1.0)]), tmp_path / "resize.yml", data_format="yaml")
    augment = AugmentOptions(pipeline_yaml=str(tmp_path / "resize.yml"), encoding="png")
    summary = run(source, tmp_path / "out", augment=augment)
    copies = [row for row in rows(tmp_path / "out", "train") if row.copy]
    assert {(row.height, row.width, row.format) for row in copies} == {(10, 12, "png")}
    assert summary["resized_copies"] == len(copies) == 55


def test_what_a_unit_fails_of_is_said_in_one_line(source: Path, tmp_path: Path) -> None:
    A.save(A.Compose([A.RandomCrop(500, 500, p=1.0)]), tmp_path / "crop.yml", data_format="yaml")
    for workers in (1, 2):
        with pytest.raises(WorkError, match=r"^the augmentation pipeline fails on a 24×24 image: [^\n]*$"):
            run(
                source,
                tmp_path / f"out{workers}",
                augment=AugmentOptions(pipeline_yaml=str(tmp_path / "crop.yml")),
                beam=BeamOptions(workers=workers),
            )


def test_a_given_test_split_is_kept_and_leaks_are_counted(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", {"a": 30, "b": 20})
    for label in ("a", "b"):
        (folder / "test" / label).mkdir(parents=True)
        for index in range(4):
            path = folder / "train" / label / f"img{index}.jpg"
            path.rename(folder / "test" / label / path.name)
    (folder / "train" / "a" / "again.jpg").write_bytes((folder / "test" / "a" / "img0.jpg").read_bytes())
    draw(folder / "test" / "a" / "img9_aug1.jpg", seed=9000)  # a copy of an image of train, by its name
    summary = run(ingested(folder, tmp_path / "images"), tmp_path / "out")
    given = {f"test/{x}/img{i}.jpg" for x in "ab" for i in range(4)}
    assert {row.id for row in rows(tmp_path / "out", "test")} == {*given, "test/a/img9_aug1.jpg"}
    assert summary["leaking_groups"] == 2
    assert all(set(leak["splits"]) - {"train", "eval"} == {"test"} for leak in summary["leaks"])


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("other", [40, None])
def test_classes_that_are_too_small_for_the_split_are_named(count: int, other: int | None, tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", {"a": count, "b": other or count})
    with pytest.raises(ValueError, match=r"too few images or groups to be in each of train, eval, test: ") as error:
        run(ingested(folder, tmp_path / "images"), tmp_path / "out")
    assert f"a ({count} images, {count} groups)" in str(error.value)
    assert (f"b ({count} images" in str(error.value)) == (other is None)


def test_the_remedy_is_not_lost_behind_many_classes_that_are_too_small(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", {f"class{index}": 2 for index in range(7)})

    with pytest.raises(ValueError, match=r"class4 \(2 images, 2 groups\), … \(7 classes\)\. Add images to these"):
        run(ingested(folder, tmp_path / "images"), tmp_path / "out")


def test_a_class_of_few_large_groups_may_be_missing_in_eval_unless_all_are(tmp_path: Path) -> None:
    folder = draw_folder(tmp_path / "folder", {"a": 30, "b": 60})
    for index in range(30):
        path = folder / "train" / "a" / f"img{index}.jpg"
        path.rename(path.with_name(f"S{index % 3}_{index}.jpg"))
    split = SplitOptions(seed=5, group_regex=r"^(S\d)_")
    summary = run(ingested(folder, tmp_path / "images"), tmp_path / "out", split=split)
    assert {"label": "a", "split": "eval", "planned": 3, "deviation": -3} in summary["deviations"]

    for index in range(60):
        path = folder / "train" / "b" / f"img{index}.jpg"
        path.rename(path.with_name(f"S{3 + index % 3}_{index}.jpg"))
    images = ingested(folder, tmp_path / "other")
    with pytest.raises(ValueError, match=r"too few .*: a \(30 images, 3 groups\), b \(60 images, 3 groups\)"):
        run(images, tmp_path / "again", split=split)


def test_a_missing_shard_is_an_error(source: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for path in list(source.iterdir())[1:]:
        (images / path.name).write_bytes(path.read_bytes())
    (images / shard_name("images", 0, 4)).unlink(missing_ok=True)
    (images / "summary.json").write_bytes((source / "summary.json").read_bytes())
    with pytest.raises(FileNotFoundError, match="shards of images are missing"):
        run(images, tmp_path / "out")


@pytest.fixture
def dask_cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path)
    yield cluster
    from distributed import default_client

    with contextlib.suppress(ValueError):
        default_client().close()  # Beam leaves it open
    cluster.close()


def dask_options(cluster: DaskCluster) -> BeamOptions:
    return BeamOptions(
        runner="apache_beam.runners.dask.dask_runner.DaskRunner",
        options=(f"--dask_client_address={cluster.address}", "--dask_npartitions=16"),
    )


def test_a_dask_cluster_gives_the_same_bytes(
    source: Path, done: Path, dask_cluster: DaskCluster, tmp_path: Path
) -> None:
    run(source, tmp_path / "again", beam=dask_options(dask_cluster))
    assert tree_hash(tmp_path / "again") == tree_hash(done)
    assert min(dask_cluster.tasks_done()) > 0


def test_a_dask_worker_that_dies_costs_nothing_but_time(
    source: Path, dask_cluster: DaskCluster, tmp_path: Path
) -> None:
    balance = BalanceOptions(global_multiplier=60)
    killed, over = [], threading.Event()

    def kill_one() -> None:
        scratch = tmp_path / "cluster" / ".units"
        while not over.wait(0.01):
            if len(list(scratch.glob("*.json"))) >= 2:
                dask_cluster.workers[0].send_signal(signal.SIGKILL)
                killed.append(len(list(scratch.glob("*.json"))))
                return

    killer = threading.Thread(target=kill_one)
    killer.start()
    try:
        run(source, tmp_path / "cluster", beam=dask_options(dask_cluster), balance=balance)
    finally:
        over.set()
        killer.join()
    run(source, tmp_path / "here", balance=balance)
    assert killed
    assert killed[0] < 16
    assert dask_cluster.workers[0].poll() == -signal.SIGKILL
    assert tree_hash(tmp_path / "cluster") == tree_hash(tmp_path / "here")
