import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_disk import fill, small_disk
from somebody_else import somebody_elses
from store_builder import StoreBuilder

from pipeline.cli import main
from pipeline.lineage.garbage import Places, delete, find_garbage
from pipeline.lineage.mlmd_store import open_store
from pipeline.local.workdir import Workdir


def gc(workdir: Path, *options: str) -> list[str]:
    result = CliRunner().invoke(main, ["gc", "--workdir", str(workdir), "--json", *options])
    assert result.exit_code == 0, result.output
    return [os.path.relpath(row["path"], workdir / "artifacts") for row in json.loads(result.output)]


def test_only_what_neither_a_kept_run_nor_a_live_model_needs_goes(tmp_path: Path) -> None:
    folder = Workdir(tmp_path / "work")
    builder = StoreBuilder(folder.metadata)
    live, gone = folder.serving_model / "1", folder.serving_model / "2"
    for path in (live, gone):
        path.mkdir(parents=True)
    builder.run("pushed", folder.artifacts, pushed=str(live))
    builder.run("taken down", folder.artifacts, pushed=str(gone))
    newest = builder.run("newest", folder.artifacts)
    builder.run("cached", folder.artifacts, cached=True, outputs=newest)
    builder.run("failed", folder.artifacts, state="failed")
    shutil.rmtree(gone)
    stray = folder.artifacts / "Trainer" / "model" / "999"
    stray.mkdir()
    killed = folder.artifacts / "Trainer" / ".system" / "stateful_working_dir" / "run"
    killed.mkdir(parents=True)

    expected = [
        "ImageIngest/images/3", "Trainer/model/4", "Pusher/pushed_model/5",  # of the model that was taken down
        "ImageIngest/images/9",  # of the failed run
        "Trainer/model/999", "Trainer/.system/stateful_working_dir/run",
    ]  # fmt: skip
    assert gc(folder.root) == expected
    assert stray.exists()

    assert gc(folder.root, "--yes") == expected
    assert not any((folder.artifacts / path).exists() for path in expected)
    states = {artifact.id: artifact.state for artifact in open_store(str(folder.metadata)).artifacts()}
    assert [number for number, state in sorted(states.items()) if state == "DELETED"] == [4, 5, 6, 10]
    assert gc(folder.root) == []


def test_of_interrupted_trainings_the_latest_stays(tmp_path: Path) -> None:
    folder = Workdir(tmp_path / "work")
    StoreBuilder(folder.metadata).run("only", folder.artifacts)
    for age, name in enumerate(["latest", "search-older", "oldest"]):
        file = folder.checkpoints / name / "trial-0" / "training.npz"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"state")
        for path in (file, file.parent, file.parent.parent):
            os.utime(path, (1e9 - age, 1e9 - age))

    assert gc(folder.root, "--yes") == ["../checkpoints/oldest", "../checkpoints/search-older"]
    assert [path.name for path in folder.checkpoints.iterdir()] == ["latest"]


def test_more_runs_can_be_kept(tmp_path: Path) -> None:
    folder = Workdir(tmp_path / "work")
    builder = StoreBuilder(folder.metadata)
    for name in ("one", "two", "three"):
        builder.run(name, folder.artifacts)

    assert len(gc(folder.root)) == 6
    assert len(gc(folder.root, "--keep", "2")) == 3
    assert gc(folder.root, "--keep", "3") == []


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    folder = Workdir(tmp_path / "work")
    StoreBuilder(folder.metadata).run("one", folder.artifacts)
    with folder.locked():
        result = CliRunner().invoke(main, ["gc", "--workdir", str(folder.root)])

    assert result.exit_code == 1
    assert "is in use by process" in result.output


def test_a_workdir_that_was_moved_keeps_what_its_runs_made(tmp_path: Path) -> None:
    before = Workdir(tmp_path / "before")
    StoreBuilder(before.metadata).run("run", before.artifacts)
    after = Workdir(shutil.move(before.root, tmp_path / "after"))
    stray = after.artifacts / "Trainer" / "model" / "999"
    stray.mkdir()

    assert gc(after.root, "--yes") == ["Trainer/model/999"]
    assert len(list(after.artifacts.glob("*/*/*"))) == 3


