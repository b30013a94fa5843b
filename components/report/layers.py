"""A graph without cycles in layers, for a drawing: which layer a node stands in, and where along it.

After Sugiyama, Tagawa and Toda (1981): layers by the longest path, an order with few crossings by barycentres, places
near the neighbours. A line that passes a layer has a lane there, so that none runs across a box; the lines that leave
one node share their lanes.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Vertex = tuple[str, int]
"""A node's name and a layer: its own, where it stands, or a later one, where it has a lane."""

_SWEEPS = 24
_STRAIGHT = 6.0  # a lane stays straight rather than near to what branches off


@dataclass(frozen=True)
class Arrangement:
    """A graph in layers.

    Attributes:
        own: by node, the layer it stands in.
        layers: the vertices of each, in their order.
        lines: each from a vertex to one in the next layer.
        places: of each vertex' middle along its layer; nothing reaches below 0.
        length: of the longest layer.
    """

    own: dict[str, int]
    layers: list[list[Vertex]]
    lines: list[tuple[Vertex, Vertex]]
    places: dict[Vertex, float]
    length: float


def arrange(edges: Mapping[str, Sequence[str]], breadth: Callable[[str, bool], float]) -> Arrangement:
    """Return a graph in layers.

    Args:
        edges: by node those that it follows, in an order in which these come first; others are left out.
        breadth: the room along its layer, gap included, of a node's box, or of its lane.
    """
    own: dict[str, int] = {}
    for node, sources in edges.items():
        own[node] = 1 + max((own[source] for source in sources if source in own), default=-1)
    lines = _lines(edges, own)
    layers: list[list[Vertex]] = [[] for _ in range(1 + max(own.values(), default=-1))]
    for vertex in dict.fromkeys([*own.items(), *(vertex for line in lines for vertex in line)]):
        layers[vertex[1]].append(vertex)
    layers = _order(layers, lines)
    room = {vertex: breadth(vertex[0], vertex[1] > own[vertex[0]]) for layer in layers for vertex in layer}
    places = _places(layers, lines, room)
    start = min((places[vertex] - room[vertex] / 2 for vertex in room), default=0.0)
    places = {vertex: place - start for vertex, place in places.items()}
    length = max((places[vertex] + room[vertex] / 2 for vertex in room), default=0.0)
    return Arrangement(own, layers, lines, places, length)


def _lines(edges: Mapping[str, Sequence[str]], own: Mapping[str, int]) -> list[tuple[Vertex, Vertex]]:
    lines: dict[tuple[Vertex, Vertex], None] = {}
    for node, sources in edges.items():
        for source in sources:
            if source in own:
                for layer in range(own[source], own[node] - 1):
                    lines[(source, layer), (source, layer + 1)] = None
                lines[(source, own[node] - 1), (node, own[node])] = None
    return list(lines)


def _order(layers: list[list[Vertex]], lines: Sequence[tuple[Vertex, Vertex]]) -> list[list[Vertex]]:
    """Return the layers with each in the best order that some sweeps in both directions find."""
    neighbours = _neighbours(lines)
    best, fewest = layers, _crossings(layers, lines)
    for sweep in range(_SWEEPS):
        layers = [list(layer) for layer in layers]
        step = -1 if sweep % 2 else 1
        for index in range(len(layers))[::step]:
            if not 0 <= index - step < len(layers):
                continue
            before = {vertex: place for place, vertex in enumerate(layers[index - step])}
            centres = {}
            for place, vertex in enumerate(layers[index]):
                near = [before[other] for other in neighbours[vertex] if other in before]
                centres[vertex] = sum(near) / len(near) if near else float(place)
            layers[index].sort(key=centres.__getitem__)
        crossings = _crossings(layers, lines)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _neighbours(lines: Sequence[tuple[Vertex, Vertex]]) -> dict[Vertex, list[Vertex]]:
    neighbours: dict[Vertex, list[Vertex]] = defaultdict(list)
    for first, second in lines:
        neighbours[first].append(second)
        neighbours[second].append(first)
    return neighbours


def _crossings(layers: Sequence[Sequence[Vertex]], lines: Sequence[tuple[Vertex, Vertex]]) -> int:
    place = {vertex: index for layer in layers for index, vertex in enumerate(layer)}
    by_layer: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for first, second in lines:
        by_layer[first[1]].append((place[first], place[second]))
    return sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0
        for between in by_layer.values()
        for one, other in combinations(between, 2)
    )


def _places(
    layers: Sequence[Sequence[Vertex]],
    lines: Sequence[tuple[Vertex, Vertex]],
    room: Mapping[Vertex, float],
) -> dict[Vertex, float]:
    """Return places near those of the neighbours, in the layers' order and with room for each vertex."""
    neighbours = _neighbours(lines)
    places: dict[Vertex, float] = {}
    for layer in layers:
        places |= _apart(layer, [0.0] * len(layer), [1.0] * len(layer), room)
    for sweep in range(_SWEEPS):
        for layer in layers[:: -1 if sweep % 2 else 1]:
            desired, weights = [], []
            for vertex in layer:
                pulls = {other: _STRAIGHT if other[0] == vertex[0] else 1.0 for other in neighbours[vertex]}
                whole = sum(places[other] * pull for other, pull in pulls.items())
                weights.append(sum(pulls.values()) or 1.0)
                desired.append(whole / weights[-1] if pulls else places[vertex])
            places |= _apart(layer, desired, weights, room)
    return places


def _apart(
    layer: Sequence[Vertex], desired: Sequence[float], weights: Sequence[float], room: Mapping[Vertex, float]
) -> dict[Vertex, float]:
    """Return the places nearest to the desired ones, by weighted least squares, that keep the order and leave the room.

    Less what lies before each vertex, this is an isotonic regression: pool adjacent violators.
    """
    shifts, end = [], 0.0
    for vertex in layer:
        shifts.append(end + room[vertex] / 2)
        end += room[vertex]
    blocks: list[tuple[float, float, int]] = []  # mean, weight, vertices
    for place, weight, shift in zip(desired, weights, shifts, strict=True):
        mean, count = place - shift, 1
        while blocks and blocks[-1][0] > mean:
            last, heavy, many = blocks.pop()
            mean, weight, count = (mean * weight + last * heavy) / (weight + heavy), weight + heavy, count + many
        blocks.append((mean, weight, count))
    bases = [mean for mean, _, count in blocks for _ in range(count)]
    return {vertex: base + shift for vertex, base, shift in zip(layer, bases, shifts, strict=True)}
