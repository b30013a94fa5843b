"""Exchanges with servers that never end theirs, cut it off, or say too much."""

import http.client
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from components.registration.access import Access
from components.registration.register import Entry, register
from components.registration.rest import Registry, RegistryError
from components.tools.exchange import exchange
from pipeline.notice.send import send

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENTRY = Entry("7", "/models/7", "digest", {})


@contextmanager
def saying(*pieces: bytes, then: bytes = b"") -> Iterator[str]:
    """Listen on loopback, say these bytes to whoever comes, and then `then` again and again, until nobody listens."""
    over = threading.Event()

    def answer(client: socket.socket) -> None:
        with client:
            client.recv(65536)
            try:
                client.sendall(b"".join(pieces))
                while then and not over.wait(0.02):
                    client.sendall(then)
            except OSError:  # who asked has gone
                return

    def listen() -> None:
        while not over.is_set():
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()


def ask(url: str, seconds: float = 60) -> bytes:
    return exchange(urllib.request.build_opener(), urllib.request.Request(url), seconds).body


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ([OK], b"X-More: header\r\n"),
        ([OK, b"Content-Length: 1000000\r\n\r\n"], b"{"),
        ([b"HTTP/1.1 400 Bad Request\r\nContent-Length: 1000000\r\n\r\n"], b"{"),
    ],
)
def test_a_server_that_goes_on_byte_by_byte_is_left(said: list[bytes], then: bytes) -> None:
    with saying(*said, then=then) as url:
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            ask(url, 0.5)

    assert time.monotonic() - begin < 30


def test_an_answer_that_is_too_long_or_cut_off_is_none() -> None:
    with saying(OK, b"\r\n", b" " * (17 * 2**20)) as url, pytest.raises(ValueError, match="longer than 16 MiB"):
        ask(url)
    with saying(OK, b"Content-Length: 100\r\n\r\n{") as url, pytest.raises(http.client.IncompleteRead):
        ask(url)


def test_a_notice_is_sent_three_times_at_most_to_a_receiver_that_never_ends_its_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.notice.send._SECONDS_TO_ANSWER", 0.3)
    monkeypatch.setattr("pipeline.notice.send._PAUSE", 0)
    with saying(OK, then=b"X-More: header\r\n") as url:
        assert send(url, {}) == "127.0.0.1: no whole answer within 0.3 s"


def test_a_notice_is_sent_once_to_a_receiver_that_takes_it_and_talks_on() -> None:
    with saying(OK, b"Content-Length: 1000000\r\n\r\n", then=b"x") as url:
        assert send(url, {}, attempts=1) == ""


@pytest.mark.parametrize(
    ("body", "message"), [(b"{}", "has no id"), (b'{"id": [1]}', "has no id"), (b"[" * 100_000, "is it the right URL")]
)
def test_nonsense_from_a_registry_is_said_in_a_line(body: bytes, message: str) -> None:
    head = b"Content-Length: %d\r\n\r\n" % len(body)
    with saying(OK, head, body) as url, pytest.raises(RegistryError, match=message):
        register(Registry(url, Access()), "faces", [ENTRY])


def test_what_a_registry_says_cant_act_on_a_terminal() -> None:
    body = b'{"message": "\\u001b[31mno"}'
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(body)
    with saying(head, body) as url, pytest.raises(RegistryError, match=r"400 \\x1b\[31mno$"):
        register(Registry(url, Access()), "faces", [ENTRY])
