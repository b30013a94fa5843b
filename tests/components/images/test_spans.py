"""Which folders a run takes, and what they are called."""

import json
import os
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.images.places import as_text, as_uri, found_places, given_places, named
from components.images.source import SourceError
from components.images.spans import as_given, check_pattern, check_until, find_places


def folders(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
    return root


def found(root: Path, *patterns: str, until: str = "") -> dict[str, str]:
    places = found_places(find_places([f"{root}/{pattern}" for pattern in patterns], until))
    return {name: os.path.relpath(place, root) for name, place in places.items()}


def test_all_spans_up_to_a_date_are_taken_the_oldest_first(tmp_path: Path) -> None:
    folders(tmp_path, "2026-09", "2026-10", "2025-12", "2026-11", "notes", "2026-1", "x2026-11")

    assert list(found(tmp_path, "{YYYY}-{MM}")) == ["2025-12", "2026-09", "2026-10", "2026-11"]
    assert list(found(tmp_path, "{YYYY}-{MM}", until="2026-10")) == ["2025-12", "2026-09", "2026-10"]
    assert list(found(tmp_path, "{YYYY}-{MM}", until="2026-10-03")) == ["2025-12", "2026-09", "2026-10"]
    assert list(found(tmp_path, "{YYYY}-{MM}", until="2025")) == ["2025-12"]


def test_a_date_may_be_several_folders_and_in_the_middle(tmp_path: Path) -> None:
    folders(tmp_path, "2026/11/02/faces", "2026/11/10/faces", "2026/12/01/other")

    assert found(tmp_path, "{YYYY}/{MM}/{DD}") == {
        "2026-11-02": "2026/11/02",
        "2026-11-10": "2026/11/10",
        "2026-12-01": "2026/12/01",
    }
    assert list(found(tmp_path, "{YYYY}/{MM}/{DD}/faces").values()) == ["2026/11/02/faces", "2026/11/10/faces"]


def test_one_span_alone_has_its_name_already(tmp_path: Path) -> None:
    folders(tmp_path, "2026-10")

    assert found(tmp_path, "{YYYY}-{MM}") == {"2026-10": "2026-10"}


def test_a_folder_alone_is_what_it_was(tmp_path: Path) -> None:
    assert find_places([str(tmp_path)]) == str(tmp_path)
    assert find_places(["s3://faces/x"]) == "s3://faces/x"


def test_folders_without_a_date_come_before_those_with_one(tmp_path: Path) -> None:
    folders(tmp_path, "zoo", "batch10", "batch9", "new/2026-01")

    assert list(found(tmp_path, "new/{YYYY}-{MM}", "zoo", "batch10", "batch9")) == [
        "batch9",
        "batch10",
        "zoo",
        "2026-01",
    ]


def test_folders_of_one_name_are_called_by_more_of_their_paths(tmp_path: Path) -> None:
    folders(tmp_path, "lab/2026-10", "web/2026-10", "web/2026-11")

    assert list(found(tmp_path, "web/{YYYY}-{MM}", "lab/{YYYY}-{MM}")) == ["lab-2026-10", "web-2026-10", "web-2026-11"]


@given(st.permutations(["a/faces", "b/faces", "c/2026-10", "c/2026-9"]))
def test_the_order_of_folders_changes_nothing(order: list[str]) -> None:
    assert find_places([f"/d/{one}" for one in order]) == find_places(
        ["/d/a/faces", "/d/b/faces", "/d/c/2026-9", "/d/c/2026-10"]
    )


def test_an_object_stores_spans_are_found_and_named_likewise() -> None:
    store = fsspec.filesystem("memory")
    for name in ("2026-10/happy/a.png", "2026-11/sad/b.png", "other/c.png"):
        store.pipe(f"/spans/{name}", b"x")

    uri = find_places(["memory://spans/{YYYY}-{MM}"])

    assert found_places(uri) == {"2026-10": "memory://spans/2026-10", "2026-11": "memory://spans/2026-11"}


@pytest.mark.parametrize(
    ("places", "until", "message"),
    [
        (["{YYYY}-{MM}"], "2025", "no folder .* until 2025, the date in data.until: only 2026-10, 2026-11"),
        (["none/{YYYY}"], "", "there is no folder .*none/{YYYY}"),
        (["wrong/{YYYY}-{MM}"], "", "2026-13 has no date that exists"),
        (["2026-10"], "2026-10", "data.until = 2026-10 is about folders with a date"),
        (["2026-10", "2026-10"], "", "the same folder twice"),
        (["2026-10", "./2026-10"], "", "the same folder twice"),
        (["2026-10", "2026-10/happy"], "", "happy lies in .*2026-10: name one"),
        (["{YYYY}-{MM}", "2026-11"], "", "the same folder twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(places: list[str], until: str, message: str, tmp_path: Path) -> None:
    folders(tmp_path, "2026-10/happy", "2026-11", "wrong/2026-13")

    with pytest.raises(SourceError, match=message):
        find_places([f"{tmp_path}/{place}" for place in places], until)


@pytest.mark.parametrize("pattern", ["{MM}", "{YYYY}-{DD}", "{YYYY}-{YYYY}", "{YYYY}/{SPAN}", "faces/{yyyy}"])
def test_a_pattern_that_tells_no_date_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="Received"):
        check_pattern(pattern)


@pytest.mark.parametrize("date", ["2026-11-31", "yesterday", "26-11", "2026-11-", "20261130"])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    with pytest.raises(ValueError, match=f"Received: {date}"):
        check_until(date)


def test_a_folder_whose_name_looks_like_a_pattern_is_a_folder(tmp_path: Path) -> None:
    folders(tmp_path, "{YYYY}")

    assert find_places([f"{tmp_path}/{{YYYY}}"]) == f"{tmp_path}/{{YYYY}}"


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_several_places_are_one_text_and_back(places: list[str]) -> None:
    if len(places) > 1:
        assert given_places(as_text(places)) == tuple(places)
    assert found_places(as_uri({f"n{number}": place for number, place in enumerate(places)})) == {
        f"n{number}": place for number, place in enumerate(places)
    }


@pytest.mark.parametrize("folder", ["[new] faces", "{faces", '["a', "[1, 2]", "[]", "{}"])
def test_a_folder_whose_name_begins_like_json_is_a_folder(folder: str) -> None:
    assert given_places(folder) == (folder,)
    assert found_places(folder) == {"": folder}


def test_what_was_found_is_found_again_from_what_the_report_tells_to_give(tmp_path: Path) -> None:
    folders(tmp_path, "2026-10", "2026-11", "lab", "new/2026-12")
    for places in (["{YYYY}-{MM}"], ["lab", "2026-10"], ["lab", "new/{YYYY}-{MM}"], ["2026-10"]):
        uri = find_places([f"{tmp_path}/{place}" for place in places])

        assert find_places(as_given(uri)) == uri
    alone = find_places([f"{tmp_path}/new/{{YYYY}}-{{MM}}"])
    assert find_places(as_given(alone)) == alone
    assert json.loads(as_given(alone)[0]) == {"2026-12": f"{tmp_path}/new/2026-12"}


def test_names_are_unique_or_refused() -> None:
    with pytest.raises(SourceError, match="two folders have one name"):
        named({"/a-b/c": 1, "/a/b/c": 3, "/x/a-b-c": 1})
