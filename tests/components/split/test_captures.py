import threading

import pytest

from components.split import captures
from components.split.captures import Captures, captured_keys, count_captures

_NAMES = ["S1_a.jpg", "S1_b.jpg", "S2_c.jpg", "x.jpg"]


def counted(keys: list[str | None], on: str = "name") -> Captures:
    return count_captures(keys, _NAMES, on, "split.group_regex = x", "set split.group_on=path")


def test_the_first_group_is_the_key() -> None:
    assert captured_keys(_NAMES, r"^(S\d+)_(\w)") == ["S1", "S1", "S2", None]
    assert captured_keys(_NAMES, "S1|(x)") == [None, None, None, "x"]


def test_it_is_said_in_how_many_names_something_was_captured() -> None:
    found = counted(["S1", "S1", "S2", None])

    assert not found.is_enough
    assert found.text(3) == (
        "captured in 3 of 4 names: 2 keys, 3 groups in all; nothing keeps the others together, such as x.jpg"
    )
    assert counted(["a", "a", "b", "c"], "path").text(3) == "captured in 4 of 4 paths: 3 keys, 3 groups in all"


def test_95_percent_is_enough() -> None:
    assert Captures("name", 100, 95, 7, "x").is_enough
    assert not Captures("name", 100, 94, 7, "x").is_enough


def test_an_expression_that_captures_nothing_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"captures nothing in any file name \(4 of them, such as S1_a\.jpg\).*or set"):
        counted([None] * 4)
    with pytest.raises(ValueError, match=r"captures nothing in any path .*together: correct it$"):
        counted([None] * 4, "path")


@pytest.mark.parametrize(("regex", "message"), [("(", "not a regular expression"), ("abc", "needs a group")])
def test_a_bad_expression_is_named(regex: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        captured_keys(["a"], regex)


def test_an_expression_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "_LONGEST", 0.2)

    with pytest.raises(ValueError, match=r"takes too long to search 1 names .*Received: \(a\+\)\+\$"):
        captured_keys(["a" * 64 + "b"], "(a+)+$")
    assert captured_keys(["aaa"], "(a+)+$") == ["aaa"]


def test_other_threads_search_too() -> None:
    found: list[list[str | None]] = []
    thread = threading.Thread(target=lambda: found.append(captured_keys(["a1"], "(a)")))
    thread.start()
    thread.join()

    assert found == [["a"]]
