"""The service when much comes at once, takes long, or comes while a version takes over or all is to end."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from running_service import BRIGHT, GREY, PREDICT, BrightnessModel, Running, in_base64, running, write_model
from waiting import until

from pipeline.serving.batching import Batching
from pipeline.serving.limits import Limits
from pipeline.serving.model import Answer

post = partial(httpx.post, timeout=60)


class Slow(BrightnessModel):
    """Answers when it is let, or after a while."""

    seconds = 60.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.leave = threading.Event()
        self.leave.set()
        self.begun = threading.Event()

    def answer(self, images: Any) -> list[Answer]:
        self.begun.set()
        self.leave.wait(self.seconds)
        return super().answer(images)


def slow_model(run: Running) -> Slow:
    """The model, which waits from now on."""
    assert run.reloader.current is not None
    model = run.reloader.current.model
    assert isinstance(model, Slow)
    model.leave.clear()
    model.begun.clear()
    return model


def test_more_requests_than_may_be_answered_at_once_are_told_to_come_again(tmp_path: Path) -> None:
    write_model(tmp_path / "7")
    with running(tmp_path, Slow, Limits(requests=3)) as run, ThreadPoolExecutor(3) as pool:
        model = slow_model(run)
        asked = [pool.submit(post, f"{run.url}{PREDICT}", json=in_base64(GREY)) for _ in range(3)]
        until(lambda: run.value("affect_requests_in_flight") == 3)

        refused = post(f"{run.url}{PREDICT}", json=in_base64(GREY))
        healthy = httpx.get(f"{run.url}/healthz")
        model.leave.set()

        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json() == {"error": "3 requests are being answered, and no more may be"}
        assert healthy.status_code == 200
        assert [one.result().status_code for one in asked] == [200] * 3

    # Looked at from another thread, a request may be answered before it is counted.
    assert run.value("affect_requests_total", place="predict", status="429") == 1
    assert run.value("affect_requests_total", place="predict", status="200") == 3


def test_more_images_than_may_wait_are_told_to_come_again(tmp_path: Path) -> None:
    write_model(tmp_path / "7")
    with running(tmp_path, Slow, batching=Batching(wait=0, queue=4)) as run, ThreadPoolExecutor(2) as pool:
        model = slow_model(run)
        first = pool.submit(post, f"{run.url}{PREDICT}", json=in_base64(GREY))
        assert model.begun.wait(60)
        second = pool.submit(post, f"{run.url}{PREDICT}", json=in_base64(GREY, GREY, GREY))
        until(lambda: run.value("affect_queue_images") == 3)

        refused = post(f"{run.url}{PREDICT}", json=in_base64(GREY, GREY))
        model.leave.set()

        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert [first.result().status_code, second.result().status_code] == [200, 200]


def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    write_model(tmp_path / "7")
    with running(tmp_path, Slow, Limits(seconds=0.5)) as run:
        model = slow_model(run)
        late = post(f"{run.url}{PREDICT}", json=in_base64(GREY))
        model.leave.set()
        assert (late.status_code, late.headers["retry-after"]) == (504, "1")
        assert late.json() == {"error": "not answered within 0.5 s"}

        def halting() -> Iterator[bytes]:
            yield b"{"
            time.sleep(1)
            yield b"}"

        slow = post(f"{run.url}{PREDICT}", content=halting())
        assert (slow.status_code, slow.json()) == (408, {"error": "not answered within 0.5 s: its body is too slow"})
        until(lambda: post(f"{run.url}{PREDICT}", json=in_base64(GREY)).status_code == 200)


def test_no_request_is_lost_when_a_version_takes_over(tmp_path: Path) -> None:
    write_model(tmp_path / "7")
    done = threading.Event()
    answers: list[tuple[int, str]] = []

    def ask(url: str) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not done.is_set():
                response = client.post(PREDICT, json=in_base64(BRIGHT))
                answers.append((response.status_code, response.headers["x-model-version"]))

    with running(tmp_path) as run, ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(ask, run.url) for _ in range(4)]
        try:
            until(lambda: answers)  # by version 7
            for version in ("8", "9"):
                write_model(tmp_path / f".push-{version}").rename(tmp_path / version)
                until(lambda version=version: answers and answers[-1][1] == version)  # type: ignore[misc]
        finally:
            done.set()
        for one in clients:
            one.result()

    assert {status for status, _ in answers} == {200}
    assert {version for _, version in answers} == {"7", "8", "9"}
    assert run.value("affect_requests_total", place="predict", status="200") == len(answers)


def is_open(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def test_what_is_in_flight_is_answered_before_the_end(tmp_path: Path) -> None:
    write_model(tmp_path / "7")
    with running(tmp_path, Slow) as run, ThreadPoolExecutor(1) as pool:
        model = slow_model(run)
        asked = pool.submit(post, f"{run.url}{PREDICT}", json=in_base64(BRIGHT))
        assert model.begun.wait(60)
        run.stop()
        until(lambda: not is_open(run.url))
        assert not run.ended.wait(0.5)  # longer than uvicorn needs to look around
        model.leave.set()

        assert asked.result().json()["predictions"][0]["label"] == "bright"
        assert run.ended.wait(60)


_TOLD_EARLY = """
import os, signal
from pipeline.serving.server import bound_socket, end_on_signals, make_server

async def app(scope, receive, send):
    message = await receive()
    await send({"type": f"{message['type']}.complete"})

server = make_server(app, 10)
end_on_signals(server)
os.kill(os.getpid(), signal.SIGTERM)
server.run(sockets=[bound_socket("127.0.0.1", 0)])
"""


def test_who_is_told_to_end_before_it_listens_ends() -> None:
    done = subprocess.run([sys.executable, "-c", _TOLD_EARLY], timeout=60, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
