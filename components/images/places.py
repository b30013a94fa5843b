"""Where images lie: in one folder, or in several, each with a name that begins the ids of its images.

Several are one text, so that they go wherever a folder's path goes:

    ["s3://faces/lab", "s3://faces/{YYYY}-{MM}"]                              as a user gives them
    {"lab": "s3://faces/lab", "2026-11": "s3://faces/2026-11"}                 as they are found: name and place

In the second the order is that of age: folders without a date before those with one, by date, then by name. Pure.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from components.images.source import SourceError
from components.tools.passwords import masked

_SHOWN = 3


def given_places(text: str) -> tuple[str, ...]:
    """Return the places that a text names: one, or a JSON list of several."""
    found = _parsed(text, "[")
    if isinstance(found, list) and found and all(isinstance(place, str) and place for place in found):
        return tuple(found)
    return (text,)


def as_text(places: Sequence[str]) -> str:
    """Return places as `given_places` reads them."""
    return places[0] if len(places) == 1 else json.dumps(list(places), ensure_ascii=False)


def each_place(text: str, change: Callable[[str], str]) -> str:
    """Return a text of one or several places with each of these changed."""
    return as_text([change(place) for place in given_places(text)])


def found_places(uri: str) -> dict[str, str]:
    """Return the folders that are read, by name and in the order of their age; one alone has the name ""."""
    found = _parsed(uri, "{")
    if isinstance(found, dict) and found and all(isinstance(place, str) for place in found.values()):
        return found
    return {"": uri}


def as_uri(places: Mapping[str, str]) -> str:
    """Return folders as `found_places` reads them."""
    return places[""] if "" in places else json.dumps(places, ensure_ascii=False)


def shown(uri: str) -> str:
    """Return where images lie, for people."""
    places = [masked(place) for place in found_places(uri).values()]
    return ", ".join(places[:_SHOWN]) + (f", … ({len(places)} folders)" if len(places) > _SHOWN else "")


def named(places: Mapping[str, int]) -> dict[str, str]:
    """Return places by their names: as many of the last parts of their paths as tell them apart.

    Args:
        places: each with the number of parts that its name has at least.

    Raises:
        SourceError: a place is named twice, or lies in another one.
    """
    _refuse_nested(list(places))
    parts = {
        place: [part for part in re.split(r"[/\\]+", place.partition("://")[2] or place) if part] for place in places
    }
    most = max(map(len, parts.values()))
    for more in range(most + 1):
        names = {place: "-".join(parts[place][-(least + more) :]) for place, least in places.items()}
        if not any(count > 1 for count in Counter(names.values()).values()):
            return {name: place for place, name in names.items()}
    raise SourceError(f"data: two folders have one name, {names[next(iter(places))]}: rename one of them")


def _refuse_nested(places: Collection[str]) -> None:
    real = {place: place.rstrip("/") if "://" in place else os.path.realpath(place) for place in places}
    seen = sorted(real.items(), key=lambda item: item[1].split("/"))
    for (outer, above), (inner, below) in pairwise(seen):
        if above == below:
            raise SourceError(f"data: the same folder twice: {masked(outer)} and {masked(inner)}")
        if below.startswith(f"{above}/"):
            raise SourceError(f"data: {masked(inner)} lies in {masked(outer)}: name one of the two")


def name_of(file_id: str, names: Iterable[str]) -> str:
    """Return the name of the folder that an image lies in; "" where there are no several."""
    first = file_id.partition("/")[0]
    return first if first in names else ""


def is_below(file_id: str, name: str) -> bool:
    """Return whether an image lies in the folder of that name; all do in the one that is named ""."""
    return not name or file_id.startswith(f"{name}/")


def path_within(file_id: str, names: Iterable[str]) -> str:
    """Return an image's path below the folder that it lies in."""
    name = name_of(file_id, names)
    return file_id[len(name) + 1 :] if name else file_id


def natural(name: str) -> list[tuple[int, str]]:
    """Return what names are sorted by, so that `batch9` comes before `batch10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _parsed(text: str, begins: str) -> object:
    if not text.lstrip().startswith(begins):
        return None
    try:
        return json.loads(text)
    except ValueError:  # a folder whose name begins so
        return None
