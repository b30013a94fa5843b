import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from somebody_else import somebody_elses
from store_builder import StoreBuilder

from pipeline.cli import main
from pipeline.lineage.store import open_store
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

    assert result.exit_code == 1
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
