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

from pydantic import BaseModel, TypeAdapter, ValidationError

from components.images.source import SourceError
from components.ingest.label_table import EXCLUDED, Label, LabelTable, Row

_CONTROL, _EXCLUDE, _IMAGE = "label", "exclude", "image"
_LOCAL = "/data/local-files/"


class _Choices(BaseModel):
    choices: list[str] = []


class _Result(BaseModel):
    type: str = ""
    from_name: str = ""
    value: Any = None


class _Annotation(BaseModel):
    id: int | str | None = None
    completed_by: dict[str, Any] | int | str | None = None
    was_cancelled: bool | None = None
    ground_truth: bool | None = None
    created_at: str | int | None = None
    updated_at: str | int | None = None
    result: list[_Result] | None = None


class _Task(BaseModel):
    data: dict[str, Any]
    annotations: list[_Annotation]


_EXPORT = TypeAdapter(list[_Task])


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


def as_tasks(
    rows: Iterable[Mapping[str, Any]], address: Callable[[str], str], version: str, *, has_chances: bool = True
) -> list[dict[str, Any]]:
    """Return tasks to import, the most suspicious label first.

    Args:
        rows: suspects, as PredictionAnalysis has them.
        address: makes an image's address from its path.
        version: of the model, as Label Studio shows it.
        has_chances: whether the rows' scores are chances; else `chance_wrong` is left out.
    """
    return [
        {
            "data": {
                _IMAGE: address(row["filename"]),
                "file": row["filename"],
                "given": row["given"],
                **({"chance_wrong": round(1 - row["score"], 2)} if has_chances else {}),
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
    tasks = _tasks(data, where)
    rows, undecided, divided = [], 0, []
    for number, task in enumerate(tasks, start=1):
        place = f"{where}, task {number}"
        path = _path(task.data)
        if not path:
            raise SourceError(
                f"{place}: data has neither file nor an image's address. Received: {', '.join(task.data) or 'none'}"
            )
        decided = _decided(task.annotations, place)
        if decided is None:
            undecided += 1
            divided += [path] if any(map(_is_said, task.annotations)) else []
        else:
            rows.append(Row(number, path, decided))
    return LabelTable(where, rows, 0, "utf-8", undecided), divided


def _tasks(data: bytes, where: str) -> list[_Task]:
    try:
        return _EXPORT.validate_python(json.loads(data.decode("utf-8-sig")))
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        at = f", task {int(place[0]) + 1}, {'.'.join(map(str, place[1:]))}" if len(place) > 1 else ""
        raise SourceError(
            f"{where}{at} isn't what Label Studio exports as JSON, a list of tasks with data and annotations: choose "
            "JSON, not JSON-MIN or another format"
        ) from None
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{where} is no JSON: {error}") from None


def _path(data: Mapping[str, Any]) -> str:
    """Return the image's path: as we wrote it, or else what its address ends in."""
    if isinstance(data.get("file"), str):
        return str(data["file"])
    address = data.get(_IMAGE)
    if not isinstance(address, str):
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parse_qs(parts.query).get("d", [unquote(parts.path)])[0]


def _is_said(annotation: _Annotation) -> bool:
    return not annotation.was_cancelled and bool(annotation.result)


def _decided(annotations: Sequence[_Annotation], place: str) -> Label | None:
    said = [one for one in annotations if _is_said(one)]
    said = [one for one in said if one.ground_truth] or said
    latest: dict[str, _Annotation] = {}
    for one in sorted(said, key=lambda one: str(one.updated_at or one.created_at or "")):
        latest[_person(one)] = one
    votes = Counter(label for one in latest.values() if (label := _label(one.result or [], place)) is not None)
    first = votes.most_common(2)
    if not first or (len(first) > 1 and first[0][1] == first[1][1]):
        return None
    return first[0][0]


def _person(annotation: _Annotation) -> str:
    """Return who annotated: a number, or in later exports an object with it."""
    who = annotation.completed_by
    if isinstance(who, dict):
        who = who.get("id", who.get("email"))
    return f"annotation {annotation.id}" if who is None else str(who)


def _label(results: Sequence[_Result], place: str) -> Label | None:
    """Return what one annotation says; None where it chooses nothing."""
    chosen: dict[str, list[str]] = {}
    for result in results:
        if result.type == "choices":
            try:
                value = _Choices.model_validate(result.value)
            except ValidationError:
                raise SourceError(f"{place}: choices must be a list of names. Received: {result.value}") from None
            chosen.setdefault(result.from_name, []).extend(value.choices)
    if chosen.pop(_EXCLUDE, None):
        return EXCLUDED
    names = chosen.get(_CONTROL) or [name for names in chosen.values() for name in names]
    if len(set(names)) > 1:
        raise SourceError(f"{place}: one class is needed. Received: {', '.join(names)}")
    return Label(names[0]) if names else None
