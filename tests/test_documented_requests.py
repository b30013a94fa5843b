"""The requests in docs/serving.md are answered."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from documented_commands import commands
from running_service import Running, running, write_model

from components.images.codec import encode

_PAGE = Path(__file__).parent.parent / "docs" / "serving.md"
REQUESTS = [command for command in commands(_PAGE) if command.startswith("curl")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place = tmp_path_factory.mktemp("models")
    write_model(place / "7")
    with running(place) as run:
        yield run


def test_there_are_requests_of_each_kind() -> None:
    assert {"/predict", ":predict", "/affect", "/metadata", "/healthz", "/metrics"} <= {
        ending
        for command in REQUESTS
        for ending in ("/predict", ":predict", "/affect", "/metadata", "/healthz", "/metrics")
        if command.endswith(ending)
    }


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.parametrize("command", REQUESTS)
def test_a_documented_request_is_answered(command: str, service: Running, tmp_path: Path) -> None:
    # Larger than an argument of a command may be.
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    for name, encoding in (("face.jpg", "jpeg"), ("other.png", "png")):
        (tmp_path / name).write_bytes(encode(pixels, encoding))  # type: ignore[arg-type]
    line = command.replace("curl ", "curl -sS --fail ").replace("http://localhost:8501", service.url)
    assert service.url in line

    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr + done.stdout
    if "predict" in command:
        assert done.stdout.count('"label"') == max(1, command.count("file="))
