"""What happens becomes numbers for Prometheus: of requests, of people who come and go, of campaigns under way; none of a person.

Labels are methods, routes, status codes, states and the issues' slugs: never a path, a token or an address (S15, S22).
"""

import time
from collections import Counter as Counted
from collections.abc import Iterable
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.delivery.standing import Standing, standings
from newsletter.links import MARK_SIZE
from newsletter.store import Store, is_suppressed

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
REQUESTS = Counter("newsletter_http_requests", "Requests that were answered.", ["method", "route", "status"], registry=REGISTRY)
SECONDS = Histogram("newsletter_http_request_seconds", "How long an answer took.", ["route"], registry=REGISTRY)
SIGNUPS = Counter("newsletter_signups", "Forms that asked to subscribe and were taken.", registry=REGISTRY)
CONFIRMATIONS = Counter("newsletter_confirmations", "Links of confirmation mails that were used.", registry=REGISTRY)
UNSUBSCRIBES = Counter("newsletter_unsubscribes", "People who left, each counted once.", registry=REGISTRY)

#: Counting the deliveries takes at most one part in so many of the time, and is not done twice within so many seconds.
_SHARE, _SELDOM = 100, 10.0


def create_metrics(store: Store) -> Starlette:
    """The ASGI application that answers ``GET /metrics``, for a port that readers do not reach."""
    registry = CollectorRegistry()
    registry.register(REGISTRY)
    registry.register(_Database(store))

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    return Starlette(routes=[Route("/metrics", metrics)])


class _Database(Collector):
    """Whether the database answers, and how the campaigns stand that are under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._known: list[Standing] = []
        self._again = 0.0

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges of this moment; those of the deliveries may be some seconds old."""
        up = GaugeMetricFamily("newsletter_database_up", "1 where the database answers, else 0.")
        campaigns = GaugeMetricFamily("newsletter_campaigns", "Campaigns that are not over.", labels=["state"])
        deliveries = GaugeMetricFamily("newsletter_deliveries", "Deliveries of these campaigns.", labels=["issue", "state"])
        try:
            is_suppressed(self._store, bytes(MARK_SIZE))  # what /healthz asks, too
            found = self._standings()
        except SQLAlchemyError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        states = Counted(one.state for one in found)
        for name in ("scheduled", "running", "paused"):
            campaigns.add_metric([name], states[name])
        for one in found:
            for state, count in one.counts.items():
                deliveries.add_metric([one.slug, state], count)
        yield from (up, campaigns, deliveries)

    def _standings(self) -> list[Standing]:
        with self._lock:
            begun = time.monotonic()
            if begun >= self._again:
                self._known = standings(self._store)
                took = time.monotonic() - begun
                self._again = begun + max(_SELDOM, _SHARE * took)
            return self._known
