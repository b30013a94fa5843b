"""Kinds of values that options take."""

import re

import click


class _NotEmpty(click.ParamType):
    """Text, but not none: `--data "$FACES"` with the variable unset must not mean "the sample data"."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Refuse text without a character."""
        if isinstance(value, str) and not value.strip():
            self.fail("a value is missing", param, ctx)
        return value


class _Duration(click.ParamType):
    """`90s`, `30m` or `12h`, as in the configuration; becomes seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+)([smh])", str(value))
        if match is None:
            self.fail(f"a duration is a number with s, m or h behind it, e.g. 30m. Received: {value}", param, ctx)
        return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


NOT_EMPTY = _NotEmpty()
DURATION = _Duration()
COUNT = click.IntRange(1, 1_000_000)
