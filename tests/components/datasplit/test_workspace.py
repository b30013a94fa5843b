import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.datasplit.workspace import Workspace, WorkspaceError


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def prepare(target: Path) -> Workspace:
    """A folder with two originals, and a sealed stage with a copy for each side, of which one original moves."""
    for name in ("one", "two"):
        (target / "train" / "a").mkdir(parents=True, exist_ok=True)
        (target / "train" / "a" / name).write_text(name)
    workspace = Workspace(target)
    with workspace:
        workspace.record({"seed": 1})
        stage = workspace.new_stage()
        for split, name in (("train", "one_aug1"), ("test", "two_aug1")):
            (stage / split / "a").mkdir(parents=True)
            (stage / split / "a" / name).write_text(name)
            (stage / f"{split}.csv").write_text(split)
        (stage / "lineage.csv").write_text("lineage")
        workspace.seal(stage, ["a/two"], {"images": 4})
    return workspace


FINISHED = {
    "lineage.csv": "lineage",
    "test.csv": "test",
    "test/a/two": "two",
    "test/a/two_aug1": "two_aug1",
    "train.csv": "train",
    "train/a/one": "one",
    "train/a/one_aug1": "one_aug1",
}


def test_commit_moves_everything_into_place_and_leaves_nothing_behind(tmp_path: Path) -> None:
    workspace = prepare(tmp_path)
    with workspace:
        workspace.commit()
    assert files(tmp_path) == FINISHED
    assert not workspace.path.exists()


CRASH = """
import os, sys
from pathlib import Path
left = int(sys.argv[2])
def dying(call):
    def step(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return call(*args, **kwargs)
    return step
for name in ("rename", "replace", "unlink", "rmdir"):
    setattr(Path, name, dying(getattr(Path, name)))
from components.datasplit.workspace import Workspace
with Workspace(Path(sys.argv[1])) as workspace:
    workspace.commit()
"""


def test_a_commit_killed_before_any_of_its_steps_is_finished_by_the_next(tmp_path: Path) -> None:
    for step in range(100):
        target = tmp_path / str(step)
        prepare(target)
        died = subprocess.run([sys.executable, "-c", CRASH, str(target), str(step)], check=False).returncode
        if not died:
            assert step > 8
            return
        assert died == 9
        with Workspace(target) as workspace:
            if workspace.committed() is not None:
                workspace.commit()
            assert workspace.recorded() is None
        names = {name: text for name, text in files(target).items() if not name.startswith(".datasplit")}
        assert names == FINISHED


def test_a_second_process_is_refused_while_the_first_works(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from components.datasplit.workspace import *\n"
    code += "try:\n with Workspace(Path(sys.argv[1])): pass\nexcept WorkspaceError as error: print(error)"
    with Workspace(tmp_path):
        said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)
    assert said.stdout == f"another datasplit is working on {tmp_path}\n"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    workspace = prepare(tmp_path)
    (tmp_path / "train" / "a" / "one_aug1").write_text("somebody else's")
    with workspace, pytest.raises(WorkspaceError, match="in the way"):
        workspace.commit()
    assert (tmp_path / "train" / "a" / "one_aug1").read_text() == "somebody else's"


def test_discarding_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    workspace = prepare(tmp_path)
    with workspace:
        workspace.discard()
    assert files(tmp_path) == {"train/a/one": "one", "train/a/two": "two"}


def rewrite_commit(workspace: Workspace, **changes: object) -> None:
    path = workspace.path / "commit.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def stage_of(workspace: Workspace) -> Path:
    return next(workspace.path.glob("stage-*"))


def replace_by_link(path: Path, target: Path) -> None:
    path.rename(path.with_name(f"{path.name}-moved"))
    path.symlink_to(target)


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_the_workspace(workspace: Workspace, victim: Path) -> None:
    workspace.path.rename(victim / "moved")
    workspace.path.symlink_to(victim / "moved")


