"""Temporary files of a run, made by Python and by programs that it starts."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from pipeline.local.temporary import temporary_files_in


def test_temporary_files_lie_in_the_folder_and_go_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    before, folder = tempfile.gettempdir(), tmp_path / "work" / "tmp"
    (folder / "of a killed run").mkdir(parents=True)

    with temporary_files_in(folder):
        assert list(folder.iterdir()) == []
        assert Path(tempfile.mkdtemp()).parent == folder
        made = subprocess.run(["mktemp"], capture_output=True, text=True, check=True).stdout.strip()
        assert Path(made).parent == folder

    assert not folder.exists()
    assert (tempfile.gettempdir(), os.environ["TMPDIR"]) == (before, "/elsewhere")


def test_they_go_too_when_a_run_is_interrupted(tmp_path: Path) -> None:
    def interrupted() -> None:
        with temporary_files_in(tmp_path / "tmp"):
            tempfile.mkdtemp()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert list(tmp_path.iterdir()) == []
