"""From gathered content to one HTML file that needs nothing else."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from components.report.outline import outline

_PAGE = Path(__file__).parent / "page"
COLOURS = _PAGE / "colours.css"
_STYLES = (COLOURS.name, "layout.css", "style.css", "charts.css")


def environment(*folders: Path) -> jinja2.Environment:
    """Return what renders pages in the report's style: its frame and macros, and the templates of other folders.

    Whatever comes from the user (labels, file names, options) is escaped by the template engine.
    """
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_PAGE, *folders]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["outline"] = outline
    found.globals["style"] = Markup("").join(Markup(_read(name)) for name in _STYLES)
    found.globals["script"] = Markup(_read("page.js"))
    return found


def render(content: Mapping[str, Any]) -> str:
    """Return the report's page."""
    parameters = list(flatten(content["config"]))
    return environment().get_template("report.html.j2").render(**content, parameters=parameters)


def _read(name: str) -> str:
    return (_PAGE / name).read_text("utf-8")


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return `section.key` and value of each leaf, in the order of the configuration."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
