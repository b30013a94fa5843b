"""Tasks for Label Studio, and its exports, in the forms that its documentation and its own tests show.

Label Studio itself doesn't run here.
"""

import json
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from components.images.source import SourceError
from components.ingest.label_table import EXCLUDED, Label
from pipeline.review.label_studio import as_labeling_interface, as_tasks, local_url, prefixed_url, read_export

_ROWS = [
    {"filename": "train/sad/a b&ü.jpg", "split": "test", "given": "sad", "suggested": "happy", "score": 0.1,
     "confidence": 0.87654},
    {"filename": "train/sad/c.jpg", "split": "eval", "given": "sad", "suggested": "<b>", "score": 0.2,
     "confidence": 0.5},
]  # fmt: skip


def annotation(*choices: str, by: Any = 1, name: str = "label", **more: Any) -> dict[str, Any]:
    """One annotation as release 1.x exports it."""
    result = {"id": "x", "type": "choices", "value": {"choices": list(choices)}, "origin": "manual", "to_name": "image",
              "from_name": name}  # fmt: skip
    return {
        "id": 22, "completed_by": by, "result": [result] if choices else [], "was_cancelled": False,
        "ground_truth": False, "created_at": "2024-01-30T02:40:43.893565Z", "updated_at": "2024-01-30T02:40:43.893578Z",
        "lead_time": 8.65, "prediction": {}, "result_count": 0, "task": 87, "parent_prediction": None,
    } | more  # fmt: skip


def exported(*annotations: dict[str, Any], **more: Any) -> bytes:
    task = {
        "id": 87, "annotations": list(annotations), "file_upload": "tasks.json", "drafts": [annotation("draft")],
        "predictions": [annotation("predicted")], "data": {"image": "http://x/y.jpg", "file": "train/sad/c.jpg"},
        "meta": {}, "inner_id": 1, "total_annotations": 1, "cancelled_annotations": 0, "project": 29,
    } | more  # fmt: skip
    return json.dumps([task]).encode()


def decision(data: bytes) -> Label | None:
    table, _ = read_export(data, "export.json")
    return table.rows[0].label if table.rows else None


def test_tasks_suggest_a_class_and_name_the_image() -> None:
    task, _ = as_tasks(_ROWS, local_url("/srv/faces", "/srv"), "run-7")

    assert set(task) == {"data", "predictions"}
    assert task["data"]["file"] == "train/sad/a b&ü.jpg"
    [prediction] = task["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("run-7", 0.8765)
    [result] = prediction["result"]
    assert result["value"] == {"choices": ["happy"]}
    root = ET.fromstring(as_labeling_interface(["happy", "sad", "<b>", '"q"&']))
    control = next(one for one in root.iter("Choices") if one.get("name") == result["from_name"])
    assert control.get("toName") == result["to_name"] == next(root.iter("Image")).get("name")
    assert [choice.get("value") for choice in control] == ["happy", "sad", "<b>", '"q"&']
    assert next(root.iter("Image")).get("value") == "$image"
    assert "image" in task["data"]


def test_results_have_ids_of_their_own() -> None:
    tasks = as_tasks(_ROWS, prefixed_url("x"), "7")

    assert len({task["predictions"][0]["result"][0]["id"] for task in tasks}) == 2


@pytest.mark.parametrize(
    ("folder", "root", "path"),
    [
        ("/srv/faces", "/srv", "faces/train/sad/a b&ü.jpg"),
        ("/srv/faces", "/srv/faces", "train/sad/a b&ü.jpg"),
        ("/srv/faces", "/", "srv/faces/train/sad/a b&ü.jpg"),
    ],
)
def test_local_files_are_addressed_below_the_document_root(folder: str, root: str, path: str) -> None:
    address = urlsplit(local_url(folder, root)("train/sad/a b&ü.jpg"))

    assert address.path == "/data/local-files/"
    assert parse_qs(address.query) == {"d": [path]}


def test_a_folder_beside_the_document_root_is_refused() -> None:
    with pytest.raises(ValueError, match="the data folder /srv/faces isn't below /srv/face"):
        local_url("/srv/faces", "/srv/face")


def test_a_prefix_is_put_before_the_path() -> None:
    assert prefixed_url("s3://bucket/faces/")("a b.jpg") == "s3://bucket/faces/a%20b.jpg"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ([annotation("happy")], Label("happy")),
        ([annotation("happy", by={"id": 1, "email": "a@b.c", "first_name": "", "last_name": ""})], Label("happy")),
        ([annotation("happy", name="choice")], Label("happy")),
        ([annotation("exclude", name="exclude")], EXCLUDED),
        ([], None),
        ([annotation()], None),
        ([annotation("happy", was_cancelled=True)], None),
        ([annotation("sad", was_cancelled=True), annotation("happy", by=2)], Label("happy")),
        ([annotation("sad"), annotation("happy", by=2)], None),
        ([annotation("sad"), annotation("happy", by=2), annotation("happy", by=3)], Label("happy")),
        ([annotation("sad", by=n) for n in (1, 2)] + [annotation("happy", by=3, ground_truth=True)], Label("happy")),
        ([annotation("happy", updated_at="2024-02-01T00:00:00Z"), annotation("sad")], Label("happy")),
    ],
)
def test_people_decide(annotations: list[dict[str, Any]], expected: Label | None) -> None:
    assert decision(exported(*annotations)) == expected


def test_a_tie_is_told_from_nobody_having_looked() -> None:
    tie = read_export(exported(annotation("sad"), annotation("happy", by=2)), "e.json")
    nobody = read_export(exported(annotation("sad", was_cancelled=True)), "e.json")

    assert (tie[0].undecided, tie[1]) == (1, ["train/sad/c.jpg"])
    assert (nobody[0].undecided, nobody[1]) == (1, [])


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/data/local-files/?d=faces/train/sad/a%20b%26%C3%BC.jpg", "faces/train/sad/a b&ü.jpg"),
        ("https://h/faces/train/sad/c.jpg?sig=1", "/faces/train/sad/c.jpg"),
    ],
)
def test_tasks_of_others_are_known_by_their_address(address: str, path: str) -> None:
    table, _ = read_export(exported(annotation("happy"), data={"image": address}), "e.json")

    assert [row.path for row in table.rows] == [path]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "e.json is no JSON: "),
        (b'[{"image": "x", "id": 1, "label": "happy", "annotator": 1}]', "choose JSON, not JSON-MIN"),
        (b'{"id": 1}', "a list of tasks with data and annotations"),
        (
            exported(annotation("happy"), data={"text": "x"}),
            "task 1: data has neither file nor an image's address. Received: text",
        ),
        (exported(annotation("happy"), data={"image": "http://[x"}), "neither file nor an image's address"),
        (exported(annotation("happy", "sad")), "task 1: one class is needed. Received: happy, sad"),
        (exported(annotation(result="happy")), "e.json, task 1, annotations.0.result isn't what Label Studio exports"),
        (exported(annotation(result=[None])), "e.json, task 1, annotations.0.result.0 isn't what"),
        (exported(annotation(result=[{"type": "choices"}])), "task 1: choices must be a list of names. Received: None"),
        (exported(annotation(result=[{"type": "choices", "value": {"choices": [3]}}])), "task 1: choices must be a"),
        (b"[" * 100_000, "e.json is no JSON: "),
    ],
)
def test_what_is_no_export_is_refused_in_a_line(data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_export(data, "e.json")
