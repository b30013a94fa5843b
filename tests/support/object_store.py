"""A real S3 server process on this machine's loopback, and a proxy before it that drops connections."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from s3fs import S3FileSystem

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@contextmanager
def s3_server(**settings: str) -> Iterator[int]:
    """moto's server in a process of its own, with settings of moto in its environment; yields its port."""
    S3FileSystem.clear_instance_cache()  # an earlier server's would be taken for this one's
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, **settings}
    process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1200):  # it imports for half a minute on a busy machine
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def on_loopback(port: int, monkeypatch: pytest.MonkeyPatch) -> S3FileSystem:
    """Let the environment lead to the server on that port, and return a client of it."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    return S3FileSystem()


@contextmanager
def dropping(port: int, every: int) -> Iterator[int]:
    """A proxy that cuts each `every`-th connection as soon as the answer begins; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    count = 0

    def pump(source: socket.socket, target: socket.socket, cut: bool) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data[: len(data) // 2] if cut else data)
                if cut:
                    break
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        nonlocal count
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            count += 1
            server = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=pump, args=(server, client, count % every == 0), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
