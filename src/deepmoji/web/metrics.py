"""What Prometheus can ask for. No label holds anything that a client sent."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """Counts of one server."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "deepmoji_requests",
            "Requests by route and status.",
            ("route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "deepmoji_request_seconds",
            "From a request's headers to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._texts = Counter(
            "deepmoji_texts",
            "Texts that were answered, by model and route.",
            ("model", "route"),
            registry=registry,
        )
        self._batches = Histogram(
            "deepmoji_batch_texts",
            "Texts of all requests that were answered together.",
            buckets=_TEXTS,
            registry=registry,
        )
        self._waiting = Gauge(
            "deepmoji_waiting_texts", "Texts that wait to be answered.", registry=registry
        )

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Ask for the depth of the queue whenever Prometheus does."""
        self._waiting.set_function(depth)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def texts(self, model: str, route: str, count: int) -> None:
        """Count the texts of an answer."""
        self._texts.labels(model, route).inc(count)

    def batch(self, texts: int) -> None:
        """Count a batch."""
        self._batches.observe(texts)

    def page(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)
