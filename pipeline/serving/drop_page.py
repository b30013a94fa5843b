"""The page to drop an image on: one answer that needs nothing else, and may load nothing else."""

import base64
import hashlib
from pathlib import Path

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from components.report.render import COLOURS

_PAGE = Path(__file__).parent / "page"


def drop_page(name: str, most_bytes: int) -> HTMLResponse:
    """Return the page.

    Args:
        name: of the model.
        most_bytes: of a request's body.
    """
    style = COLOURS.read_text("utf-8") + (_PAGE / "drop.css").read_text("utf-8")
    script = (_PAGE / "drop.js").read_text("utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    template = environment.get_template("drop.html.j2")
    page = template.render(name=name, megabytes=f"{most_bytes / 1e6:.0f}", style=Markup(style), script=Markup(script))
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "img-src blob: data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(page, headers=headers)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
