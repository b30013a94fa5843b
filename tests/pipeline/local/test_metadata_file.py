"""A workdir whose record of runs is gone or damaged."""

import random
import sqlite3
from pathlib import Path

import pytest

from pipeline.local.metadata_file import why_no_metadata
from pipeline.local.workdir import Workdir


@pytest.fixture
def folder(tmp_path: Path) -> Workdir:
    """A workdir with a database of some pages."""
    connection = sqlite3.connect(tmp_path / "metadata.db")
    with connection:
        connection.execute("CREATE TABLE Artifact (id INTEGER PRIMARY KEY, uri TEXT)")
        connection.execute("CREATE INDEX by_uri ON Artifact (uri)")
        connection.executemany("INSERT INTO Artifact (uri) VALUES (?)", [(f"/faces/{i}" * 8,) for i in range(400)])
    connection.close()
    return Workdir(tmp_path)


def test_a_whole_one_and_none_at_all_are_fine(folder: Workdir, tmp_path: Path) -> None:
    assert why_no_metadata(folder) is None
    assert why_no_metadata(Workdir(tmp_path / "new")) is None


def test_one_that_is_being_written_is_fine(folder: Workdir) -> None:
    writing = sqlite3.connect(folder.metadata, isolation_level=None)
    writing.execute("BEGIN EXCLUSIVE")

    assert why_no_metadata(folder) is None
    writing.close()


@pytest.mark.parametrize("left", [None, b""])
def test_one_that_is_gone_beside_artifacts_is_missed(folder: Workdir, left: bytes | None) -> None:
    folder.metadata.unlink()
    if left is not None:
        folder.metadata.write_bytes(left)
    assert why_no_metadata(folder) is None

    (folder.artifacts / "ImageIngest").mkdir(parents=True)

    problem = why_no_metadata(folder) or ""
    assert f"{folder.metadata}, which says what the folders in {folder.artifacts} are, is gone: put it back" in problem
    assert problem.endswith(f"or move {folder.artifacts} away: the next run then begins anew")


@pytest.mark.parametrize("seed", range(40))
def test_damage_is_found_or_harmless(folder: Workdir, seed: int) -> None:
    """Of damage that isn't found SQLite reads every row; in what is left a number or a letter is another one."""
    content = bytearray(folder.metadata.read_bytes())
    numbers = random.Random(seed)
    for _ in range(30):
        content[numbers.randrange(100, len(content))] ^= 1 << numbers.randrange(8)
    folder.metadata.write_bytes(content)

    problem = why_no_metadata(folder)

    if problem is None:
        connection = sqlite3.connect(folder.metadata)
        connection.text_factory = bytes
        assert len(connection.execute("SELECT uri FROM Artifact").fetchall()) == 400
        connection.close()
    else:
        assert problem.startswith(f"{folder.metadata} is damaged (")
        assert "\n" not in problem


def test_most_damage_is_found(folder: Workdir) -> None:
    content = folder.metadata.read_bytes()
    folder.metadata.write_bytes(content[:100] + bytes(len(content) - 100))

    assert "is damaged (" in (why_no_metadata(folder) or "")
