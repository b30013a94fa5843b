"""What Prometheus is told of the service."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Counters and histograms, in a registry of their own.

    Attributes:
        requests: by place (`predict`, `upload`, …) and HTTP status.
        seconds: from a request's head to the end of its reply, by place.
        in_flight: requests for predictions that are being answered.
        refused: images that ingest would have put into quarantine.
        answers: by label, and whether the model was sure enough.
        batch_images: how many images the model was asked about at once.
        batch_seconds: how long it took.
        version: the number of the version that answers; 0 as long as there is none.
        reloads: by result, `loaded` or `failed`.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "affect_requests", "Requests by place and HTTP status.", ["place", "status"], registry=registry
        )
        self.seconds = Histogram(
            "affect_request_seconds", "Seconds to answer a request.", ["place"], buckets=_SECONDS, registry=registry
        )
        self.in_flight = Gauge(
            "affect_requests_in_flight", "Requests for predictions being answered.", registry=registry
        )
        self.refused = Counter("affect_refused_images", "Images that can't be used.", registry=registry)
        self.answers = Counter(
            "affect_answers", "Images answered, by label and acceptance.", ["label", "accepted"], registry=registry
        )
        self.batch_images = Histogram("affect_batch_images", "Images in a batch.", buckets=_IMAGES, registry=registry)
        self.batch_seconds = Histogram(
            "affect_batch_seconds", "Seconds of the model on a batch.", buckets=_SECONDS, registry=registry
        )
        self.version = Gauge("affect_model_version", "The version that answers; 0: none.", registry=registry)
        self.reloads = Counter(
            "affect_reloads", "Attempts to load a version, by result.", ["result"], registry=registry
        )
        for result in ("loaded", "failed"):
            self.reloads.labels(result)  # 0 until it happens, so that a rate can be taken

    def watch_queue(self, length: Callable[[], float]) -> None:
        """Tell, whenever somebody asks, how many images wait for the model."""
        Gauge("affect_queue_images", "Images that wait for the model.", registry=self.registry).set_function(length)
