"""The report of a run with many classes and long lists: what stands on the page, what is folded, how large it is."""

import base64
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from browser import needs_browser, show
from report_artifacts import facts, make_artifacts
from selenium import webdriver
from selenium.webdriver.common.by import By

from components.formats.dataset import write_table
from components.formats.documents import PICTURES, SUMMARY
from components.report.classes import class_counts, weakest_classes
from components.report.confusions import confusions
from components.report.content import gather
from components.report.render import render

_NAMES = (
    "anger",
    "שמח מאוד",
    "حزين جدا للغاية",
    "a class name that is rather long, with words",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
)
_LARGEST_PICTURE = 6_903  # bytes of the largest data URI among 253 photos of a real data set


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    labels = [f"{_NAMES[number % len(_NAMES)]} {number}" for number in range(100)]
    uris = make_artifacts(tmp_path_factory.mktemp("artifacts"), labels, per_class=6)
    quarantine = [{"id": f"train/{'x' * 200}/{n}.jpg", "label": "x", "reason": "damaged: no image"} for n in range(431)]
    write_table(pa.Table.from_pylist(quarantine), uris["findings"] / "quarantine.parquet")
    conflicts = [
        {"kind": "conflict", "key": f"{n // 2}", "id": f"train/{n}.jpg", "label": labels[n % 100], "split": ""}
        for n in range(900)
    ]
    write_table(pa.Table.from_pylist(conflicts), uris["findings"] / "duplicates.parquet")
    counted = {"images": 29_042, "quarantined": 431, "quarantine_reasons": {"damaged": 431}}
    SUMMARY.write(SUMMARY.read(uris["findings"]) | counted, uris["findings"])
    pictures = PICTURES.read(uris["analysis"])
    noise = "data:image/jpeg;base64," + base64.b64encode(bytes(_LARGEST_PICTURE * 3 // 4)).decode()
    PICTURES.write(pictures | {"thumbnails": dict.fromkeys(pictures["thumbnails"], noise)}, uris["analysis"])
    return gather(uris, {"seed": 0}, {"ImageIngest": []}, facts())


@pytest.fixture(scope="module")
def page(content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render(content), "utf-8")
    return path


def test_a_large_runs_page_stays_below_5_mb(page: Path) -> None:
    assert page.stat().st_size < 5_000_000


@needs_browser
@pytest.mark.parametrize("width", [320, 390, 1100])
def test_nothing_overflows_whatever_is_unfolded(browser: webdriver.Chrome, page: Path, width: int) -> None:
    show(browser, page, width)
    browser.execute_script("document.querySelectorAll('details').forEach(fold => fold.open = true)")

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@needs_browser
def test_long_lists_are_folded_and_say_how_long_they_are(
    browser: webdriver.Chrome, page: Path, content: dict[str, Any]
) -> None:
    show(browser, page, 1200)

    folds = [fold.text for fold in browser.find_elements(By.CSS_SELECTOR, ".fold > summary")]
    assert folds == [
        "All 100 classes",
        "Copies of an original by class, 2.0 at most",
        "192 more of 431",
        "450 groups of identical images with different labels, the first 200",
        "Scores of all 100 classes",
        f"54 more of {content['pairs_in_all']}",
        "Confusion matrix of 100 classes",
        "Pictures of each confusion",
        "Further slices (4)",
        "Columns that aren't sliced (1)",
        "88 more",
        "12 more",
        "Typical images of 100 classes",
        "Parameters",
    ]
    rows = browser.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert sum(row.is_displayed() for row in rows) < 110
    assert len(rows) > 500


@needs_browser
def test_a_large_matrix_keeps_its_classes_in_sight(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1200)

    places = browser.execute_script(
        """const table = document.querySelector(".matrix"), scroll = table.closest(".scroll");
           table.closest("details").open = true;
           scroll.scrollTo(900, 900);
           const frame = scroll.getBoundingClientRect();
           const row = table.querySelector("tbody th").getBoundingClientRect();
           const column = table.querySelector("thead th").getBoundingClientRect();
           return [row.left - frame.left, column.top - frame.top, frame.height - innerHeight]"""
    )

    assert places[:2] == pytest.approx([0, 0], abs=1)
    assert places[2] < 0


def test_the_most_confused_pairs_come_first_each_with_its_share() -> None:
    found = confusions(
        [[5, 3, 2], [0, 0, 0], [4, 0, 4]], ["a", "b", "c"], [{"true": 2, "predicted": 0, "images": ["i"]}]
    )

    assert [(pair["true"], pair["predicted"], pair["count"], pair["share"]) for pair in found["pairs"]] == [
        ("c", "a", 4, 0.5),
        ("a", "b", 3, 0.3),
        ("a", "c", 2, 0.2),
    ]
    assert found["pairs"][0]["images"] == ["i"]
    assert found["matrix"][2]["columns"][0] == {"count": 4, "share": 0.5, "pictured": True}
    assert found["matrix"][1]["columns"][0] == {"count": 0, "share": 0.0, "pictured": False}


def test_more_classes_than_a_matrix_can_show_leave_the_pairs() -> None:
    counts = [[1 if column in (row, (row + 1) % 101) else 0 for column in range(101)] for row in range(101)]

    found = confusions(counts, [str(number) for number in range(101)], [])

    assert found["matrix"] == []
    assert (len(found["pairs"]), found["pairs_in_all"]) == (64, 101)


def test_of_many_classes_the_largest_and_the_smallest_stand_out() -> None:
    counts = {
        split: {f"c{n:02}": {"originals": n, "copies": 0} for n in range(13)} for split in ("train", "eval", "test")
    }

    assert [row["label"] for row in class_counts(counts)["telling"]] == [
        "c12", "c11", "c10", "c09", "c08", "c04", "c03", "c02", "c01", "c00",
    ]  # fmt: skip
    few = {split: dict(list(by_label.items())[:12]) for split, by_label in counts.items()}
    assert class_counts(few)["telling"] == []
    assert class_counts(few)["largest"] == 11


def test_of_many_classes_the_weakest_stand_out() -> None:
    scores = [{"label": str(n), "f1": {"value": None if n == 3 else n / 20}} for n in range(13)]

    assert [row["label"] for row in weakest_classes(scores)] == ["0", "1", "2", "4", "5", "6", "7", "8", "9", "10"]
    assert weakest_classes(scores[:12]) == []
