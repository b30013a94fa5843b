"""`affect serve` as a process, with a network: the same answers as `affect predict`, a new version, the end."""

import base64
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from waiting import until

from pipeline.cli.serve import serve

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks with random weights, `7` of which stands at a push destination."""
    import keras

    from components.images.options import ImageOptions
    from components.models.resnets import ResNet18
    from components.training.export import export

    folder = tmp_path_factory.mktemp("models")
    for version, seed in (("served/7", 0), ("new", 1)):
        keras.utils.set_random_seed(seed)
        network = ResNet18(3, (32, 32, 3), normalize=True, classifier_activation=None)
        image = ImageOptions(height=32, width=32)
        export(network, str(folder / version), ["happy", "neutral", "sad"], image, 1.0, {})
    return folder


@pytest.fixture
def process(models: Path, tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    line = [sys.executable, "-m", "pipeline", "serve", "--model", str(models / "served"), "--port", "0"]
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        yield running
        running.kill()
        running.wait()


def first_line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


@pytest.mark.heavy
def test_a_process_answers_like_predict_and_takes_a_new_version_until_it_is_told_to_end(
    models: Path, process: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    from components.formats.pushed_models import Origin
    from components.pusher.push import push
    from pipeline.cli.predict import load_model, read

    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    files = [tmp_path / name for name in ("a.png", "b.jpg", "c.webp", "d.gif", "turned.jpg")]
    for file in files:
        exif = Image.Exif()
        exif[0x0112] = 6 if file.name == "turned.jpg" else 1
        Image.fromarray(pixels).save(file, exif=exif)
    _, classify = load_model(models / "served" / "7")
    expected = [probabilities for probabilities, _ in classify([read(file)[0] or b"" for file in files])]

    line = first_line(process.stdout)
    url = line.split(" ")[0]
    assert line == f"{url} answers for {models / 'served'}; Ctrl-C ends it\n", (tmp_path / "log").read_text()
    images = [{"b64": base64.b64encode(file.read_bytes()).decode()} for file in files]
    asked = httpx.post(f"{url}/v1/models/affect:predict", json={"instances": images}, timeout=60)
    uploaded = httpx.post(
        f"{url}/predict", files=[("file", (file.name, file.read_bytes())) for file in files], timeout=60
    )

    found = [row["probabilities"] for row in asked.json()["predictions"]]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    rows = uploaded.json()["predictions"]
    np.testing.assert_allclose([list(row["probabilities"].values()) for row in rows], expected, atol=1e-5)
    assert [row["file"] for row in rows] == [file.name for file in files]

    push(models / "new", str(models / "served"), 8, Origin("recipe", "data"), {}, {})
    until(lambda: httpx.get(f"{url}/healthz", timeout=60).json()["version"] == "8")
    again = httpx.post(f"{url}/v1/models/affect:predict", json={"instances": images}, timeout=60)
    assert np.abs(np.subtract([row["probabilities"] for row in again.json()["predictions"]], expected)).max() > 1e-3

    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    log = (tmp_path / "log").read_text()
    # Its own lines: TensorFlow may have something to say of a machine, in a form of its own.
    own = re.findall(r"^[\d-]+ [\d:]+,\d+ (\w+ [^,\n]*)", log, re.MULTILINE)
    assert own == ["INFO version 7 answers now", "INFO version 8 answers now"], log
    assert "cuInit" not in log
    shutil.rmtree(models / "served" / "8")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--model", "nowhere"], "--model must be the folder of a SavedModel, or of its versions. Received: nowhere"),
        (["--model", "."], "--model must be the folder of a SavedModel, or of its versions. Received: ."),
        (["--model", "nosuch://bucket"], "can't look into --model nosuch://bucket: Protocol not known"),
        (["--model", ".", "--name", "a/b"], "make a name"),
        (["--model", ".", "--max-images", "300"], "--max-images 300 is more than --max-queue 256 lets wait"),
        (["--model", ".", "--port", "70000"], "70000 is not in the range"),
        (
            ["--model", ".", "--host", "203.0.113.1"],
            "Cannot assign requested address. Name another address of this machine with --host",
        ),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(
    options: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(serve, ["--port", "0", *options])

    assert done.exit_code in (1, 2)
    assert says in " ".join(done.output.split())


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(serve, ["--model", str(tmp_path), "--port", str(port)])

    assert done.exit_code == 1
    assert (
        f"can't listen on 127.0.0.1, port {port}: Address already in use. Name another port with --port" in done.output
    )


def test_it_listens_on_this_machine_alone_unless_it_is_told_otherwise() -> None:
    defaults = {parameter.name: parameter.default for parameter in serve.params}

    assert defaults["host"] == "127.0.0.1"
