"""What a person decided of a list, held against the run that the list is of. Pure."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from components.images.source import SourceError
from components.ingest.label_table import Label, LabelTable
from components.ingest.match_labels import Finder
from pipeline.review.work_list import unquoted

_SHOWN = 3


def check_decisions(table: LabelTable, finder: Finder, classes: Sequence[str], unit: str = "line") -> dict[str, Label]:
    """Return the decisions by the images' ids, sorted.

    Args:
        table: what was decided.
        finder: of the run's images.
        classes: names of the run's classes.
        unit: what the table's rows are counted in.

    Raises:
        SourceError: a label is no class, a path no image of the run or several, or an image is decided in two ways; the
            message names the first of them and the remedy.
    """
    found: dict[str, tuple[int, Label]] = {}
    unknown = []
    for row in table.rows:
        place = f"{table.where}, {unit} {row.line}"
        name = unquoted(row.label.name, classes)
        if name not in classes and not row.label.left_out:
            raise SourceError(f"{place}: {name} is no class of the run{_meant(name, classes)}. {_known(classes)}")
        ids = finder.find(row.path)
        if len(ids) > 1:
            raise SourceError(f"{place}: {row.path} may be {' or '.join(ids[:_SHOWN])}: give more of its path")
        if not ids:
            unknown.append(f"{row.path} ({unit} {row.line})")
            continue
        label = replace(row.label, name=name)
        first, before = found.setdefault(ids[0], (row.line, label))
        if before != label:
            raise SourceError(
                f"{table.where} decides {ids[0]} in two ways: {before.name or 'exclude'} in {unit} {first}, "
                f"{label.name or 'exclude'} in {unit} {row.line}"
            )
    if unknown:
        more = ", …" if len(unknown) > _SHOWN else ""
        raise SourceError(
            f"{table.where}: {len(unknown)} of {len(table.rows)} files aren't images of the run: "
            f"{', '.join(unknown[:_SHOWN])}{more}. Take these {unit}s out, or name the run's folder by --workdir"
        )
    return {file: found[file][1] for file in sorted(found)}


def changes(decisions: Mapping[str, Label], labels: Mapping[str, str]) -> tuple[int, int, int]:
    """Return how many decisions give another class, confirm the label, and exclude the image.

    Args:
        decisions: by id.
        labels: that the run had, by id.
    """
    excluded = sum(bool(label.left_out) for label in decisions.values())
    same = sum(label.name == labels[file] for file, label in decisions.items())
    return len(decisions) - excluded - same, same, excluded


def _meant(name: str, classes: Sequence[str]) -> str:
    by_lower = {known.lower(): known for known in classes}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f" (is it {by_lower[close[0]]}?)" if close else ""


def _known(classes: Sequence[str]) -> str:
    return f"Its classes: {', '.join(classes[:12])}{', …' if len(classes) > 12 else ''}"
