"""The service over HTTP: answers, refusals, and what is told of them."""

import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from damaged_files import png_chunks, png_of, whole_files
from running_service import BRIGHT, GREY, PREDICT, BrightnessModel, Running, in_base64, running, write_model

from components.ingest.inspect_image import Quarantined, inspect_image
from components.ingest.layout import Entry
from pipeline.serving import server
from pipeline.serving.limits import Limits
from pipeline.serving.model import Answer


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place = tmp_path_factory.mktemp("models")
    write_model(place / "7")
    with running(place, limits=Limits(body=300_000, images=5, pixels=100_000)) as run:
        yield run


@pytest.fixture
def client(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60) as one:
        yield one


def test_the_form_of_tensorflow_serving_is_answered_in_it(client: httpx.Client) -> None:
    response = client.post(PREDICT, json=in_base64(BRIGHT, GREY))

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.headers["x-model-version"] == "7"
    first, second = response.json()["predictions"]
    assert first == {
        "probabilities": pytest.approx([5 / 255, 250 / 255]),
        "label": "bright",
        "score": pytest.approx(250 / 255),
        "accepted": True,
    }
    assert (second["label"], second["accepted"]) == ("bright", False)


def test_a_version_can_be_asked_for_by_number(client: httpx.Client) -> None:
    assert client.post("/v1/models/affect/versions/7:predict", json=in_base64(GREY)).status_code == 200
    other = client.post("/v1/models/affect/versions/8:predict", json=in_base64(GREY))
    assert (other.status_code, other.json()) == (404, {"error": "this version isn't served; version 7 is"})


def test_files_can_be_uploaded_as_they_are(client: httpx.Client) -> None:
    files = [("file", ("a.png", BRIGHT)), ("anything", ("b.png", GREY))]

    response = client.post("/predict", files=files, data={"note": "not a file"})

    assert response.status_code == 200
    rows = response.json()["predictions"]
    assert [(row["file"], row["label"], row["accepted"]) for row in rows] == [
        ("a.png", "bright", True),
        ("b.png", "bright", False),
    ]
    assert rows[0]["probabilities"] == {"dark": pytest.approx(5 / 255), "bright": pytest.approx(250 / 255)}
    assert response.json()["version"] == "7"


