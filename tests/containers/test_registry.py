"""`make image PUSH=1` to a real registry on loopback: Debian's docker-registry."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import REPOSITORY, Engine

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Host and port of an empty registry."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = tmp_path / "registry.yml"
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "registry")}}
    settings.write_text(json.dumps({"version": "0.1", "storage": storage, "http": {"addr": address}}))
    with (tmp_path / "registry.log").open("wb") as log:
        server = subprocess.Popen([program, "serve", str(settings)], stdout=log, stderr=log)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(address.split(":")[1]))) == 0:
                    break
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def test_what_is_pushed_is_what_compile_pins(engine: Engine, registry: str, tmp_path: Path) -> None:
    """Of the image only the first stage, the base with Python: pushing all of it takes minutes."""
    trusted = tmp_path / "registries.conf"
    trusted.write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    checkout = tmp_path / "checkout"
    shutil.copytree(REPOSITORY, checkout, ignore=shutil.ignore_patterns(".*", "runs", "build", "tests"))
    image = f"{registry}/team/affect:1"

    settings = {"PUSH": "1", "CONTAINERS_REGISTRIES_CONF": str(trusted)}
    try:
        printed = engine.build(image, "python", checkout, settings).splitlines()[-1]
    finally:
        engine.forget(image)

    request = urllib.request.Request(f"http://{registry}/v2/team/affect/manifests/1", headers={"Accept": _MANIFEST})
    with urllib.request.urlopen(request, timeout=10) as response:
        digest = response.headers["Docker-Content-Digest"]
    assert printed == f"pushed {registry}/team/affect@{digest}"
    assert (checkout / "build" / "pushed-images").read_text() == f"{image} {digest}\n"
