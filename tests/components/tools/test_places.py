from pathlib import Path

import pytest

from components.tools.patterns import found_in
from components.tools.places import why_no_file, why_no_folder
from components.tools.schemes import why_no_store

_NOWHERE = Path("/proc/self/nothing")  # where nobody can make a folder, root included


def test_a_folder_that_can_be_made_is_fine_and_is_not_made(tmp_path: Path) -> None:
    assert why_no_folder(tmp_path / "a" / "b") is None
    assert why_no_file(tmp_path / "out.csv") is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "gone")

    assert why_no_folder(tmp_path / "file" / "a") == f"{tmp_path / 'file'} is a file, not a folder"
    assert why_no_folder(tmp_path / "link") == f"{tmp_path / 'link'} is a dangling link, not a folder"
    assert why_no_file(tmp_path) == f"{tmp_path} is a folder"
    assert why_no_file(tmp_path / "no" / "x.csv") == f"there is no folder {tmp_path / 'no'}; make it first"


def test_a_folder_in_which_nothing_can_be_made_is_named() -> None:
    assert str(why_no_folder(_NOWHERE)).startswith("/proc/self: ")
    assert str(why_no_file(_NOWHERE)).startswith("/proc/self: ")


@pytest.mark.parametrize("place", ["/data", "faces", "file:///data", "s3://bucket/x", "gs://bucket/x", "memory://x"])
def test_a_store_that_has_a_driver_is_fine(place: str) -> None:
    assert why_no_store(place) is None


def test_a_store_without_a_driver_is_named_with_the_remedy() -> None:
    assert why_no_store("nonsense://host/x") == (
        "nonsense:// has no driver that works here (Protocol not known: nonsense): use s3://, gs://, or a folder, "
        "such as one where it is mounted"
    )


def test_characters_of_a_pattern_are_found_once() -> None:
    assert found_in("/a [1]/b*?[2]\\x") == "[*?\\"
    assert found_in('/it\'s "a" {b}/$HOME %41 #é;&@~') == ""
