"""Suspicious labels as tasks of Label Studio, and what people decided there. Pure.

Tasks are in its "basic JSON format" with a prediction each; read is what it exports as JSON (not JSON-MIN). The image's
path stands in `data.file`, which Label Studio hands back as it is.
"""

import json
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import quoteattr

from components.images.source import SourceError
from components.ingest.label_table import EXCLUDED, Label, LabelTable, Row

_CONTROL, _EXCLUDE, _IMAGE = "label", "exclude", "image"
_LOCAL = "/data/local-files/"


def local_url(folder: str, root: str) -> Callable[[str], str]:
    """Return what makes the address of an image that Label Studio serves from its own disk.

    Args:
        folder: the data folder, absolute.
        root: what its LOCAL_FILES_DOCUMENT_ROOT names, absolute.

    Raises:
        ValueError: the folder isn't below the root.
    """
    if posixpath.commonpath([folder, root]) != root.rstrip("/") and root != "/":
        raise ValueError(f"the data folder {folder} isn't below {root}, and Label Studio serves nothing else")
    inside = posixpath.relpath(folder, root)
    return lambda path: f"{_LOCAL}?d={quote(posixpath.normpath(posixpath.join(inside, path)))}"


def prefixed_url(prefix: str) -> Callable[[str], str]:
    """Return what makes the address of an image below a URL."""
    return lambda path: f"{prefix.rstrip('/')}/{quote(path)}"


def as_tasks(rows: Iterable[Mapping[str, Any]], address: Callable[[str], str], version: str) -> list[dict[str, Any]]:
    """Return tasks to import, the most suspicious label first.

    Args:
        rows: suspects, as PredictionAnalysis has them.
        address: makes an image's address from its path.
        version: of the model, as Label Studio shows it.
    """
    return [
        {
            "data": {
                _IMAGE: address(row["filename"]),
                "file": row["filename"],
                "given": row["given"],
                "chance_wrong": round(1 - row["score"], 2),
            },
            "predictions": [
                {
                    "model_version": version,
                    "score": round(row["confidence"], 4),
                    "result": [
                        {
                            "id": f"suggested-{number}",
                            "type": "choices",
                            "from_name": _CONTROL,
                            "to_name": _IMAGE,
                            "value": {"choices": [row["suggested"]]},
                        }
                    ],
                }
            ],
        }
        for number, row in enumerate(rows, start=1)
    ]


def as_labeling_interface(classes: Iterable[str]) -> str:
    """Return the labelling interface, as XML, that the tasks belong to."""
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in classes)
    return (
        "<View>\n"
        f'  <Image name="{_IMAGE}" value="${_IMAGE}"/>\n'
        '  <Header value="Given label:" size="5"/>\n  <Header value="$given" size="5"/>\n'
        f'  <Choices name="{_CONTROL}" toName="{_IMAGE}" choice="single" showInLine="true">\n{choices}  </Choices>\n'
        f'  <Choices name="{_EXCLUDE}" toName="{_IMAGE}" choice="multiple">\n'
        '    <Choice value="exclude"/>\n  </Choices>\n'
        "</View>\n"
    )


def read_export(data: bytes, where: str) -> tuple[LabelTable, list[str]]:
    """Read what people decided.

    Skipped tasks, drafts and predictions decide nothing. Of several annotations by one person the latest counts; one
    that is marked as ground truth counts before all others; otherwise most people decide.

    Args:
        data: of the exported file.
        where: the file, for messages.

    Returns:
        The decisions, "lines" being tasks in the order of the file, and the paths on which as many say one thing as
        another.

    Raises:
        SourceError: it is no such file.
    """
    try:
        tasks = json.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        raise SourceError(f"{where} is no JSON: {error}") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and _is_task(task) for task in tasks):
        raise SourceError(
            f"{where} isn't what Label Studio exports as JSON, a list of tasks with data and annotations: choose JSON, "
            "not JSON-MIN or another format"
        )
    rows, undecided, divided = [], 0, []
    for number, task in enumerate(tasks, start=1):
        path, place = _path(task["data"]), f"{where}, task {number}"
        if not path:
            raise SourceError(
                f"{place}: data has neither file nor image. Received: {', '.join(task['data']) or 'none'}"
            )
        decided = _decided(task["annotations"], place)
        if decided is None:
            undecided += 1
            divided += [path] if any(map(_is_said, task["annotations"])) else []
        else:
            rows.append(Row(number, path, decided))
    return LabelTable(where, rows, 0, "utf-8", undecided), divided


def _is_task(task: Mapping[str, Any]) -> bool:
    return isinstance(task.get("data"), dict) and isinstance(task.get("annotations"), list)


def _path(data: Mapping[str, Any]) -> str:
    """Return the image's path: as we wrote it, or else what its address ends in."""
    if isinstance(data.get("file"), str):
        return str(data["file"])
    address = data.get(_IMAGE)
    if not isinstance(address, str):
        return ""
    parts = urlsplit(address)
    return parse_qs(parts.query).get("d", [unquote(parts.path)])[0]


def _is_said(annotation: Mapping[str, Any]) -> bool:
    return not annotation.get("was_cancelled") and bool(annotation.get("result"))


def _decided(annotations: Sequence[Mapping[str, Any]], place: str) -> Label | None:
    said = [one for one in annotations if _is_said(one)]
    said = [one for one in said if one.get("ground_truth")] or said
    latest: dict[str, Mapping[str, Any]] = {}
    for one in sorted(said, key=lambda one: str(one.get("updated_at") or one.get("created_at") or "")):
        latest[_person(one)] = one
    votes = Counter(label for one in latest.values() if (label := _label(one["result"], place)) is not None)
    first = votes.most_common(2)
    if not first or (len(first) > 1 and first[0][1] == first[1][1]):
        return None
    return first[0][0]


def _person(annotation: Mapping[str, Any]) -> str:
    """Return who annotated: a number, or in later exports an object with it."""
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("id", who.get("email"))
    return f"annotation {annotation.get('id')}" if who is None else str(who)


def _label(results: Sequence[Mapping[str, Any]], place: str) -> Label | None:
    """Return what one annotation says; None where it chooses nothing."""
    chosen: dict[str, list[str]] = {}
    for result in results:
        if result.get("type") == "choices":
            chosen.setdefault(str(result.get("from_name")), []).extend(result.get("value", {}).get("choices", []))
    if chosen.pop(_EXCLUDE, None):
        return EXCLUDED
    names = chosen.get(_CONTROL) or [name for names in chosen.values() for name in names]
    if len(set(names)) > 1:
        raise SourceError(f"{place}: one class is needed. Received: {', '.join(names)}")
    return Label(names[0]) if names else None
