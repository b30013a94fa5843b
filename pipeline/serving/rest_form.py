"""TensorFlow Serving's REST form: what a request's body asks, and what is said in reply. Pure.

    POST {"instances": [{"b64": "…"}, …]}                  -> {"predictions": [{"label": …, "score": …, …}, …]}
    POST {"instances": [{"image_bytes": {"b64": "…"}}, …]} -> the same
    POST {"inputs": [{"b64": "…"}, …]}                     -> {"outputs": {"label": [ …], "score": [ …], …}}
    POST {"inputs": {"image_bytes": [{"b64": "…"}, …]}}    -> the same

Source: https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.serving.model import Answer, best

INPUT = "image_bytes"
SIGNATURE = "serving_default"
_OUTPUTS = ("probabilities", "label", "score", "accepted")

State = Literal["START", "LOADING", "AVAILABLE", "END"]


class BadRequest(ValueError):
    """A body that isn't of the form; the message says what is wrong and what is expected."""


@dataclass(frozen=True)
class Asked:
    """What a request asks.

    Attributes:
        images: files' bytes.
        by_column: whether the reply is a list for each output, rather than an object for each image.
    """

    images: list[bytes]
    by_column: bool


@dataclass(frozen=True)
class VersionStatus:
    """How a version stands, in the words of TensorFlow Serving.

    Attributes:
        version: its number.
        state: START (not whole yet), LOADING, AVAILABLE (it answers) or END.
        problem: why it doesn't answer though it should; "" where there is none.
    """

    version: int
    state: State
    problem: str = ""


def read_request(body: bytes) -> Asked:
    """Return what the body of a request to `:predict` asks.

    Raises:
        BadRequest: it isn't of the form.
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body isn't JSON") from None
    if not isinstance(values, dict) or ("instances" in values) == ("inputs" in values):
        raise BadRequest('the body must be a JSON object with either "instances" or "inputs"')
    if values.get("signature_name", SIGNATURE) not in (SIGNATURE, ""):
        raise BadRequest(f'"signature_name" must be left out, or "{SIGNATURE}"')
    by_column = "inputs" in values
    name = "inputs" if by_column else "instances"
    found = values[name]
    if by_column and isinstance(found, dict):
        if set(found) != {INPUT}:
            raise BadRequest(f'"inputs" must have one input, "{INPUT}"')
        found = found[INPUT]
    if not isinstance(found, list) or not found:
        raise BadRequest(f'"{name}" must be a list of images, and not be empty')
    return Asked([_image(value, f"{name}[{index}]") for index, value in enumerate(found)], by_column)


def _image(value: Any, where: str) -> bytes:
    if isinstance(value, dict) and set(value) == {INPUT}:
        value = value[INPUT]
    text = value.get("b64") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(text, str):
        raise BadRequest(f'{where} must be {{"b64": "…"}} or {{"{INPUT}": {{"b64": "…"}}}}, an image file in base64')
    digits = "".join(text.split()).rstrip("=")  # lines and a missing end are forgiven, as TensorFlow Serving does
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except ValueError:
        raise BadRequest(f"{where} isn't base64 (RFC 4648, section 4)") from None


def reply(labels: Sequence[str], answers: Sequence[Answer], *, by_column: bool) -> dict[str, Any]:
    """Return the JSON value that answers a request, with the outputs of the model's signature.

    Raises:
        BadImage: the model couldn't decode one of the images.
    """
    rows = []
    for answer in answers:
        label, score = best(labels, answer)
        rows.append(dict(zip(_OUTPUTS, (list(answer.probabilities), label, score, answer.accepted), strict=True)))
    return {"outputs": {name: [row[name] for row in rows] for name in _OUTPUTS}} if by_column else {"predictions": rows}


def model_status(versions: Sequence[VersionStatus]) -> dict[str, Any]:
    """Return the JSON value that says how versions stand."""
    return {
        "model_version_status": [
            {
                "version": str(one.version),
                "state": one.state,
                "status": {"error_code": "UNKNOWN" if one.problem else "OK", "error_message": one.problem},
            }
            for one in versions
        ]
    }


def model_metadata(name: str, version: int, classes: int) -> dict[str, Any]:
    """Return the JSON value that says what the model takes and gives."""
    outputs = {
        "probabilities": _tensor("DT_FLOAT", -1, classes),
        "label": _tensor("DT_STRING", -1),
        "score": _tensor("DT_FLOAT", -1),
        "accepted": _tensor("DT_BOOL", -1),
    }
    signature = {
        "inputs": {INPUT: _tensor("DT_STRING", -1)},
        "outputs": outputs,
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": name, "signature_name": "", "version": str(version)},
        "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
    }


def _tensor(dtype: str, *shape: int) -> Mapping[str, Any]:
    dimensions = [{"size": str(size), "name": ""} for size in shape]
    return {"dtype": dtype, "tensor_shape": {"dim": dimensions, "unknown_rank": False}, "name": ""}
