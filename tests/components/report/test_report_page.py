"""The report in a real browser: what it shows, at which widths, to whom, and what it must not run."""

import json
import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from browser import needs_browser, show
from report_artifacts import LABELS, SCRIPT, facts, make_artifacts
from selenium import webdriver
from selenium.webdriver.common.by import By

from components.report.content import gather
from components.report.render import flatten, render

_GRAPH = {
    "ImageIngest": [],
    "SplitBalanceAugment": ["ImageIngest"],
    "Trainer": ["SplitBalanceAugment"],
    "Pusher": ["Trainer"],
}


@pytest.fixture(scope="module")
def uris(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_artifacts(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def page(uris: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = {"seed": 0, "model": {"architecture": "resnet18"}, "data": {"path": SCRIPT}}
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(render(gather(uris, config, _GRAPH, facts())), "utf-8")
    return path


@needs_browser
def test_the_page_loads_without_errors_and_asks_the_network_for_nothing(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1200)

    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}
    assert sum(url.startswith("file") for url in asked) == 1


@needs_browser
def test_hostile_names_stay_text(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1200)

    assert browser.title == "Report · resnet18"
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert not browser.find_elements(By.CSS_SELECTOR, "img[src=x]")
    headings = [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, ".bars tbody th")]
    assert headings == sorted(LABELS)


@needs_browser
def test_sections_and_figures_are_there(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1200)

    names = ["Summary", "Data", "Augmentation", "Training", "Evaluation", "Lineage"]
    assert [heading.text for heading in browser.find_elements(By.TAG_NAME, "h2")] == names
    assert len(browser.find_elements(By.CSS_SELECTOR, "figure.chart")) == 11
    assert len(browser.find_elements(By.CSS_SELECTOR, ".sheet > li")) == 8
    assert len(browser.find_elements(By.CSS_SELECTOR, ".gallery img")) > 10
    broken = "return [...document.images].filter(i => i.complete && i.naturalWidth === 0).length"
    assert browser.execute_script(broken) == 0


@needs_browser
def test_what_is_answered_stands_in_a_row_a_class(browser: webdriver.Chrome, page: Path, uris: dict[str, Path]) -> None:
    show(browser, page, 1200)
    answers = json.loads((uris["analysis"] / "analysis.json").read_text())["answers"]

    caption = "//table[caption[starts-with(., 'Answers on the test split')]]/tbody/tr"
    rows = [
        [cell.text for cell in row.find_elements(By.XPATH, "./*")] for row in browser.find_elements(By.XPATH, caption)
    ]
    assert [row[0] for row in rows] == ["all", *LABELS]
    assert [row[1] for row in rows] == ["–", "0.7000", "never enough", "0.8000", "0.9000"]
    assert rows[0][2].startswith(f"{answers['answered']['value']:.3f} (")
    assert rows[0][3].startswith(f"{answers['precision']['value']:.3f} (")
    assert rows[2][2:] == ["0.000 (0.000 – {:.3f})".format(answers["per_class"][1]["answered"]["high"]), "–"]


def test_the_curve_marks_how_much_is_answered_and_what_is_allowed(page: Path, uris: dict[str, Path]) -> None:
    answers = json.loads((uris["analysis"] / "analysis.json").read_text())["answers"]
    chart = page.read_text("utf-8").partition('aria-label="Share of wrong answers by share of images answered"')[2]
    chart = chart.partition("</figure>")[0]

    [mark] = re.findall(r'<line class="mark" x1="([\d.]+)"', chart)
    assert float(mark) == pytest.approx(x_of(100 * answers["answered"]["value"], answers["curve"]), abs=0.06)
    [(x, _)] = re.findall(r'<circle class="dot here" r="2.5" cx="([\d.]+)" cy="([\d.]+)"', chart)
    assert x == mark
    assert len(re.findall(r'<polyline class="line (?:one|two|bound)"', chart)) == 3
    for name in ("test", "if all mistakes had the lowest scores", "allowed", "this model&#39;s answers"):
        assert f"</i>{name}</span>" in chart


def x_of(percent: float, curve: dict[str, Any]) -> float:
    """Where a coverage is on a chart of 360 units, whose first place is the first coverage of the curve."""
    first = 100 * curve["coverage"][0]
    return 44 + (percent - first) / (100 - first) * (360 - 44 - 12)


def test_a_model_without_a_promise_is_said_to_always_answer(uris: dict[str, Path], tmp_path: Path) -> None:
    analysis = json.loads((uris["analysis"] / "analysis.json").read_text("utf-8"))
    analysis["answers"] |= {"promised": None, "answered": None, "precision": None, "per_class": [], "text": ""}
    shutil.copytree(uris["analysis"], tmp_path / "analysis")
    (tmp_path / "analysis" / "analysis.json").write_text(json.dumps(analysis), "utf-8")

    text = render(gather({**uris, "analysis": tmp_path / "analysis"}, {"seed": 0}, _GRAPH, facts()))

    assert "The model always answers." in text
    assert "Answers on the test split" not in text


def test_an_analysis_of_an_earlier_version_has_a_report_without_answers(uris: dict[str, Path], tmp_path: Path) -> None:
    analysis = json.loads((uris["analysis"] / "analysis.json").read_text("utf-8"))
    del analysis["answers"]
    shutil.copytree(uris["analysis"], tmp_path / "analysis")
    (tmp_path / "analysis" / "analysis.json").write_text(json.dumps(analysis), "utf-8")

    text = render(gather({**uris, "analysis": tmp_path / "analysis"}, {"seed": 0}, _GRAPH, facts()))

    assert "When not to answer" not in text
    assert "The most confident mistakes" in text


@needs_browser
def test_slices_are_listed_the_worst_first_and_small_ones_are_not_judged(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1200)

    assert "The worst slice of 10 judged is camera" in browser.find_element(By.ID, "summary").text
    text = browser.find_element(By.ID, "evaluation").text
    assert "Each judged slice must reach 0.600." in text
    lines = [line for line in text.splitlines() if line.startswith("camera = ")]
    assert len(lines) == 12
    assert f"camera = {SCRIPT} 0 0.500 (0.400 – 0.900) too low 60 worth 30 yes" in lines[0]
    assert [line.endswith("no, too few images") for line in lines] == [False] * 10 + [True] * 2
    assert "Further slices (4)" in text
    assert "Columns that aren't sliced (1)" in text


@needs_browser
def test_values_equal_the_artifacts(browser: webdriver.Chrome, page: Path, uris: dict[str, Path]) -> None:
    show(browser, page, 1200)
    analysis: dict[str, Any] = json.loads((uris["analysis"] / "analysis.json").read_text())

    metrics = analysis["test"]["metrics"]
    for name in ("accuracy", "macro_f1"):
        shown = browser.find_element(By.CSS_SELECTOR, f"[data-value={name}]").text
        assert shown == f"{metrics[name]['value']:.3f}"
    cells = browser.find_elements(By.CSS_SELECTOR, ".matrix tbody td:not(:last-child)")
    counts = [int(cell.text.splitlines()[0]) for cell in cells]
    assert counts == [count for row in analysis["test"]["confusion_matrix"] for count in row]


@needs_browser
@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_overflows(browser: webdriver.Chrome, page: Path, width: int) -> None:
    show(browser, page, width)

    assert browser.execute_script("return window.innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1200])
def test_axe_finds_nothing_serious(browser: webdriver.Chrome, page: Path, dark: bool, width: int) -> None:
    show(browser, page, width, dark)
    browser.execute_script("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    browser.execute_script((files("axe_core_python") / "axe.min.js").read_text("utf-8"))

    violations = browser.execute_async_script("axe.run().then(arguments[0])")["violations"]

    serious = [
        (v["id"], v["nodes"][0]["target"], v["nodes"][0].get("failureSummary"))
        for v in violations
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


@needs_browser
def test_a_count_in_the_matrix_unfolds_its_pictures(browser: webdriver.Chrome, page: Path) -> None:
    show(browser, page, 1200)
    link = browser.find_element(By.CSS_SELECTOR, ".matrix td.miss a")

    browser.execute_script("arguments[0].click()", link)
    cell = browser.find_element(By.ID, (link.get_attribute("href") or "").partition("#")[2])

    assert cell.is_displayed()
    assert cell.find_elements(By.TAG_NAME, "img")


def test_the_page_is_small_and_stands_alone(page: Path) -> None:
    text = page.read_text("utf-8")

    assert len(text) < 5_000_000
    assert 'src="http' not in text
    assert 'href="http' not in text


def test_what_a_person_should_hear_of_the_data_and_what_is_left_out_are_told(page: Path) -> None:
    text = page.read_text("utf-8")

    assert "1203 images aren&#39;t part of the data: &lt;extra&gt;/." in text
    assert "In doubt: 12 images named like copies (&lt;script" in text
    assert "Left out, since surely no data: 1 hidden, 12 nas." in text


def test_the_parameters_are_flattened_in_order() -> None:
    assert list(flatten({"a": {"b": 1, "c": {"d": None}}, "e": "x", "f": []})) == [
        ("a.b", "1"), ("a.c.d", "null"), ("e", "x"), ("f", "[]"),
    ]  # fmt: skip


def test_the_page_says_what_the_model_was_compared_with_and_why_it_failed(
    uris: dict[str, Path], tmp_path: Path
) -> None:
    analysis = json.loads((uris["analysis"] / "analysis.json").read_text("utf-8"))
    results = json.loads((uris["evaluation"] / "results.json").read_text("utf-8"))
    results |= {"blessed": False, "failures": [{"text": "one"}, {"text": "two"}], "comparison": {"text": "Compared."}}

    def text() -> str:
        folder = tmp_path / "evaluation"
        folder.mkdir(exist_ok=True)
        (folder / "results.json").write_text(json.dumps(results), "utf-8")
        shutil.copytree(uris["analysis"], tmp_path / "analysis", dirs_exist_ok=True)
        (tmp_path / "analysis" / "analysis.json").write_text(json.dumps(analysis), "utf-8")
        changed = {**uris, "evaluation": folder, "analysis": tmp_path / "analysis"}
        return " ".join(render(gather(changed, {"seed": 0}, _GRAPH, facts())).split())

    analysis["data"]["leak"] = "Too good."
    assert "✗ Not blessed, not pushed: one; two.</p>" in text()
    assert "Compared. <strong>Too good.</strong></p>" in text()
    analysis["data"]["leak"], results["comparison"] = "", None
    assert "There was no pushed model to compare with.</p>" in text()
    assert "A linear model on small HOG features</dt><dd>0.250</dd>" in text()
    linear = '<th scope="row">a linear model on small HOG features</th>'
    assert f'{linear}<td>0.250 <span class="interval">(0.200 – 0.300)</span></td>' in text()
    assert '<td>+0.125 <span class="interval">(-0.050 – +0.300)</span></td></tr>' in text()
    assert "evaluate.beat_baselines" not in text()
    results["beat_baselines"] = False
    assert "but <code>evaluate.beat_baselines</code> is false here" in text()
    del results["baselines"], results["about_baselines"], results["beat_baselines"]  # of an older Evaluator
    assert "Without a network" not in text()