def test_status_and_metadata_are_those_of_tensorflow_serving(client: httpx.Client) -> None:
    status = {
        "model_version_status": [
            {"version": "7", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }
    assert client.get("/v1/models/affect").json() == status
    assert client.get("/v1/models/affect/versions/7").json() == status
    assert client.get("/v1/models/affect/versions/8").status_code == 404
    metadata = client.get("/v1/models/affect/metadata").json()
    assert metadata["model_spec"] == {"name": "affect", "signature_name": "", "version": "7"}
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert set(signature["inputs"]) == {"image_bytes"}
    assert set(signature["outputs"]) == {"probabilities", "label", "score", "accepted"}
    assert client.get("/healthz").json() == {"status": "ok", "version": "7"}


def _unusable() -> dict[str, bytes]:
    whole = whole_files()
    bomb = png_of(
        [(kind, _wide(content) if kind == b"IHDR" else content) for kind, content in png_chunks(whole["png_rgb"])]
    )
    return {
        "nothing": b"",
        "text": b"hello",
        "a web page": b"<html><script>alert(1)</script>",
        "a PDF": b"%PDF-1.7 ...",
        "a video": b"\0\0\0\x18ftypmp42",
        "a HEIC": b"\0\0\0\x18ftypheic",
        "half a JPEG": whole["jpeg_baseline"][: len(whole["jpeg_baseline"]) // 2],
        "half a PNG": whole["png_rgb"][: len(whole["png_rgb"]) // 2],
        "a PNG with a wrong checksum": whole["png_rgb"][:60] + b"x" + whole["png_rgb"][61:],
        "too many pixels": bomb,
        "a JPEG of too many scans": b"\xff\xd8" + b"\xff\xda" * 501,
    }


def _wide(header: bytes) -> bytes:
    return (100_000).to_bytes(4, "big") + (100_000).to_bytes(4, "big") + header[8:]


@pytest.mark.parametrize("what", _unusable())
def test_what_ingest_would_not_take_is_refused_for_the_same_reason(what: str, client: httpx.Client) -> None:
    data = _unusable()[what]
    found = inspect_image(Entry("x", "label", "train"), data, 100_000)
    assert isinstance(found, Quarantined)

    asked = client.post(PREDICT, json=in_base64(BRIGHT, data))
    uploaded = client.post("/predict", files=[("file", ("x.png", data))])

    assert (asked.status_code, asked.json()) == (400, {"error": f"instances[1]: {found.reason}"})
    assert (uploaded.status_code, uploaded.json()) == (400, {"error": f"x.png: {found.reason}"})


@pytest.mark.parametrize("what", whole_files())
def test_what_ingest_takes_is_taken(what: str, client: httpx.Client) -> None:
    assert client.post(PREDICT, json=in_base64(whole_files()[what])).status_code == 200


def test_names_that_act_on_a_terminal_or_a_page_stay_text(client: httpx.Client) -> None:
    name = "\x1b[31m<b>\u202egnp.a"
    taken = client.post("/predict", files=[("file", (name, BRIGHT))])
    refused = client.post("/predict", files=[("file", (name, b"hello"))])

    assert taken.headers["content-type"] == refused.headers["content-type"] == "application/json"
    assert taken.json()["predictions"][0]["file"].endswith("<b>\u202egnp.a")
    for response in (taken, refused):
        assert "\u202e" not in response.text
        assert "\x1b" not in response.text
    assert refused.json()["error"].endswith(r"<b>\u202egnp.a: not an image that can be read")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing<script>", 404),
        ("GET", "/v1/models/other", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/page/drop.js", 404),
        ("GET", f"/v1/models/affect/versions/{'9' * 5000}", 404),
        ("GET", PREDICT, 405),
        ("DELETE", "/v1/models/affect", 405),
        ("POST", "/", 405),
    ],
)
def test_an_address_that_is_none_is_an_error_in_the_same_form(
    method: str, path: str, status: int, client: httpx.Client
) -> None:
    response = client.request(method, path)

    assert response.status_code == status
    assert set(response.json()) == {"error"}
    assert "script" not in response.text


@pytest.mark.parametrize(
    ("content", "kind", "status", "says"),
    [
        (b"nothing", "application/json", 400, "isn't JSON"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "multipart/form-data"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400, "no file"),
        (b"--x\r\n", "multipart/form-data", 400, "boundary"),
        (b"nonsense", "multipart/form-data; boundary=x", 400, "multipart"),
        (b"--x--\r\n", "Multipart/Form-Data; boundary=x", 400, "no file"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\na\r\n--x--\r\n',
            "multipart/form-data; boundary=x; charset=undefined",
            400,
            "leave its charset out",
        ),
    ],
)
def test_a_body_that_is_no_upload_is_said_to_be_none(
    content: bytes, kind: str, status: int, says: str, client: httpx.Client
) -> None:
    path = PREDICT if kind == "application/json" else "/predict"
    response = client.post(path, content=content, headers={"content-type": kind})

    assert response.status_code == status
    assert says in response.json()["error"]


def test_a_body_that_is_too_long_is_refused_by_its_head_and_by_what_comes(client: httpx.Client) -> None:
    begin = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'

    def endless() -> Iterator[bytes]:
        yield begin
        for _ in range(40):
            yield b" " * 10_000

    for path in (PREDICT, "/predict"):
        headers = {"content-type": "multipart/form-data; boundary=x"}
        for content in (begin + b" " * 400_000, endless()):
            response = client.post(path, content=content, headers=headers)
            assert response.status_code == 413
            assert response.json() == {"error": "the body is longer than the 300000 bytes that are allowed"}
    assert client.get("/healthz").status_code == 200


def test_a_head_that_promises_too_much_is_refused_before_anything_comes(service: Running) -> None:
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n".encode())

        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_more_images_than_a_request_may_have_are_refused(client: httpx.Client) -> None:
    asked = client.post(PREDICT, json=in_base64(*[GREY] * 6))
    uploaded = client.post("/predict", files=[("file", ("a.png", GREY))] * 6)

    assert (asked.status_code, uploaded.status_code) == (413, 413)
    assert "6 images are more than the 5" in asked.json()["error"]


_WHOLE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("pieces", [[b""], [b"GET / HTTP/1.1\r\nHost: x\r\n"], [_WHOLE, b"G"]])
def test_a_connection_that_asks_for_nothing_ends(
    pieces: list[bytes], service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first request has time; it is the silence behind it that is to end soon.
    monkeypatch.setattr(server, "_HEAD_SECONDS", 60 if _WHOLE in pieces else 0.3)
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        for piece in pieces:
            connection.sendall(piece)
            if piece == _WHOLE:
                answer = b""
                while b'"ok"' not in answer:
                    more = connection.recv(1000)
                    assert more
                    answer += more
                monkeypatch.setattr(server, "_HEAD_SECONDS", 0.3)
        assert connection.recv(1000) == b""  # the other side has ended it


class Broken(BrightnessModel):
    """Fails at its third batch: the first two try it out."""

    count = 0

    def answer(self, images: Any) -> list[Answer]:
        self.count += 1
        if self.count == 3:
            raise RuntimeError("a secret place: /home/me")
        return super().answer(images)


def test_a_model_that_fails_is_an_error_of_the_server_and_the_log_says_which(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(tmp_path / "7")
    with running(tmp_path, Broken) as run:
        failed = httpx.post(f"{run.url}{PREDICT}", json=in_base64(GREY))
        after = httpx.post(f"{run.url}{PREDICT}", json=in_base64(GREY))

    assert (failed.status_code, failed.json()) == (500, {"error": "the server failed; its log says why"})
    assert "a secret place" in caplog.text
    assert after.status_code == 200
    assert run.value("affect_requests_total", place="predict", status="500") == 1


def test_prometheus_is_told_what_was_answered_and_refused(tmp_path: Path) -> None:
    write_model(tmp_path / "7")
    with running(tmp_path) as run:
        httpx.post(f"{run.url}{PREDICT}", json=in_base64(BRIGHT, GREY))
        httpx.post(f"{run.url}/v1/models/affect/versions/8:predict", json=in_base64(BRIGHT))
        httpx.post(f"{run.url}/predict", files=[("file", ("a", b"hello"))])
        httpx.get(f"{run.url}/some/where")
        told = httpx.get(f"{run.url}/metrics")

    assert told.headers["content-type"].startswith("text/plain")
    values = dict(re.findall(r"^(affect_\S+) (\S+)$", told.text, re.MULTILINE))
    expected = {
        'affect_requests_total{place="predict",status="200"}': 1,
        'affect_requests_total{place="predict",status="404"}': 1,
        'affect_requests_total{place="upload",status="400"}': 1,
        'affect_requests_total{place="other",status="404"}': 1,
        'affect_request_seconds_count{place="predict"}': 2,
        'affect_answers_total{accepted="true",label="bright"}': 1,
        'affect_answers_total{accepted="false",label="bright"}': 1,
        "affect_refused_images_total": 1,
        "affect_batch_images_sum": 2,
        "affect_model_version": 7,
        "affect_queue_images": 0,
        "affect_requests_in_flight": 0,
        'affect_reloads_total{result="loaded"}': 1,
        'affect_reloads_total{result="failed"}': 0,
    }
    assert {name: float(values[name]) for name in expected} == expected


def test_what_libraries_log_cannot_act_on_a_terminal() -> None:
    """What a client sends is never logged by the service itself."""
    record = logging.LogRecord("uvicorn", logging.WARNING, "x", 1, "a \x1b[31m \u202e name\nand a line", None, None)

    assert server.Harmless("%(message)s").format(record) == "a \\x1b[31m \\u202e name\nand a line"
