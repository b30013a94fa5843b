"""What the report shows of a model's answers: mistakes by how many images are answered, and where the model stops."""

from collections.abc import Mapping
from typing import Any

from components.report.charts import Line, line_chart


def show_answers(answers: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what the template shows.

    Args:
        answers: as PredictionAnalysis found it: `curve`, `promised`, `answered`, `precision`, …; None in an analysis of
            an earlier version.

    Returns:
        The same with `chart`, and with `rows`, of all answers and of each class's; None where nothing is given.
    """
    if answers is None:
        return None
    rows = []
    if answers["promised"] is not None:
        # One threshold for all has a place in the first row; those of the classes, in theirs.
        per_class, found = answers["promised"]["per_class"], answers["promised"]["found"]
        score = None if per_class else found[0]["score"]
        everything = {"label": None, "threshold": score, "answered": answers["answered"]}
        rows = [everything | {"precision": answers["precision"]}, *answers["per_class"]]
    return {**answers, "chart": _chart(answers), "rows": rows}


def _chart(answers: Mapping[str, Any]) -> Any:
    curve, promised = answers["curve"], answers["promised"]
    percent = [100 * coverage for coverage in curve["coverage"]]
    lines = [
        Line("test", curve["risk"], "one"),
        Line("if all mistakes had the lowest scores", curve["best"], "two"),
    ]
    mark = None
    if promised is not None:
        lines.append(Line("allowed", [1 - promised["precision"]] * len(percent), "bound"))
        if answers["precision"]["value"] is not None:
            mark = 100 * answers["answered"]["value"]
            # Thresholds of the classes answer others than the surest.
            wrong = 1 - answers["precision"]["value"]
            dot = [wrong if abs(x - mark) < 1e-9 else None for x in percent]
            lines.append(Line("this model's answers", dot, "here"))
    return line_chart("Share of wrong answers by share of images answered", percent, lines, "images answered, %", mark)
