"""The page of a comparison, in the report's style: for those who must decide what to do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from components.images.codec import BadImage, decode
from components.images.thumbnail import thumbnail
from components.report.charts import Line, line_chart
from components.report.render import environment
from pipeline.drift.compare import Compared, Comparison
from pipeline.drift.figures import ACCEPTED, CLASSES, EMBEDDINGS
from pipeline.drift.options import DriftOptions
from pipeline.drift.words import TITLES, UNITS, about_the_test, to_do

_PAGE = Path(__file__).parent / "page"
_PERCENT = ("confidence", EMBEDDINGS)  # drawn as 0 – 100


def render_page(
    found: Mapping[str, Any], comparison: Comparison, labels: Sequence[str], files: Mapping[str, Path]
) -> str:
    """Return the HTML.

    Args:
        found: of `pipeline.drift.result.as_values`.
        comparison: what it was made from.
        labels: class names.
        files: where served images lie, by name; those that can be read are shown.
    """
    options = DriftOptions(**found["options"])
    figures = {one.name: one for one in comparison.figures}
    content = {
        "found": found,
        "to_do": to_do(comparison),
        "about": about_the_test(options),
        "titles": TITLES,
        "charts": [
            _chart(one) for one in comparison.figures if one.name not in (CLASSES, ACCEPTED) and one.shift.share
        ],
        "classes": _classes(figures[CLASSES], labels) if CLASSES in figures else [],
        "thumbnails": {name: picture for name in found["unlike"] if (picture := _picture(files.get(name)))},
    }
    return environment(_PAGE).get_template("drift.html.j2").render(**content)


def _chart(figure: Compared) -> Markup:
    """Return how the images of both samples lie along a figure, with the value at which they differ most."""
    scale = 100.0 if figure.name in _PERCENT else 1.0
    spread = figure.spread
    lines = [
        Line("test", [100 * share for share in spread.test], "one"),
        Line("served", [100 * share for share in spread.served], "two"),
    ]
    title = f"{TITLES[figure.name]}: share of the images in %"
    return line_chart(title, [scale * one for one in spread.places], lines, UNITS[figure.name], scale * figure.shift.of)


def _classes(figure: Compared, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row a class, those whose share has moved most first."""
    rows = zip(labels, figure.spread.test, figure.spread.served, strict=True)
    shares = [{"label": label, "test": test, "served": served} for label, test, served in rows]
    return sorted(shares, key=lambda row: -abs(row["served"] - row["test"]))


def _picture(file: Path | None) -> str:
    """Return a small picture of a file; "" where there is none, or none any more."""
    if file is None:
        return ""
    try:
        return thumbnail(decode(file.read_bytes()).pixels)
    except (BadImage, OSError):
        return ""
