"""Folders with a date in their path, `faces/{YYYY}-{MM}`: which there are, and which a run takes.

The words are those of TFX's ExampleGen: four, two and two digits.
"""

import datetime
import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from components.images.places import as_uri, found_places, named, natural
from components.images.source import SourceError
from components.tools.passwords import masked, revealed
from components.tools.retries import reason, with_retries

_DIGITS = {"{YYYY}": 4, "{MM}": 2, "{DD}": 2}
_WORD = re.compile(r"\{(?:YYYY|MM|DD)\}")
_OTHER_WORD = re.compile(r"\{(?:yyyy|yy|mm|dd|SPAN(?::\d+)?|VERSION(?::\d+)?)\}")
_UNTIL = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_SHOWN = 5


def is_pattern(place: str) -> bool:
    """Return whether a place stands for all folders with a date there."""
    return bool(_WORD.search(place))


def check_pattern(place: str) -> None:
    """Make sure that a pattern says of each folder which date it has.

    Raises:
        ValueError: it doesn't; the message says what to write.
    """
    words = _WORD.findall(place)
    wanted = list(_DIGITS)[: len(words)]
    if other := _OTHER_WORD.search(place):
        raise ValueError(f"dates are {{YYYY}}, {{MM}} and {{DD}} in a path, not {other[0]}. Received: {masked(place)}")
    if sorted(words, key=list(_DIGITS).index) != wanted:
        raise ValueError(
            "a path with dates has {YYYY}, or {YYYY} and {MM}, or {YYYY}, {MM} and {DD}, each once. "
            f"Received: {masked(place)}"
        )


def check_until(until: str) -> str:
    """Return a date as it is compared.

    Raises:
        ValueError: it is none.
    """
    if not _UNTIL.fullmatch(until) or not _is_date(until.split("-")):
        raise ValueError(f"a date is 2026, 2026-11 or 2026-11-30. Received: {until}")
    return until


def find_places(places: Sequence[str], until: str = "") -> str:
    """Return the folders that a run takes, as one text (see `components.images.places`).

    Args:
        places: folders, files that hold images, and patterns; URIs or paths.
        until: folders whose date is later are left out; "" takes all.

    Raises:
        SourceError: there is no folder of a pattern, none until that date, or one whose date doesn't exist; two places
            are one; or there is a date, and no pattern.
    """
    patterns = [place for place in places if is_pattern(place) and not _is_there(place)]
    if until and not patterns:
        raise SourceError(
            f"data.until = {until} is about folders with a date in their path: name them by a pattern such as "
            f"faces/{{YYYY}}-{{MM}}. Received: {', '.join(map(masked, places))}"
        )
    if len(places) == 1 and not patterns:
        return places[0]  # also several that were found before
    dated: dict[str, tuple[str, int]] = {}
    for pattern in patterns:
        depth = _depth(pattern)
        found = {place: date for place, date in _matches(pattern) if date[: len(until)] <= until[: len(date)]}
        dated |= {place: (date, depth) for place, date in _some(found, pattern, until).items()}
    several = [place for place in places if place not in patterns]
    names = named(dict.fromkeys(several, 1) | {place: depth for place, (_, depth) in dated.items()})
    if len(several) + len(dated) != len(names):
        raise SourceError(f"data: the same folder twice among {', '.join(map(masked, places))}")
    age = {name: (dated[place][0] if place in dated else "", natural(name)) for name, place in names.items()}
    return as_uri({name: names[name] for name in sorted(names, key=age.__getitem__)})


def as_given(uri: str) -> list[str]:
    """Return what `find_places` makes the same folders of, under the same names.

    Args:
        uri: of `find_places`.
    """
    places = list(found_places(uri).values())
    return places if len(places) > 1 and find_places(places) == uri else [uri]


def _some(found: Mapping[str, str], pattern: str, until: str) -> Mapping[str, str]:
    if found:
        return found
    there = sorted(date for _, date in _matches(pattern))
    if not there:
        raise SourceError(f"data: there is no folder {masked(pattern)}")
    dates = ", ".join(there[:_SHOWN]) + (", …" if len(there) > _SHOWN else "")
    raise SourceError(f"data: there is no folder {masked(pattern)} until {until}, the date in data.until: only {dates}")


def _matches(pattern: str) -> Iterable[tuple[str, str]]:
    """Yield each place that a pattern stands for, and its date as 2026-11-30, as far as the pattern has it."""
    expression = "".join(map(_expression, _parted(pattern.rstrip("/").removeprefix("file://"))))
    for place in _listed(pattern.rstrip("/")):
        match = re.fullmatch(expression, place)
        if match is None:
            continue
        date = [match[name] for name in ("YYYY", "MM", "DD") if f"{{{name}}}" in pattern]
        if not _is_date(date):
            raise SourceError(f"data: {masked(place)} has no date that exists in its path: rename or remove it")
        yield place, "-".join(date)


def _expression(part: str) -> str:
    return f"(?P<{part[1:-1]}>[0-9]{{{_DIGITS[part]}}})" if part in _DIGITS else re.escape(part)


def _listed(pattern: str) -> list[str]:
    """Return what there is of a pattern, as paths or URIs that are written as the pattern is."""

    def with_digits(text: str) -> str:
        return "".join("[0-9]" * _DIGITS[part] if part in _DIGITS else glob.escape(part) for part in _parted(text))

    if "://" not in pattern or pattern.startswith("file://"):
        path = Path(pattern.removeprefix("file://"))
        return sorted(map(str, Path(path.anchor).glob(with_digits(str(path.relative_to(path.anchor))))))
    import fsspec  # takes a quarter of a second, and a folder of this machine doesn't need it

    try:
        store, path = fsspec.core.url_to_fs(revealed(pattern))
        store.invalidate_cache()
        found = with_retries(lambda: store.glob(with_digits(path)))
    except (OSError, ValueError, ImportError) as error:
        raise SourceError(
            f"data: can't list {masked(pattern)}: {reason(error)}. Check the address and the credentials"
        ) from None
    before = pattern[: len(pattern) - len(path)] if pattern.endswith(path) else f"{pattern.partition('://')[0]}://"
    return sorted(before + one for one in found)


def _parted(text: str) -> list[str]:
    return re.split(r"(\{(?:YYYY|MM|DD)\})", text)


def _depth(pattern: str) -> int:
    """Return how many of the last parts of a path hold its date."""
    parts = pattern.rstrip("/").split("/")
    return len(parts) - next(at for at, part in enumerate(parts) if is_pattern(part))


def _is_there(place: str) -> bool:
    return "://" not in place and Path(place).exists()


def _is_date(parts: Sequence[str]) -> bool:
    try:
        datetime.date(int(parts[0]), *(int(part) for part in [*parts[1:], "01", "01"][:2]))
    except ValueError:
        return False
    return True
