"""What the page says of files for other runtimes."""

from pathlib import Path
from typing import Any

import pytest
from browser import needs_browser, show
from report_artifacts import facts, make_artifacts
from selenium import webdriver

from components.formats.exports import EXPORTS
from components.report.content import gather
from components.report.render import render

ACCURACY = {"value": 0.9, "low": 0.8, "high": 0.95}


def row(name: str, file: str, agreement: float, agrees: bool, difference: float) -> dict[str, Any]:
    return {
        "format": name,
        "file": file,
        "runtime": f"runtime of {name}",
        "agreement": agreement,
        "accepted_agreement": None,
        "largest_difference": difference,
        "accuracy": ACCURACY,
        "milliseconds": 1.25,
        "mebibytes": 42.5,
        "agrees": agrees,
    }


@pytest.fixture(scope="module")
def uris(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("artifacts")
    found = make_artifacts(root)
    folder = root / "exports"
    folder.mkdir()
    reference = {"runtime": "tensorflow 2", "accuracy": ACCURACY, "milliseconds": 2.0, "mebibytes": 44.0}
    rows = [row("onnx", "model.onnx", 1.0, True, 1.5e-6), row("litert-int8", "model.int8.tflite", 0.9734, False, 0.109)]
    EXPORTS.write({"images": 1234, "min_agreement": 0.995, "saved_model": reference, "files": rows}, folder)
    return found | {"exports": folder}


def page(uris: dict[str, Path], pushed: bool) -> str:
    return " ".join(render(gather(uris, {"seed": 0}, {"ImageIngest": []}, {**facts(), "pushed": pushed})).split())


def test_each_format_has_its_figures_and_what_became_of_it(uris: dict[str, Path]) -> None:
    text = page(uris, pushed=True)

    assert "Files for other runtimes" in text
    assert "has answered all 1,234 test images by its own runtime" in text
    for shown in ("runtime of onnx", "1.0000", "1.5e-06", "0.109", "0.900", "1.25", "42.5", "tensorflow 2"):
        assert f"<td>{shown}" in text
    assert "<td>pushed</td>" in text
    assert "<td>agrees too little: not pushed</td>" in text
    assert "model.int8.tflite (litert-int8) isn't pushed: it gives 0.9734 of 1,234 test images" in text.replace(
        "&#39;", "'"
    )


@needs_browser
@pytest.mark.parametrize("width", [400, 1200])
def test_its_names_stay_whole_and_its_caption_is_read_without_scrolling(
    width: int, browser: webdriver.Chrome, uris: dict[str, Path], tmp_path: Path
) -> None:
    file = tmp_path / "index.html"
    file.write_text(page(uris, pushed=True), "utf-8")
    show(browser, file, width)

    lines, caption, room = browser.execute_script(
        """const region = document.querySelector("[aria-label='Exported files on the test split']");
           const names = [...region.querySelectorAll("td .file")];
           return [names.map(name => name.getClientRects().length),
                   region.querySelector("caption").offsetWidth, region.clientWidth]"""
    )

    assert lines == [1, 1, 1]
    assert caption <= room


def test_of_a_model_that_isnt_pushed_no_file_is(uris: dict[str, Path]) -> None:
    assert "<td>pushed</td>" not in page(uris, pushed=False)


def test_without_other_formats_there_is_no_such_section(uris: dict[str, Path]) -> None:
    assert "other runtimes" not in page({name: uri for name, uri in uris.items() if name != "exports"}, pushed=True)
