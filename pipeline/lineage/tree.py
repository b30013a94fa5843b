"""Lineage: from anything up to the source folder, and down to what was made from it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.lineage.runs import state_of
from pipeline.lineage.store import Artifact, Execution, Id, LineageStore, StoreError

Node = tuple[str, Id]  # ("artifact" or "execution", id)


@dataclass(frozen=True)
class Lineage:
    """A part of the graph of executions and artifacts.

    Attributes:
        start: what was asked for.
        labels: a line for each node.
        edges: from what was there first to what came of it, each with the name under which it was taken or made.
    """

    start: Node
    labels: dict[Node, str]
    edges: list[tuple[Node, Node, str]]


def parse_id(text: str) -> Node:
    """Return `artifact:3` or `execution:3`; what isn't a number stays text.

    Raises:
        StoreError: it is neither.
    """
    kind, _, number = text.partition(":")
    if kind not in ("artifact", "execution") or not number:
        raise StoreError(f"an id is artifact:3 or execution:3 (ML Metadata numbers them separately). Received: {text}")
    return kind, int(number) if number.isdecimal() else number


def get(store: LineageStore, node: Node) -> Artifact | Execution:
    """Return what has that id.

    Raises:
        StoreError: nothing has.
    """
    kind, number = node
    found: list[Artifact] | list[Execution]
    found = store.artifacts([number]) if kind == "artifact" else store.executions([number])
    if not found:
        raise StoreError(f"no {kind} {number} in this store")
    return found[0]


def lineage(store: LineageStore, start: Node, locked: bool = True) -> Lineage:
    """Return all ancestors and descendants of a node. A cached execution's outputs are its first maker's as well."""
    get(store, start)
    edges = _walk(store, start, up=True) | _walk(store, start, up=False)
    nodes = {start, *(node for edge in edges for node in edge[:2])}
    executions = {one.id: one for one in store.executions([number for kind, number in nodes if kind == "execution"])}
    artifacts = {one.id: one for one in store.artifacts([number for kind, number in nodes if kind == "artifact"])}
    labels = {}
    for kind, number in sorted(nodes, key=_order):
        if kind == "execution":
            execution = executions[number]
            folder = execution.parameters.get("uri")  # of ImageIngest: the source of everything
            labels[kind, number] = (
                f"{execution.component} ({state_of(execution, None, locked)}){f' of {folder}' if folder else ''}"
            )
        else:
            labels[kind, number] = f"{artifacts[number].type} {artifacts[number].uri}"
    return Lineage(start, labels, sorted(edges, key=lambda edge: (_order(edge[0])[1:], _order(edge[1])[1:], edge[2])))


def _order(node: Node) -> tuple[str, int, str]:
    """Return what nodes are sorted by: numbers by their value."""
    kind, number = node
    return (kind, number, "") if isinstance(number, int) else (kind, 0, number)


def ancestors(store: LineageStore, artifacts: Iterable[Id]) -> set[Id]:
    """Ids of these artifacts and of all that they were made from."""
    found: set[Id] = set(artifacts)
    waiting = set(found)
    while waiting:
        makers = {event.execution for event in store.events_of_artifacts(waiting) if not event.is_input}
        taken = {event.artifact for event in store.events_of_executions(makers) if event.is_input} if makers else set()
        waiting = taken - found
        found |= waiting
    return found


def _walk(store: LineageStore, start: Node, up: bool) -> set[tuple[Node, Node, str]]:
    edges: set[tuple[Node, Node, str]] = set()
    seen, waiting = {start}, [start]
    while waiting:
        executions = [number for kind, number in waiting if kind == "execution"]
        artifacts = [number for kind, number in waiting if kind == "artifact"]
        waiting = []
        # Up: an execution's inputs, an artifact's makers. Down: the other way round.
        events = (
            [event for event in store.events_of_executions(executions) if event.is_input == up] if executions else []
        )
        events += [event for event in store.events_of_artifacts(artifacts) if event.is_input != up] if artifacts else []
        for event in events:
            execution, artifact = ("execution", event.execution), ("artifact", event.artifact)
            edges.add((artifact, execution, event.key) if event.is_input else (execution, artifact, event.key))
            for node in (execution, artifact):
                if node not in seen:
                    seen.add(node)
                    waiting.append(node)
    return edges


def as_text(graph: Lineage) -> str:
    """Return a tree up to the sources, then one down to what came of it; a node met again isn't repeated below."""
    lines = [f"{_name(graph.start)}  {graph.labels[graph.start]}"]
    before: dict[Node, list[tuple[Node, str]]] = {}
    after: dict[Node, list[tuple[Node, str]]] = {}
    for source, target, key in graph.edges:
        before.setdefault(target, []).append((source, key))
        after.setdefault(source, []).append((target, key))
    for title, links in (("made from", before), ("led to", after)):
        if graph.start in links:
            lines.append(f"{title}:")
            _branch(graph, links, graph.start, "  ", {graph.start}, lines)
    return "\n".join(lines)


def _branch(
    graph: Lineage,
    links: dict[Node, list[tuple[Node, str]]],
    node: Node,
    indent: str,
    seen: set[Node],
    lines: list[str],
) -> None:
    for other, key in links.get(node, []):
        again = other in seen
        lines.append(f"{indent}{_name(other)}  {graph.labels[other]}  [{key}]{' (see above)' if again else ''}")
        if not again:
            seen.add(other)
            _branch(graph, links, other, indent + "  ", seen, lines)


def as_mermaid(graph: Lineage) -> str:
    """Return a Mermaid flowchart."""
    lines = ["flowchart TD"]
    for node, label in graph.labels.items():
        # Mermaid knows no escape but HTML's.
        text = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
        shape = ('["', '"]') if node[0] == "execution" else ('(["', '"])')
        lines.append(f"  {_word(node)}{shape[0]}{_name(node)}<br>{text}{shape[1]}")
    lines += [f"  {_word(source)} -->|{key or ' '}| {_word(target)}" for source, target, key in graph.edges]
    return "\n".join(lines)


def as_dot(graph: Lineage) -> str:
    """Return a Graphviz digraph."""

    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'

    lines = ["digraph lineage {", "  rankdir=TB;"]
    for node, label in graph.labels.items():
        shape = "box" if node[0] == "execution" else "ellipse"
        lines.append(f"  {quoted(_name(node))} [shape={shape}, label={quoted(_name(node) + chr(10) + label)}];")
    lines += [f"  {quoted(_name(a))} -> {quoted(_name(b))} [label={quoted(key)}];" for a, b, key in graph.edges]
    return "\n".join([*lines, "}"])


def _name(node: Node) -> str:
    return f"{node[0]}:{node[1]}"


def _word(node: Node) -> str:
    """Return a name that Mermaid takes for one word, whatever the id is made of."""
    return re.sub(r"\W", "_", f"{node[0]}{node[1]}")
