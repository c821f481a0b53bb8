"""PostHog is told of alerts, by the real package and over HTTP."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import posthog
import pytest

from mooring.contrib import posthog as contrib
from mooring.pools import PoolTracker, Rules, Watch


class Received(ThreadingHTTPServer):
    """Takes events as PostHog does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.events: list[dict[str, Any]] = []


class Receiver(BaseHTTPRequestHandler):
    """Takes one batch."""

    server: Received

    def do_POST(self) -> None:
        """Keep the events."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.events += json.loads(body)["batch"]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Received]:
    """A server that takes events."""
    with Received() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def tracker() -> PoolTracker:
    """A pool of ten."""
    return PoolTracker("shop", "orders", max_size=10, rules=Rules(held=0), watch=Watch(threaded=False))


def test_alerts_are_events(server: Received, tracker: PoolTracker) -> None:
    """An alert, its end and a late return are one event each, of the service and of no person."""
    client = posthog.Posthog("key", host=f"http://127.0.0.1:{server.server_port}")
    contrib.attach(tracker, client=client)
    with tracker.track():
        tracker.watch.look()
    tracker.watch.look()
    client.shutdown()
    assert [(event["event"], event["properties"].get("rule")) for event in server.events] == [
        ("connection pool alert", "suspect"),
        ("connection pool lease returned late", None),
        ("connection pool alert over", "suspect"),
    ]
    first = server.events[0]
    assert first["distinct_id"] == "shop"
    told = first["properties"]
    assert {name: told[name] for name in ("service", "pool", "driver", "severity", "value")} == {
        "service": "shop",
        "pool": "orders",
        "driver": "manual",
        "severity": "warning",
        "value": 1,
    }
    assert (told["$process_person_profile"], told["$geoip_disable"]) == (False, True)
    assert told["message"].startswith("shop/orders: 1 lease of ")


def test_nothing_secret_is_sent(server: Received, tracker: PoolTracker) -> None:
    """What looks like a login or a password in an error's message is masked."""
    client = posthog.Posthog("key", host=f"http://127.0.0.1:{server.server_port}")
    contrib.attach(tracker, client=client)
    for _ in range(5):
        tracker.record_error(ConnectionResetError("postgresql://app:hunter2@db/orders password=hunter2"))
    tracker.watch.look()
    client.shutdown()
    [event] = server.events
    assert event["properties"]["recommendation"].endswith("postgresql://***@db/orders password=***")
    assert "hunter2" not in str(server.events)


def test_module_of_posthog_is_used_by_default(tracker: PoolTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a client, the module `posthog` as the program has set it up is told."""
    told = []
    monkeypatch.setattr(posthog, "capture", lambda event, **_: told.append(event))
    contrib.attach(tracker)
    with tracker.track():
        tracker.watch.look()
    assert told == ["connection pool alert"]


def test_attached_twice_tells_once(tracker: PoolTracker) -> None:
    """To attach a pool again with the same client changes nothing; another client is told, too."""

    class Client:
        def __init__(self) -> None:
            self.told: list[str] = []

        def capture(self, event: str, **_: Any) -> None:
            self.told.append(event)

    one, other = Client(), Client()
    for client in (one, one, other):
        contrib.attach(tracker, client=client)
    with tracker.track():
        tracker.watch.look()
    assert one.told == other.told == ["connection pool alert"]


def test_server_that_is_away_breaks_nothing(tracker: PoolTracker, refusing_port: int) -> None:
    """Where PostHog cannot be reached, looking goes on, and no fault is counted."""
    client = posthog.Posthog("key", host=f"http://127.0.0.1:{refusing_port}", max_retries=0)
    contrib.attach(tracker, client=client)
    with tracker.track():
        tracker.watch.look()
    client.shutdown()
    assert (tracker.faults, len(tracker.leaks())) == (0, 1)
