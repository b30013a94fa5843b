"""The container engine as tests use it: brought up if there is none, images built, commands run."""

import os
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
RUNTIME, TESTS = "localhost/affect:test", "localhost/affect:tests"
STATE = Path(os.environ.get("CONTAINER_TEST_STATE", "/var/tmp/affect-containers"))


@dataclass
class Engine:
    """Docker, or podman with its Docker-compatible socket.

    Attributes:
        name: `docker` or `podman`.
        environment: what its commands need.
        seconds: how long each step took.
    """

    name: str
    environment: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def socket(self) -> str:
        """Path of the Docker-compatible socket."""
        return self.environment.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")

    def build(
        self, image: str, target: str, checkout: Path = REPOSITORY, settings: Mapping[str, str] | None = None
    ) -> str:
        """Build a stage of the image, and return what was printed; layers that are there already are taken."""
        started = time.monotonic()
        environment = {**os.environ, **self.environment, "TARGET": target, **(settings or {})}
        printed = _check([str(checkout / "docker" / "build.sh"), image], environment)
        self.seconds[f"build {target}"] = time.monotonic() - started
        return printed

    def run(
        self,
        image: str,
        command: Sequence[str],
        *,
        volumes: Mapping[Path, str] | None = None,
        user: str = "",
        options: Sequence[str] = (),
        check: bool = True,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in a new container and remove it."""
        line = [self.name, "run", "--rm", "--network", "host", *options]
        line += [part for path, place in (volumes or {}).items() for part in ("-v", f"{path}:{place}")]
        line += ["--user", user] if user else []
        done = subprocess.run(
            [*line, image, *command],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-8000:]}\n{done.stderr[-4000:]}"
        return done

    def forget(self, image: str) -> None:
        """Take a name off an image; one that isn't there is fine."""
        line = [self.name, "image", "rm", image]
        subprocess.run(line, env={**os.environ, **self.environment}, capture_output=True, check=False)


def bring_up() -> Engine:
    """Docker if it works here; otherwise podman, installed and set up."""
    if subprocess.run(["sh", "-c", "docker info"], capture_output=True, check=False).returncode == 0:
        return Engine("docker", {"CONTAINER_ENGINE": "docker"})
    started = time.monotonic()
    printed = _check([str(HERE / "bring_up.sh"), str(STATE)], dict(os.environ))
    environment = dict(part.split("=", 1) for part in printed.removeprefix("export ").split())
    return Engine("podman", environment, {"bring up": time.monotonic() - started})


def _check(command: Sequence[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return done.stdout
