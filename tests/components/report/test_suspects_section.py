"""What the report shows of suspicious labels."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_artifacts import IMAGE, facts, make_artifacts

from components.report.content import gather
from components.report.render import render


class Names(HTMLParser):
    """Collects the file names, and which of them are folded."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.folded: list[str] = []
        self._depth = 0
        self._name: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._depth += tag == "details"
        if tag == "code" and "file" in (dict(attrs).get("class") or ""):
            self._name = ""

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "details"
        if tag == "code" and self._name is not None:
            (self.folded if self._depth else self.seen).append(self._name)
            self._name = None

    def handle_data(self, data: str) -> None:
        if self._name is not None:
            self._name += data


@pytest.fixture(scope="module")
def uris(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_artifacts(tmp_path_factory.mktemp("artifacts"))


def page(uris: dict[str, Path], suspects: list[dict[str, Any]], shown: int) -> str:
    for file, changed in (
        ("analysis.json", {"suspects": suspects, "about_suspects": {
            "splits": ["eval", "test"], "images": 240, "accuracy": 0.9, "shown": shown}}),
        ("pictures.json", {"suspects": min(shown, len(suspects))}),
    ):  # fmt: skip
        path = uris["analysis"] / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    return render(gather(uris, {}, {"ImageIngest": []}, facts()))


def test_names_can_be_copied_and_all_beyond_a_dozen_are_folded(uris: dict[str, Path]) -> None:
    rows = [
        {"filename": f"test/a/{n}{IMAGE}.jpg", "given": "a", "suggested": IMAGE, "score": 0.25, "split": "test"}
        for n in range(30)
    ]

    text = page(uris, rows, 20)

    names = Names()
    names.feed(text.partition("Labels to look at again</h3>")[2].partition("<h3")[0])
    assert names.seen == [row["filename"] for row in rows[:12]]
    assert names.folded == [row["filename"] for row in rows[12:20]]
    assert "Of these 20, about 15 are expected to be wrong." in text
    assert "The 20 likeliest wrong of 30 suspicious labels of 240 images of eval and test" in text
    assert "<summary>8 more</summary>" in text


def test_suspicions_that_are_not_to_be_shown_are_counted(uris: dict[str, Path]) -> None:
    rows = [{"filename": "test/a/1.jpg", "given": "a", "suggested": "b", "score": 0.25, "split": "test"}]

    assert "<p>Suspicious labels: 1. None is shown, since" in page(uris, rows, 0)


def test_no_suspicion_is_said(uris: dict[str, Path]) -> None:
    assert "<p>None is suspicious.</p>" in page(uris, [], 20)
