"""The image's build script with engines that only note what they are told."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.kubeflow.targets import pinned

SCRIPT = Path(__file__).parent.parent.parent / "docker" / "build.sh"
DIGEST = "sha256:" + "ab" * 32
_ENGINE = """#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
case "$1" in
  info) exit {status} ;;
  push) while [ $# -gt 0 ]; do [ "$1" = --digestfile ] && echo {digest} > "$2"; shift; done ;;
  image) echo "registry.example/affect@{digest}" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "docker").mkdir()
    shutil.copy(SCRIPT, tmp_path / "docker")
    (tmp_path / "pyproject.toml").write_text('version = "0.1.0"\n')
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "sed", "cat", "cut", "grep", "mkdir", "dirname", "basename", "sh", "git", "env"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def engine(checkout: Path, name: str, status: int = 0) -> None:
    script = checkout / "bin" / name
    script.write_text(_ENGINE.format(log=checkout / "log", status=status, digest=DIGEST))
    script.chmod(0o755)


def build(checkout: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": str(checkout / "bin"), "HOME": os.environ.get("HOME", "/"), **settings}
    line = [str(checkout / "docker" / "build.sh"), "registry.example/affect:1"]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def test_without_an_engine_the_error_says_what_to_install(checkout: Path) -> None:
    done = build(checkout)

    assert done.returncode == 1
    assert "no container engine works here" in done.stderr
    assert "CONTAINER_ENGINE=docker|podman" in done.stderr


def test_an_engine_that_does_not_work_is_passed_over(checkout: Path) -> None:
    engine(checkout, "docker", status=1)
    engine(checkout, "podman")

    assert build(checkout).returncode == 0

    [line] = [line for line in (checkout / "log").read_text().splitlines() if " build " in line]
    assert line.startswith("podman build --file docker/Dockerfile --target runtime --tag registry.example/affect:1")
    assert "VERSION=0.1.0" in line


def test_a_named_engine_that_does_not_work_is_an_error(checkout: Path) -> None:
    engine(checkout, "docker", status=1)
    engine(checkout, "podman")

    done = build(checkout, CONTAINER_ENGINE="docker")

    assert done.returncode == 1
    assert "CONTAINER_ENGINE=docker doesn't work here" in done.stderr


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_a_push_prints_the_digest_by_which_compile_then_names_the_image(checkout: Path, name: str) -> None:
    engine(checkout, name)

    done = build(checkout, PUSH="1")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"pushed registry.example/affect@{DIGEST}"
    noted = checkout / "build" / "pushed-images"
    assert pinned("registry.example/affect:1", noted) == f"registry.example/affect@{DIGEST}"
    assert pinned("registry.example/affect:2", noted) == "registry.example/affect:2"


def test_gpu_asks_for_tensorflow_with_cuda(checkout: Path) -> None:
    engine(checkout, "docker")

    build(checkout, GPU="1")

    assert "TENSORFLOW=tensorflow[and-cuda]" in (checkout / "log").read_text()


def test_the_images_user_is_a_number_to_which_kubelet_can_hold_a_namespaces_rule() -> None:
    users = re.findall(r"^USER (\S+)$", (SCRIPT.parent / "Dockerfile").read_text(), re.MULTILINE)

    assert [user for user in users if user != "root"] == ["1000:1000", "1000:1000"]
    assert users[-1] == "1000:1000"
