"""The report of a model whose temperature wasn't fitted."""

from pathlib import Path

from report_artifacts import facts, make_artifacts

from components.report.content import gather
from components.report.render import render
from components.tools.files import read_json, write_json


def test_a_model_that_was_not_calibrated_has_a_report_too(tmp_path: Path) -> None:
    uris = make_artifacts(tmp_path)
    path = uris["analysis"] / "analysis.json"
    analysis = read_json(path)
    analysis["temperature"] = None
    analysis["test"]["calibration"] |= {"error_before": None, "bins_before": None}
    write_json(analysis, path)

    page = render(gather(uris, {"seed": 0}, {"Trainer": []}, facts()))

    assert "Reliability on the test split" in page
    assert "Reliability before calibration" not in page
