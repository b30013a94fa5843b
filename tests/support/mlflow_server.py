"""A real MLflow server on this machine's loopback, in a process of its own, on SQLite."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ATTEMPTS = 3000  # a tenth of a second each: on a machine that is busy the server takes minutes to import


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path, port: int) -> Iterator[str]:
    """Serve what is in the folder; yields the URL."""
    line = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    line += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(line, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(_ATTEMPTS):
            if server.poll() is not None:
                raise RuntimeError((folder / "log").read_text())
            with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):
                break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"no answer at {url}: {(folder / 'log').read_text()}")
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, 15)  # its workers as well
        server.wait()
