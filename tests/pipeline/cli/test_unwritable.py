"""Every command that writes, given a place that can't be written to: one line with a remedy, and status 2."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from datasplit_command import tree
from drawn_images import draw_folder
from small_disk import fill, small_disk
from store_builder import StoreBuilder
from writing_commands import REMEDIES, WRITING_COMMANDS

from pipeline.cli import main
from pipeline.local.workdir import Workdir


@pytest.fixture(params=["read-only", "full", "a file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder of data that can't be written to; or a file in the place of a folder."""
    if request.param == "a file":
        (tmp_path / "file").write_text("a file")
        yield tmp_path / "file"
        return
    with small_disk(tmp_path / "disk") as disk:
        draw_folder(disk / "data", {"a": 3, "b": 3})
        if request.param == "full":
            fill(disk)
        else:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        yield disk


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return draw_folder(tmp_path / "data", {"a": 3, "b": 3})


def called(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize("words", WRITING_COMMANDS, ids=" ".join)
def test_a_place_that_cannot_be_written_to_is_refused_in_a_line(words: list[str], place: Path, data: Path) -> None:
    words = [word.format(place=place, data=data) for word in words]
    if place.is_file() and words[:2] == ["datasplit", f"{place}/data"]:
        pytest.skip("that is no folder to split")
    before, theirs = tree(place.parent), tree(data)

    result = called(*words)

    [line] = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert result.exit_code == 2
    assert str(place) in line
    assert any(remedy in line for remedy in REMEDIES), line
    assert "Traceback" not in result.output
    assert tree(place.parent) == before
    assert tree(data) == theirs


def test_a_workdir_that_nobody_may_write_to_can_be_looked_at(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        folder = Workdir(disk / "work")
        StoreBuilder(tmp_path / "metadata.db").run("run", folder.artifacts)  # it keeps its file open
        shutil.copyfile(tmp_path / "metadata.db", folder.metadata)
        folder.report.parent.mkdir()
        folder.report.write_text("<html>")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        # In processes of their own, which end and close the database.
        line = [sys.executable, "-m", "pipeline"]
        inspect, report, removed = (
            subprocess.run([*line, *words, "--workdir", str(folder.root)], capture_output=True, text=True, check=False)
            for words in (["inspect"], ["report"], ["gc", "--yes"])
        )

    assert (inspect.returncode, report.returncode) == (0, 0), inspect.stderr + report.stderr
    assert removed.returncode == 2
    assert removed.stderr.splitlines()[-1] == (
        f"Error: can't work in {folder.root}: Read-only file system. Name another folder with --workdir"
    )


def test_a_run_on_the_wrong_data_makes_no_workdir(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for data in ("data", "gone"):
        result = called("run", "--data", str(tmp_path / data), "--workdir", str(tmp_path / "work"))

        assert result.exit_code == 2
        assert not os.path.lexists(tmp_path / "work")
