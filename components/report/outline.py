"""The headings of a page as its table of contents: a new section is in the navigation without further ado."""

import html
import re
from dataclasses import dataclass, field

from markupsafe import Markup

_HEADING = re.compile(r"<h(?P<level>[23])(?P<attributes>[^>]*)>(?P<text>.*?)</h(?P=level)>", re.DOTALL)
_ID = re.compile(r'\bid="(?P<id>[^"]*)"')
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Heading:
    """A heading that a link leads to.

    Attributes:
        text: without markup.
        id: of the element to link to.
        parts: the headings below it.
    """

    text: str
    id: str
    parts: list["Heading"] = field(default_factory=list)


def outline(page: str) -> tuple[Markup, list[Heading]]:
    """Give each `h3` of a page an id, and return the page with its `h2`, the `h3` among their parts.

    Args:
        page: HTML in which text from outside is escaped, so that each heading is one of the templates'. An `h2` has an
            id, an `h3` may have one; one that stands before any `h2` is left alone.
    """
    headings: list[Heading] = []
    taken = set(_ID.findall(page))

    def take(match: re.Match[str]) -> str:
        text = html.unescape(_TAG.sub("", match["text"])).strip()
        known = _ID.search(match["attributes"])
        if match["level"] == "2":
            if known:
                headings.append(Heading(text, known["id"]))
            return match[0]
        if not headings:
            return match[0]
        own = known["id"] if known else _new_id(f"{headings[-1].id}-{text}", taken)
        headings[-1].parts.append(Heading(text, own))
        return match[0] if known else f'<h3 id="{own}"{match["attributes"]}>{match["text"]}</h3>'

    return Markup(_HEADING.sub(take, page)), headings


def _new_id(text: str, taken: set[str]) -> str:
    wanted = re.sub(r"\W+", "-", text.lower()).strip("-")
    number = 1
    while (own := wanted if number == 1 else f"{wanted}-{number}") in taken:
        number += 1
    taken.add(own)
    return own
