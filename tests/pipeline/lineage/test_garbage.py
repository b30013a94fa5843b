import json
import os
import shutil
from pathlib import Path

from click.testing import CliRunner
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
