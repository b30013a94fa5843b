"""The service of `affect serve` in this process, with a model that needs no TensorFlow.

The model is a stand-in for a network: it knows bright pictures from dark ones. All around it is what runs in earnest:
uvicorn on a socket of this machine's loopback, the queue, the limits, the folder of versions.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from waiting import until

from components.images.codec import Picture, encode
from pipeline.serving.app import Service
from pipeline.serving.batching import Batching
from pipeline.serving.limits import Limits
from pipeline.serving.metrics import Metrics
from pipeline.serving.model import Answer, Loader
from pipeline.serving.reloading import Reloader
from pipeline.serving.server import address_of, bound_socket, make_server
from pipeline.serving.shelf import Shelf

LABELS = ("dark", "bright")
SETTLE = 0.2
PREDICT = "/v1/models/affect:predict"
BRIGHT = encode(np.full((20, 30, 3), 250, np.uint8), "png")
GREY = encode(np.full((20, 30), 130, np.uint8), "png")


def in_base64(*images: bytes) -> dict[str, Any]:
    """A request's body."""
    return {"instances": [{"b64": base64.b64encode(image).decode()} for image in images]}


class BrightnessModel:
    """Says how probable it is that a picture is bright: its mean, from 0 to 1; not sure enough below 0.6."""

    def __init__(self, folder: Path) -> None:
        self.labels: Sequence[str] = tuple(
            json.loads((folder / "assets.extra" / "label_map.json").read_text())["labels"]
        )
        # Both files must be there and whole, as those of a network.
        self.weights = (folder / "variables" / "variables.data").read_bytes()
        if (folder / "saved_model.pb").read_bytes() != b"graph" or not self.weights.endswith(b"end"):
            raise ValueError("damaged")

    def prepare(self, data: bytes, picture: Picture) -> float:
        return float(picture.pixels.mean() / 255)

    def answer(self, images: Sequence[float]) -> list[Answer]:
        return [Answer((1 - bright, bright), max(bright, 1 - bright) >= 0.6) for bright in images]


def write_model(folder: Path, labels: Sequence[str] = LABELS) -> Path:
    """Write the files of such a model, as a SavedModel has them."""
    (folder / "variables").mkdir(parents=True)
    (folder / "assets.extra").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.data").write_bytes(bytes(1000) + b"end")
    (folder / "assets.extra" / "label_map.json").write_text(json.dumps({"labels": list(labels)}))
    return folder


@dataclass
class Running:
    """A service that answers.

    Attributes:
        url: where.
        reloader: holds the model.
        metrics: what it counts.
        stop: tells it to end, as SIGTERM does.
        ended: whether it has.
    """

    url: str
    reloader: Reloader
    metrics: Metrics
    stop: Callable[[], None]
    ended: threading.Event = field(default_factory=threading.Event)

    def value(self, name: str, **labels: str) -> float:
        """What Prometheus is told under a name."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@contextmanager
def running(
    place: Path, load: Loader = BrightnessModel, limits: Limits | None = None, batching: Batching | None = None
) -> Iterator[Running]:
    """Run the service for a folder with versions, of which one must be whole."""
    metrics = Metrics()
    reloader = Reloader(Shelf(str(place)), load, metrics, settle=SETTLE, every=0.05)
    assert reloader.load_first()
    service = Service(reloader, metrics, "affect", limits or Limits(), batching or Batching())
    server = make_server(service.app(), 10)
    bound = bound_socket("127.0.0.1", 0)

    def stop() -> None:
        server.should_exit = True

    run = Running(address_of(bound), reloader, metrics, stop)

    def serve() -> None:
        server.run(sockets=[bound])
        run.ended.set()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        until(lambda: server.started)
        yield run
    finally:
        stop()
        thread.join()
