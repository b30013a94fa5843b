"""A folder that files can't be moved in is refused before anything is changed."""

import contextlib
import multiprocessing
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from datasplit_command import COUNTS, datasplit, done, tree
from drawn_images import draw_folder

from components.datasplit.movable import why_not_movable

# `datasplit` imports Beam when the work begins.
pytestmark = pytest.mark.heavy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "my data", COUNTS)


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount a folder on itself, as `docker run -v` does with one of the same file system."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    if subprocess.run(["mount", "--bind", str(folder), str(folder)], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        if options:
            subprocess.run(["mount", "-o", f"remount,bind,{','.join(options)}", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("where", ["train", "train/happy"])
def test_a_mount_below_the_folder_is_named(data: Path, where: str, tmp_path: Path) -> None:
    before = tree(data)
    with mounted(data / where):
        refused = datasplit(data, "--seed", 3)
        done(data, "--seed", 3, "--output", tmp_path / "out")

    assert refused.exit_code == 1
    assert f"Error: {data / where} is mounted by itself" in refused.output
    assert f"Mount {data} as a whole, or write elsewhere with --output-path. Nothing was changed" in refused.output
    assert tree(data) == before


def test_a_mount_in_the_output_is_named(data: Path, tmp_path: Path) -> None:
    train = tmp_path / "out" / "train"
    train.mkdir(parents=True)
    with mounted(train):
        refused = datasplit(data, "--seed", 3, "--output", tmp_path / "out")

    assert refused.exit_code == 1
    assert f"Error: {train} is mounted by itself" in refused.output
    assert list((tmp_path / "out").iterdir()) == [train]


def test_a_folder_that_is_a_mount_as_a_whole_is_split(data: Path) -> None:
    with mounted(data):
        done(data, "--seed", 3)

        assert (data / "test.csv").exists()


def test_a_folder_that_nobody_may_write_to_is_named(data: Path) -> None:
    before = tree(data)
    with mounted(data, "ro"):
        refused = datasplit(data, "--seed", 3)

    assert refused.exit_code == 2
    assert "Traceback" not in refused.output
    assert str(data) in refused.output
    assert tree(data) == before


def test_a_class_that_somebody_else_owns_is_named(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming somebody else needs root")
    mine, theirs = tmp_path / "train" / "mine", tmp_path / "train" / "theirs"
    for folder in (mine, theirs):
        folder.mkdir(parents=True)
    for path in (tmp_path, *tmp_path.parents[:3]):
        if path != Path("/tmp"):
            path.chmod(0o755)
    os.chown(mine, 65534, 65534)
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def as_nobody() -> None:
        os.setuid(65534)
        sender.send([why_not_movable(tmp_path, [mine]), why_not_movable(tmp_path, [mine, theirs])])

    process = multiprocessing.get_context("fork").Process(target=as_nobody)
    process.start()
    process.join()

    fine, refused = receiver.recv()
    assert fine is None
    assert refused.startswith(f"nothing may be moved out of {theirs}: it can't be written to. Change its permissions")
