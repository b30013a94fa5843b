"""What a Flink or Spark cluster looks like to us: Beam's own job service in a process of its own, and worker pools.

Job servers of Flink and Spark start workers in such pools likewise, and ask them for the same things.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import cycle
from pathlib import Path


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class JobService:
    """Beam's own job service, with two workers a job."""

    def __init__(self, folder: Path) -> None:
        self.port, self.log = free_port(), folder / "job-service.log"
        line = [sys.executable, str(Path(__file__).with_name("job_service_of_two.py")), "--port", str(self.port)]
        self._process = start(line, self.log, dict(os.environ))
        wait_for(self.port, self._process)

    def close(self) -> None:
        stop(self._process)


class WorkerPool:
    """A pool that starts a worker process for whoever asks, as it runs in a container beside an engine's.

    Args:
        folder: for its log.
        path: where it looks for `python`, which runs the workers.
    """

    def __init__(
        self, folder: Path, path: str = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ) -> None:
        self.port = free_port()
        self.log = folder / f"pool-{self.port}.log"
        line = ["apache_beam.runners.worker.worker_pool_main", f"--service_port={self.port}"]
        self._process = start([sys.executable, "-m", *line], self.log, os.environ | {"PATH": path})
        wait_for(self.port, self._process)

    def started(self) -> int:
        """How many workers it was asked for."""
        return self.log.read_text().count("Starting worker with command")

    def close(self) -> None:
        stop(self._process)


def start(command: list[str], log: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    with log.open("wb") as file:
        environment = environment | {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(Path.cwd())}
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment, start_new_session=True)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process and the workers that it started."""
    os.killpg(process.pid, 9)
    process.wait()


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(1200):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on {port}")


class Balancer:
    """One address for several pools, which get its connections in turn, as by a Service of Kubernetes."""

    def __init__(self, ports: list[int]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, args=(cycle(ports),), daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self, ports: Iterator[int]) -> None:
        for port in ports:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            pool = socket.create_connection(("127.0.0.1", port))
            for source, target in ((client, pool), (pool, client)):
                threading.Thread(target=pump, args=(source, target), daemon=True).start()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Engine:
    """A job service and two pools."""

    def __init__(self, folder: Path) -> None:
        self.service = JobService(folder)
        self.pools = [WorkerPool(folder) for _ in range(2)]
        self._balancer = Balancer([pool.port for pool in self.pools])

    def options(self) -> tuple[str, ...]:
        """Beam's options for it."""
        return (
            f"--job_endpoint=127.0.0.1:{self.service.port}",
            "--environment_type=EXTERNAL",
            f"--environment_config=127.0.0.1:{self._balancer.port}",
            "--job_server_timeout=86400",
        )

    def close(self) -> None:
        self._balancer.close()
        self.service.close()
        for pool in self.pools:
            pool.close()
