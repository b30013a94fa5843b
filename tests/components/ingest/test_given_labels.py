from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from components.images.source import Listing, SourceError
from components.ingest.given_labels import given_labels
from components.ingest.options import DataOptions

LISTING = Listing(["happy/1.jpg", "sad/2.jpg"], ["happy", "sad"], [], 0)


class Closed(MemoryFileSystem):
    """A store whose driver has exceptions of its own, as that of S3 has where there are no credentials."""

    protocol = "closed"

    def _open(self, path: str, mode: str = "rb", **more: object) -> object:
        raise RuntimeError("Unable to locate\ncredentials")


def test_a_table_that_a_store_does_not_give_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.register_implementation("closed", Closed, clobber=True)
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    with pytest.raises(SourceError, match=r"^can't read data\.labels_csv = closed://t\.csv: Unable to locate cred"):
        given_labels("s3://faces", LISTING, DataOptions(labels_csv="closed://t.csv"))


def test_a_table_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    options = DataOptions(labels_csv=str(tmp_path / "t.csv"), label_names=str(tmp_path / "none.csv"))

    with pytest.raises(SourceError, match=r"^can't read data\.label_names = .*/none\.csv: "):
        given_labels(str(tmp_path), LISTING, options)
