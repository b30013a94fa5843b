"""The run's components as a picture: from left to right on a wide page, downwards on a narrow one."""

import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from components.report.layers import Arrangement, Vertex, arrange
from components.report.text_width import text_width

_FONT, _LINE = 11.0, 13.0  # as in charts.css
_BOX, _PADDING = 34.0, 7.0  # a box's height; beside its label
_GAP, _BETWEEN, _LANE = 10.0, 26.0, 10.0  # between boxes of a layer, between layers, of a lane
_MARGIN = 6.0
_LONG = 70.0  # a label wider than this is broken in two


def lineage_chart(title: str, edges: Mapping[str, Sequence[str]]) -> Markup:
    """Return a graph of components, each a link to `#node-<name>`, in two drawings; the page's style shows one.

    Args:
        title: what the chart shows.
        edges: by component, those that it follows; in an order in which these come first.
    """
    figure = Markup('<figure class="chart lineage">{}{}<figcaption>{}</figcaption></figure>')
    return figure.format(_drawing(title, edges, across=True), _drawing(title, edges, across=False), title)


def _drawing(title: str, edges: Mapping[str, Sequence[str]], across: bool) -> Markup:
    labels = {node: _broken(node) for node in edges}
    widths = {node: max(text_width(line, _FONT) for line in labels[node]) + 2 * _PADDING for node in edges}
    graph = arrange(edges, lambda node, lane: _LANE if lane else _GAP + (_BOX if across else widths[node]))
    spans = _spans(graph, widths if across else dict.fromkeys(widths, _BOX))
    parts = [_component(node, labels[node], graph, spans, widths[node], across) for node in edges]
    size = (spans[-1][1] + _MARGIN if spans else 0.0, graph.length + 2 * _MARGIN)
    width, height = size if across else size[::-1]
    # A group, since an image hides what is in it from a screen reader.
    return Markup(
        '<svg class="{}" role="group" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}" style="--width:{:.0f}px">{}</svg>'
    ).format("across" if across else "down", title, width, height, width, Markup("").join(parts))


def _broken(name: str) -> list[str]:
    """Return a name in one line, or in two of about the same length if it is long and has more than one word."""
    breaks = [match.start() for match in re.finditer(r"(?<=[a-z0-9])(?=[A-Z])|(?<=\w)(?=[._-])", name)]
    if text_width(name, _FONT) <= _LONG or not breaks:
        return [name]
    lines = ([name[:place], name[place:]] for place in breaks)
    return min(lines, key=lambda two: max(text_width(line, _FONT) for line in two))


def _spans(graph: Arrangement, depths: Mapping[str, float]) -> list[tuple[float, float]]:
    """Return where each layer begins and ends in the direction of the flow."""
    spans: list[tuple[float, float]] = []
    start = _MARGIN
    for index in range(len(graph.layers)):
        end = start + max(depths[node] for node, own in graph.own.items() if own == index)
        spans.append((start, end))
        start = end + _BETWEEN
    return spans


def _component(
    node: str,
    label: Sequence[str],
    graph: Arrangement,
    spans: Sequence[tuple[float, float]],
    own_width: float,
    across: bool,
) -> Markup:
    """Return a box with its label, and the lines that leave it."""

    def point(vertex: Vertex, end: int) -> str:
        along, flow = graph.places[vertex] + _MARGIN, spans[vertex[1]][end]
        return f"{flow:.1f},{along:.1f}" if across else f"{along:.1f},{flow:.1f}"

    def bend(vertex: Vertex, end: int) -> str:
        along, flow = graph.places[vertex] + _MARGIN, spans[vertex[1]][end] + (_BETWEEN / 2 if end else -_BETWEEN / 2)
        return f"{flow:.1f},{along:.1f}" if across else f"{along:.1f},{flow:.1f}"

    path = ""
    for first, second in graph.lines:
        if first[0] == node:
            path += f"M{point(first, 1)}C{bend(first, 1)} {bend(second, 0)} {point(second, 0)}"
            path += f"L{point(second, 1)}" if second[0] == node else ""
    own = (node, graph.own[node])
    (start, end), middle = spans[own[1]], graph.places[own] + _MARGIN
    width = end - start if across else own_width
    x, y = (start, middle - _BOX / 2) if across else (middle - width / 2, start)
    box = Markup('<rect class="node" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.0f}" rx="5"/>')
    text = Markup('<text class="name" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>')
    baseline = y + _BOX / 2 + 4 - (len(label) - 1) * _LINE / 2
    return Markup('<g>{}<a href="#node-{}" aria-label="{}">{}{}</a></g>').format(
        Markup('<path class="edge" d="{}"/>').format(path) if path else "",
        node,
        node,
        box.format(x, y, width, _BOX),
        Markup("").join(text.format(x + width / 2, baseline + row * _LINE, line) for row, line in enumerate(label)),
    )
