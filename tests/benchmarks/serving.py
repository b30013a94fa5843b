"""How fast `affect serve` answers beside the bare model, and whether a request is lost when a version takes over.

    python tests/benchmarks/serving.py [--seconds 5]          (about a minute)

A process of `affect serve` answers for a ResNet-18 of 96×96 pixels; the clients are threads of this one, each with a
connection and a JPEG a request. The bare model takes batches of 32 decoded images in this process, before each case and
behind it, so that load from elsewhere hits both alike. Clients and server share the processors: where these are few,
the server could do more without the clients' share.
"""

import argparse
import base64
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import numpy as np
import tensorflow as tf

from components.formats.pushed_models import Origin
from components.images.options import ImageOptions
from components.models.resnets import ResNet18
from components.pusher.push import push
from components.training.export import export

_SIZE, _CLASSES, _BATCH = 96, 8, 32
_CLIENTS = (1, 8, 32)
_PATH = "/v1/models/affect:predict"


@dataclass
class Outcome:
    """What became of the requests of a case.

    Attributes:
        seconds: of each that was answered.
        versions: that answered, with how many requests each.
        lost: why others weren't, with how many.
        took: seconds from the first request to the last answer.
    """

    seconds: list[float] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    took: float = 0.0

    def __str__(self) -> str:
        """Return the figures in a line."""
        middle, late = np.percentile(np.array(self.seconds) * 1000, [50, 99])
        lost = "".join(f", {count} × {why}" for why, count in self.lost.items())
        return (
            f"{len(self.seconds) / self.took:6.0f} requests/s   median {middle:5.0f} ms   "
            f"99th percentile {late:5.0f} ms   {len(self.seconds)} answered, {self.lost.total()} lost{lost}"
        )


def main(seconds: float) -> None:
    """Print the figures of each number of clients, and of a reload."""
    encoded, pixels = _image()
    with tempfile.TemporaryDirectory() as place:
        model = ResNet18(_CLASSES, (_SIZE, _SIZE, 3), normalize=True, classifier_activation=None)
        labels = [f"class {number}" for number in range(_CLASSES)]
        export(model, f"{place}/model", labels, ImageOptions(height=_SIZE, width=_SIZE), 1.0, {})
        bare = tf.function(lambda images: model(images, training=False))
        batch = tf.constant(np.stack([pixels] * _BATCH), tf.float32)
        signature = tf.saved_model.load(f"{place}/model").signatures["serving_default"]
        strings = tf.constant([encoded] * _BATCH)
        whole = _per_second(lambda: signature(image_bytes=strings))
        print(f"serving_default alone, batches of {_BATCH}: {whole:.0f} images/s")
        push(Path(place) / "model", f"{place}/served", 1, Origin("first", "data"), {}, {})
        with _server(f"{place}/served") as port:
            for clients in _CLIENTS:
                before = _per_second(lambda: bare(batch))
                outcome = _load(port, encoded, clients, seconds)
                alone = statistics.mean((before, _per_second(lambda: bare(batch))))
                ratio = len(outcome.seconds) / outcome.took / alone
                print(
                    f"{clients:3} clients  {outcome}   {ratio:.2f} of the bare model's {alone:.0f} images/s", flush=True
                )

            def reload() -> None:
                push(Path(place) / "model", f"{place}/served", 2, Origin("second", "data"), {}, {})
                while _version(port) != "2":
                    time.sleep(0.1)

            outcome = _load(port, encoded, 8, seconds, reload)
            print(f"  8 clients  {outcome}   a version takes over: {dict(outcome.versions)}")


def _image() -> tuple[bytes, Any]:
    noise = np.random.default_rng(0).integers(0, 256, (_SIZE, _SIZE, 3)).astype(np.uint8)
    pixels = cv2.GaussianBlur(noise, (5, 5), 0)
    return cv2.imencode(".jpg", pixels)[1].tobytes(), pixels


def _per_second(step: Callable[[], Any], rounds: int = 15) -> float:
    """Return the images that batches of `_BATCH` get through in a second: the median of some."""
    step()
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begin)
    return _BATCH / statistics.median(seconds)


@contextmanager
def _server(place: str) -> Iterator[int]:
    line = [sys.executable, "-m", "pipeline", "serve", "--model", place, "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline().split(" ")[0].rpartition(":")[2])
        process.terminate()


def _version(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/healthz")
    return str(json.loads(connection.getresponse().read())["version"])


def _load(
    port: int, encoded: bytes, clients: int, seconds: float, during: Callable[[], None] = lambda: None
) -> Outcome:
    """Let clients ask, one request after the other each, for a time and for as long as something else takes."""
    body = json.dumps({"instances": [{"b64": base64.b64encode(encoded).decode()}]})
    done = threading.Event()
    outcome, lock = Outcome(), threading.Lock()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while not done.is_set():
            begin = time.perf_counter()
            try:
                connection.request("POST", _PATH, body)
                response = connection.getresponse()
                response.read()
                why = "" if response.status == 200 else str(response.status)
                version = response.headers["X-Model-Version"]
            except (OSError, http.client.HTTPException) as error:
                why, version = type(error).__name__, ""
                connection.close()
            with lock:
                if why:
                    outcome.lost[why] += 1
                else:
                    outcome.seconds.append(time.perf_counter() - begin)
                    outcome.versions[version] += 1

    begin = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(ask) for _ in range(clients)]
        try:
            time.sleep(seconds / 2)
            during()
            time.sleep(seconds / 2)
        finally:
            done.set()
        for one in asking:
            one.result()
    outcome.took = time.perf_counter() - begin
    return outcome


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each case (default: 5)")
    main(parser.parse_args().seconds)
