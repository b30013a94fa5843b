"""Charts as inline SVG: their colours come from the page's style, so they follow light and dark, and need no files.

Each is 360 units wide, so that its text stays readable on a telephone; wider pages put several side by side. Text is
escaped here; what comes back is safe to put into a page.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from components.report.text_width import text_width
from components.tools.wording import counted

WIDTH = 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 34
_FONT = 10.5  # as in charts.css


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: in the legend.
        values: by x; None leaves a gap.
        style: CSS class, `one`, `two`, …
    """

    name: str
    values: Sequence[float | None]
    style: str


def line_chart(
    title: str, xs: Sequence[float], lines: Sequence[Line], x_label: str, mark: float | None = None, log: bool = False
) -> Markup:
    """Lines over a common x axis, with one x marked.

    Args:
        title: what the chart shows, for those who can't see it too.
        xs: places on the x axis.
        lines: each has a value for each x.
        x_label: under the axis.
        mark: an x to mark with a dashed line.
        log: logarithmic y axis.
    """
    height = 220
    if log:  # zero has no place on such an axis
        lines = [Line(line.name, [value or None for value in line.values], line.style) for line in lines]
    known = [value for line in lines for value in line.values if value is not None]
    if not known:
        return Markup("")
    scale = math.log10 if log else (lambda value: value)
    ticks = _log_ticks(min(known), max(known)) if log else _ticks(min(known), max(known))
    low, high = scale(min(ticks[0], min(known))), scale(max(ticks[-1], max(known)))
    first, last = xs[0], max(xs[-1], xs[0] + 1)

    def x_of(x: float) -> float:
        return _LEFT + (x - first) / (last - first) * (WIDTH - _LEFT - _RIGHT)

    def y_of(value: float) -> float:
        return height - _BOTTOM - (scale(value) - low) / ((high - low) or 1) * (height - _TOP - _BOTTOM)

    parts = [_y_axis(ticks, y_of), _x_labels([(x_of(x), _short(x)) for x in _integer_ticks(first, last)], height)]
    parts.append(_text(WIDTH / 2, height - 4, x_label, "middle"))
    if mark is not None:
        x = x_of(mark)
        parts.append(
            Markup('<line class="mark" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(x, _TOP, height - _BOTTOM)
        )
    for line in lines:
        for run in _runs(xs, line.values):
            points = [(x_of(x), y_of(value)) for x, value in run]
            if len(points) == 1:
                dot = Markup('<circle class="dot {}" r="2.5" cx="{:.1f}" cy="{:.1f}"/>')
                parts.append(dot.format(line.style, *points[0]))
            else:
                path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
                parts.append(Markup('<polyline class="line {}" points="{}"/>').format(line.style, path))
    return _svg(title, height, parts, [(line.name, line.style) for line in lines] if len(lines) > 1 else [])


def reliability_chart(title: str, bins: Sequence[dict[str, float | None]]) -> Markup:
    """Accuracy over confidence: on the diagonal a model is exactly as right as it says.

    Args:
        title: what the chart shows.
        bins: `low`, `high`, `count`, `confidence`, `accuracy` each; empty bins have None.
    """
    height = 260
    side_x, side_y = WIDTH - _LEFT - _RIGHT, height - _TOP - _BOTTOM

    def x_of(value: float) -> float:
        return _LEFT + value * side_x

    def y_of(value: float) -> float:
        return height - _BOTTOM - value * side_y

    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    parts = [_y_axis(ticks, y_of), _x_labels([(x_of(tick), f"{tick:g}") for tick in ticks], height)]
    for row in bins:
        if row["count"] and row["accuracy"] is not None and row["low"] is not None and row["high"] is not None:
            x, y = x_of(row["low"]) + 1, y_of(row["accuracy"])
            tip = (
                f"confidence {row['confidence']:.2f}, accuracy {row['accuracy']:.2f}, {counted(row['count'], 'image')}"
            )
            parts.append(_bar(x, y, x_of(row["high"]) - x - 1, y_of(0) - y, tip))
    parts.append(
        Markup('<line class="mark" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
            x_of(0), y_of(0), x_of(1), y_of(1)
        )
    )
    parts.append(_text(WIDTH / 2, height - 4, "confidence", "middle"))
    return _svg(title, height, parts, [])


def histogram(title: str, counts: Sequence[int], labels: Sequence[str], x_label: str) -> Markup:
    """Bars of counts; where there isn't room for all labels, one in so many is drawn."""
    height, top = 180, max(counts, default=0) or 1
    step = (WIDTH - _LEFT - _RIGHT) / max(len(counts), 1)

    def y_of(value: float) -> float:
        return height - _BOTTOM - value / ticks[-1] * (height - _TOP - _BOTTOM)

    ticks = _ticks(0, top)
    parts = [_y_axis(ticks, y_of)]
    for index, count in enumerate(counts):
        x, y = _LEFT + index * step + 1, y_of(count)
        parts.append(_bar(x, y, max(step - 2, 1), y_of(0) - y, f"{labels[index]}: {count:,}"))
    widest = max((text_width(label, _FONT) for label in labels), default=0.0)
    every = max(1, math.ceil((widest + 6) / step))
    shown = [(_LEFT + (index + 0.5) * step, label) for index, label in enumerate(labels) if index % every == 0]
    parts += [_x_labels(shown, height), _text(WIDTH / 2, height - 4, x_label, "middle")]
    return _svg(title, height, parts, [])


def _svg(title: str, height: int, parts: Sequence[Markup], legend: Sequence[tuple[str, str]]) -> Markup:
    body = Markup("").join(parts)
    keys = Markup("").join(
        Markup('<span><i class="key {}"></i>{}</span>').format(style, name) for name, style in legend
    )
    caption = Markup("<figcaption>{}{}</figcaption>").format(
        escape(title), Markup('<span class="legend">{}</span>').format(keys) if legend else ""
    )
    return Markup(
        '<figure class="chart"><svg role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>{}</figure>'
    ).format(title, WIDTH, height, body, caption)


def _bar(x: float, y: float, width: float, height: float, tip: str) -> Markup:
    shape = Markup(
        '<rect class="bar one" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
    )
    return shape.format(x, y, width, height, tip)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _y_axis(ticks: Sequence[float], y_of: Callable[[float], float]) -> Markup:
    parts = []
    for tick in ticks:
        y = y_of(tick)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(_LEFT, WIDTH - _RIGHT, y, y)
        )
        parts.append(_text(_LEFT - 5, y + 3.5, _short(tick), "end"))
    return Markup("").join(parts)


def _x_labels(labels: Sequence[tuple[float, str]], height: int) -> Markup:
    return Markup("").join(_text(x, height - _BOTTOM + 13, text, "middle") for x, text in labels)


def _short(value: float) -> str:
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:,.10g}"


def _ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers that span low … high."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def _integer_ticks(first: float, last: float) -> list[float]:
    return [tick for tick in _ticks(first, last) if first <= tick <= last and tick == int(tick)]


def _runs(xs: Sequence[float], values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """Stretches without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, value in zip(xs, values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((x, value))
    return [run for run in runs if run]
