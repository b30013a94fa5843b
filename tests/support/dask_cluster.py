"""A Dask cluster of processes on this machine, for tests of distributed runs."""

import os
import socket
import subprocess
import sys
from pathlib import Path

_LONGEST_START = 300  # seconds: three processes import at once


class DaskCluster:
    """A scheduler and two worker processes that talk over TCP on this machine."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
        self._scheduler = self._start(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], folder / "scheduler.log"
        )
        self.workers = [self.start_worker(folder / f"worker{index}.log") for index in range(2)]
        self.wait_for(2)

    def start_worker(self, log: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--no-nanny", "--no-dashboard"]
        return self._start([*command, "--nthreads", "1", "--death-timeout", str(_LONGEST_START)], log)

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        with Client(self.address, timeout=_LONGEST_START) as client:
            client.wait_for_workers(workers, timeout=_LONGEST_START)

    def tasks_done(self) -> list[int]:
        """Tasks that each worker has executed."""
        from distributed import Client

        with Client(self.address, timeout=_LONGEST_START, set_as_default=False) as client:
            done = client.run(lambda dask_worker: dask_worker.state.executed_count)
        return list(done.values())

    def close(self) -> None:
        for process in (*self.workers, self._scheduler):
            process.kill()
            process.wait()

    @staticmethod
    def _start(command: list[str], log: Path) -> "subprocess.Popen[bytes]":
        with log.open("wb") as file:
            return subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONWARNINGS": "ignore"}
            )