def gc_on_a_full_disk(tmp_path: Path, disk: Path, artifact: int, stray: int) -> "subprocess.CompletedProcess[str]":
    """Fill a disk with a workdir of two runs, artifacts of so many bytes and a folder that the store doesn't know."""
    folder = Workdir(disk / "work")
    builder = StoreBuilder(tmp_path / "metadata.db")  # elsewhere, since it keeps its file open
    builder.run("older", folder.artifacts)
    builder.run("newest", folder.artifacts)
    shutil.copyfile(tmp_path / "metadata.db", folder.metadata)
    (folder.artifacts / "Trainer" / "model" / "1" / "weights").write_bytes(bytes(artifact))
    if stray:
        (folder.artifacts / "Trainer" / "model" / "999").mkdir()
        (folder.artifacts / "Trainer" / "model" / "999" / "weights").write_bytes(bytes(stray))
    fill(disk)
    assert shutil.disk_usage(disk).free == 0
    line = [sys.executable, "-m", "pipeline", "gc", "--workdir", str(folder.root), "--yes"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert sorted(path.name for path in folder.artifacts.glob("*/*/*")) == ["3", "4", "5"]  # what the newest run made
    return done


def states(database: Path, copy: Path) -> list[int]:
    shutil.copyfile(database, copy)
    return [int(artifact.id) for artifact in open_store(str(copy)).artifacts() if artifact.state == "DELETED"]


@pytest.mark.parametrize(("artifact", "stray"), [(400_000, 0), (0, 400_000)])
def test_a_full_disk_is_emptied(artifact: int, stray: int, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        done = gc_on_a_full_disk(tmp_path, disk, artifact, stray)
        marked = states(disk / "work" / "metadata.db", tmp_path / "copy.db")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" kB deleted.\n")
    assert marked == [1, 2, 3]


def test_what_could_not_be_marked_is_marked_by_the_next_call(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        done = gc_on_a_full_disk(tmp_path, disk, 0, 0)  # too little to make room
        moved = tmp_path / "moved.db"
        unmarked = states(disk / "work" / "metadata.db", moved)
        artifacts = disk / "work" / "artifacts"
        found = find_garbage(open_store(str(moved)), Places(artifacts, disk, disk / "tmp", disk / "models"), 1)
        delete(found, moved)

    database = tmp_path / "disk" / "work" / "metadata.db"
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: no space is left to write to {database}: the files were deleted. "
        "Make room, and give the command again\n"
    )
    assert unmarked == []
    assert {one.reason for one in found} == {"its files are gone"}
    assert states(moved, tmp_path / "copy.db") == [1, 2, 3]


def test_a_database_that_cannot_be_written_keeps_everything(shared: Workdir) -> None:
    (shared.root / ".lock").chmod(0o666)
    for folder in (shared.artifacts, *shared.artifacts.rglob("*")):
        folder.chmod(0o777)
    with somebody_elses(shared.metadata):
        result = CliRunner().invoke(main, ["gc", "--workdir", str(shared.root), "--yes"])

    assert result.output.splitlines()[-1] == (
        f"Error: can't write to {shared.metadata}: Permission denied. Nothing was deleted"
    )
    assert len(gc(shared.root)) == 3


def test_temporary_files_and_half_made_pushes_of_what_was_killed_go(tmp_path: Path) -> None:
    folder = Workdir(tmp_path / "work")
    StoreBuilder(folder.metadata).run("only", folder.artifacts)
    pushed, killed, going_on = (folder.serving_model / name for name in ("7", ".push-killed", ".push-going-on"))
    for path in (folder.temporary / "tfx", pushed, killed, going_on):
        path.mkdir(parents=True)
    (folder.temporary / "generated.py").write_text("made")
    os.utime(killed, (1e9, 1e9))

    assert gc(folder.root, "--yes") == ["../.tmp/generated.py", "../.tmp/tfx", "../serving_model/.push-killed"]
    assert sorted(path.name for path in folder.serving_model.iterdir()) == [".push-going-on", "7"]
    assert list(folder.temporary.iterdir()) == []


@pytest.fixture
def shared() -> Iterator[Workdir]:
    """A workdir that everybody can reach, with something to delete."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = Workdir(Path(place) / "work")
        builder = StoreBuilder(folder.metadata)
        builder.run("older", folder.artifacts)
        builder.run("newest", folder.artifacts)
        assert gc(folder.root)  # imports all that it needs, and makes the lock
        yield folder


def test_in_somebody_elses_workdir_nothing_is_deleted_and_that_is_said(shared: Workdir) -> None:
    with somebody_elses(shared.root):
        result = CliRunner().invoke(main, ["gc", "--workdir", str(shared.root), "--yes"])

    assert result.exit_code == 2
    assert result.output == (
        f"Error: can't work in {shared.root}: Permission denied. Name another folder with --workdir\n"
    )
    assert len(gc(shared.root)) == 3


def test_what_cannot_be_deleted_is_named_before_anything_is(shared: Workdir) -> None:
    (shared.root / ".lock").chmod(0o666)
    with somebody_elses(shared.artifacts):
        result = CliRunner().invoke(main, ["gc", "--workdir", str(shared.root), "--yes"])

    assert result.exit_code == 1
    last = result.output.splitlines()[-1]
    assert last.startswith(f"Error: can't delete {shared.artifacts}/")
    assert last.endswith(": Permission denied. Nothing was deleted")
    assert len(gc(shared.root)) == 3
    assert all(artifact.state == "LIVE" for artifact in open_store(str(shared.metadata)).artifacts())


@pytest.mark.parametrize("command", ["gc", "inspect", "suspects", "report"])
def test_what_cannot_be_looked_into_is_named(command: str, shared: Workdir) -> None:
    CliRunner().invoke(main, [command, "--workdir", str(shared.root)])  # imports all that it needs
    with somebody_elses(shared.root, readable=False):
        result = CliRunner().invoke(main, [command, "--workdir", str(shared.root)])

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: no access to {shared.root}/")
    assert result.output.endswith(": Permission denied\n")


def test_hundreds_of_folders_are_summed_up_for_people(tmp_path: Path) -> None:
    folder = Workdir(tmp_path / "work")
    StoreBuilder(folder.metadata).run("only", folder.artifacts)
    for number in range(201):
        stray = folder.artifacts / "Trainer" / "model" / str(1000 + number)
        stray.mkdir()
        (stray / "weights").write_bytes(bytes(1000))

    assert len(gc(folder.root)) == 201
    result = CliRunner().invoke(main, ["gc", "--workdir", str(folder.root), "--yes"])
    _, row, total = result.output.splitlines()

    assert row.split() == f"{folder.artifacts}/Trainer/model/* 201 201.0 kB not in the store".split()
    assert total == "201.0 kB deleted in 201 folders and files, which --json names."
    assert gc(folder.root) == []
