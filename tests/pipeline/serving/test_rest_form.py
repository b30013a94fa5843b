"""What requests in TensorFlow Serving's form ask, and what is said of those that aren't of it."""

import base64
import json
from typing import Any

import pytest

from components.images.codec import BadImage
from pipeline.serving.model import Answer
from pipeline.serving.rest_form import BadRequest, VersionStatus, model_status, read_request, reply

_IMAGE = b"\xff\xfe any bytes"
_TEXT = base64.b64encode(_IMAGE).decode()
_OBJECT = {"b64": _TEXT}


def asked(values: Any) -> Any:
    return read_request(json.dumps(values).encode())


@pytest.mark.parametrize(
    ("values", "by_column"),
    [
        ({"instances": [_OBJECT]}, False),
        ({"instances": [{"image_bytes": _OBJECT}]}, False),
        ({"instances": [_OBJECT], "signature_name": "serving_default"}, False),
        ({"instances": [_OBJECT], "signature_name": ""}, False),
        ({"inputs": [_OBJECT]}, True),
        ({"inputs": {"image_bytes": [_OBJECT]}}, True),
    ],
)
def test_an_image_is_taken_in_each_of_the_forms(values: Any, by_column: bool) -> None:
    found = asked(values)

    assert found.images == [_IMAGE]
    assert found.by_column == by_column


@pytest.mark.parametrize("text", [_TEXT.rstrip("="), f"{_TEXT[:8]}\n{_TEXT[8:]}\n", f" {_TEXT}"])
def test_lines_and_a_missing_end_are_forgiven(text: str) -> None:
    assert asked({"instances": [{"b64": text}]}).images == [_IMAGE]


def test_images_keep_their_order() -> None:
    texts = [base64.b64encode(bytes([number])).decode() for number in range(5)]

    found = asked({"instances": [{"b64": texts[0]}, *({"image_bytes": {"b64": text}} for text in texts[1:])]})

    assert found.images == [bytes([number]) for number in range(5)]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "isn't JSON"),
        (b"\xff", "isn't JSON"),
        (b"[" * 100_000, "isn't JSON"),
        (b"[]", '"instances" or "inputs"'),
        (b"{}", '"instances" or "inputs"'),
        (b'{"instances": [], "inputs": []}', '"instances" or "inputs"'),
        (b'{"instances": []}', "not be empty"),
        (b'{"instances": {}}', "a list of images"),
        (b'{"inputs": {"pixels": []}}', 'one input, "image_bytes"'),
        (b'{"inputs": {"image_bytes": {"b64": ""}}}', "a list of images"),
        (b'{"instances": ["text"]}', "instances[0] must be"),
        (b'{"instances": [{"b64": ""}, {"b64": 3}]}', "instances[1] must be"),
        (b'{"instances": [{"b64": "", "image_bytes": 1}]}', "instances[0] must be"),
        (b'{"instances": [{"b64": "a-_b"}]}', "instances[0] isn't base64"),
        (b'{"instances": [{"b64": "abcde"}]}', "instances[0] isn't base64"),
        ('{"instances": [{"b64": "é"}]}'.encode(), "instances[0] isn't base64"),
        (b'{"instances": [{"b64": ""}], "signature_name": "embed"}', '"signature_name"'),
    ],
)
def test_what_is_not_of_the_form_is_said(body: bytes, says: str) -> None:
    with pytest.raises(BadRequest) as raised:
        read_request(body)

    assert says in str(raised.value)


_LABELS = ("happy", "sad")
_ANSWERS = [Answer((0.25, 0.75), True), Answer((0.5, 0.5), False)]


def test_a_reply_has_the_outputs_of_the_signature_for_each_image() -> None:
    assert reply(_LABELS, _ANSWERS, by_column=False) == {
        "predictions": [
            {"probabilities": [0.25, 0.75], "label": "sad", "score": 0.75, "accepted": True},
            {"probabilities": [0.5, 0.5], "label": "happy", "score": 0.5, "accepted": False},
        ]
    }


def test_or_a_list_for_each_output() -> None:
    assert reply(_LABELS, _ANSWERS, by_column=True) == {
        "outputs": {
            "probabilities": [[0.25, 0.75], [0.5, 0.5]],
            "label": ["sad", "happy"],
            "score": [0.75, 0.5],
            "accepted": [True, False],
        }
    }


def test_what_the_model_cannot_decode_is_no_answer() -> None:
    with pytest.raises(BadImage, match="can't decode"):
        reply(_LABELS, [Answer((float("nan"), float("nan")), False)], by_column=False)


def test_a_version_that_cannot_be_loaded_has_an_error() -> None:
    found = model_status([VersionStatus(9, "END", "damaged"), VersionStatus(7, "AVAILABLE")])

    assert found == {
        "model_version_status": [
            {"version": "9", "state": "END", "status": {"error_code": "UNKNOWN", "error_message": "damaged"}},
            {"version": "7", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}},
        ]
    }
