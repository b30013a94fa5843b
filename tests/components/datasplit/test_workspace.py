import subprocess
import sys
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
        workspace.seal(stage, ["a/two"], {"images": 4})
    return workspace


FINISHED = {
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