# What a data set from elsewhere may bring along, and what is said of it.
FORGED: dict[str, tuple[Callable[[Workspace, Path], object], str]] = {
    "stage above": (lambda w, victim: rewrite_commit(w, stage="../../victim"), "no stage is called"),
    "stage elsewhere": (lambda w, victim: rewrite_commit(w, stage=str(victim)), "no stage is called"),
    "stage here": (lambda w, victim: rewrite_commit(w, stage="."), "no stage is called"),
    "stage by detour": (lambda w, victim: rewrite_commit(w, stage="stage-x/../../../victim"), "no stage is called"),
    "stage with NUL": (lambda w, victim: rewrite_commit(w, stage="stage-\0"), "no stage is called"),
    "no text": (lambda w, victim: rewrite_commit(w, stage=["stage-1"]), "no stage is called"),
    "not there": (lambda w, victim: rewrite_commit(w, stage="stage-none"), "there is no folder stage-none"),
    "no note": (lambda w, victim: rewrite_commit(w, note=[]), "it has no note"),
    "a list": (lambda w, victim: (w.path / "commit.json").write_text("[]"), "it holds a list"),
    "no JSON": (lambda w, victim: (w.path / "commit.json").write_text("{"), "not what datasplit records"),
    "no text at all": (lambda w, victim: (w.path / "commit.json").write_text("é"), "not what datasplit records"),
    "deep": (lambda w, victim: (w.path / "commit.json").write_text("[" * 100_000), "not what datasplit records"),
    "a pipe": (lambda w, victim: make_pipe(w.path / "commit.json"), "not a regular file"),
    "a folder": (lambda w, victim: make_folder(w.path / "commit.json"), "not a regular file"),
    "a lock that is a pipe": (lambda w, victim: make_pipe(w.path / "lock"), "not a regular file"),
    "linked record": (lambda w, victim: replace_by_link(w.path / "commit.json", victim / "secret"), "a link"),
    "linked stage": (lambda w, victim: replace_by_link(stage_of(w), victim), "there is no folder"),
    "linked tree": (lambda w, victim: replace_by_link(stage_of(w) / "train", victim), "a link"),
    "linked folder": (lambda w, victim: (stage_of(w) / "train" / "b").symlink_to(victim), "a link"),
    "linked table": (lambda w, victim: (stage_of(w) / "x.csv").symlink_to(victim / "secret"), "a link"),
    "moves up": (lambda w, victim: (stage_of(w) / "moves").write_bytes(b"../../victim/secret\0"), "leads out of train"),
    "moves away": (lambda w, victim: (stage_of(w) / "moves").write_bytes(b"/etc/hosts\0"), "leads out of train"),
    "moves train": (lambda w, victim: (stage_of(w) / "moves").write_bytes(b"a/..\0"), "leads out of train"),
    "moves nothing": (lambda w, victim: (stage_of(w) / "moves").write_bytes(b"\0"), "leads out of train"),
    "linked class": (lambda w, victim: replace_by_link(w.target / "train" / "a", victim), "is a link"),
    "linked train": (lambda w, victim: replace_by_link(w.target / "train", victim), "is a link"),
    "linked test": (lambda w, victim: (w.target / "test").symlink_to(victim), "is a link"),
    "linked workspace": (link_the_workspace, "is a link"),
}


@pytest.mark.parametrize("name", FORGED)
def test_nothing_that_a_folder_brings_along_moves_anything_outside_it(tmp_path: Path, name: str) -> None:
    forge, message = FORGED[name]
    (tmp_path / "victim" / "a").mkdir(parents=True)
    for path in ("secret", "two", "a/two"):
        (tmp_path / "victim" / path).write_text("not yours")
    workspace = prepare(tmp_path / "data")
    forge(workspace, tmp_path / "victim")
    before = files(tmp_path)

    with pytest.raises(WorkspaceError, match=message) as caught, workspace:
        workspace.commit()

    assert "\n" not in str(caught.value)
    assert {name: text for name, text in files(tmp_path).items() if not name.endswith("lock")} == {
        name: text for name, text in before.items() if not name.endswith("lock")
    }


@pytest.mark.parametrize("name", ["lock", "options.json.tmp", "commit.json.tmp"])
def test_no_file_of_the_workspace_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("not yours")
    workspace = Workspace(tmp_path / "data")
    workspace.path.mkdir(parents=True)
    (workspace.path / name).symlink_to(tmp_path / "secret")

    def write() -> None:
        with workspace:
            workspace.record({"seed": 1})
            workspace.seal(workspace.new_stage(), [], {})

    with pytest.raises(WorkspaceError, match="a link"):
        write()
    assert (tmp_path / "secret").read_text() == "not yours"
    assert str((workspace.path / name).readlink()) == str(tmp_path / "secret")
