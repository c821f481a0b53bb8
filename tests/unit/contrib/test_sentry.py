"""Sentry is told of leaks as errors, and of all else as breadcrumbs: the real SDK, up to its transport."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from mooring.contrib import sentry
from mooring.pools import PoolTracker, Rules, Watch, holding
from mooring.testing import FakeClock


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep the event of an envelope."""
        event = envelope.get_event()
        assert event is not None
        self.events.append(dict(event))


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """What Sentry is sent. The SDK belongs to the whole process, and is put back."""
    kept = Kept()
    sentry_sdk.init(
        "http://key@127.0.0.1:9/1", transport=kept, default_integrations=False, shutdown_timeout=0
    )
    yield kept.events
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().clear()
    sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture
def tracker() -> PoolTracker:
    """A pool of ten that Sentry is told of."""
    tracker = PoolTracker("shop", "orders", max_size=10, rules=Rules(held=0), watch=Watch(threaded=False))
    sentry.attach(tracker)
    return tracker


def leak(tracker: PoolTracker, times: int = 1, operation: str | None = None) -> None:
    """Take connections in a thread that ends, each for the same request."""

    def take() -> None:
        with holding("GET /orders/{id}"):
            for _ in range(times):
                tracker.track(operation)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()


def look(tracker: PoolTracker) -> None:
    """Look until what is abandoned is certain."""
    tracker.watch.look()
    tracker.watch.look()


def test_leak_is_an_error_where_it_was_taken(sent: list[dict[str, Any]], tracker: PoolTracker) -> None:
    """An abandoned lease is an exception at its line, grouped by line, service and pool."""
    leak(tracker)
    look(tracker)
    [event] = sent
    [told] = tracker.leaks()
    [error] = event["exception"]["values"]
    [frame] = error["stacktrace"]["frames"]
    assert (error["type"], error["value"]) == (
        "AbandonedConnection",
        "shop/orders: leak.<locals>.take took a connection for GET /orders/{id} and never returned it",
    )
    assert (frame["abs_path"], f"{frame['abs_path']}:{frame['lineno']}") == (__file__, told.site)
    assert event["fingerprint"] == ["mooring.pools", "shop", "orders", told.site]
    assert (event["level"], event["transaction"]) == ("error", "GET /orders/{id}")
    assert event["tags"] == {"mooring.service": "shop", "mooring.pool": "orders"}


def test_each_line_is_told_once(sent: list[dict[str, Any]], tracker: PoolTracker) -> None:
    """Many leases of one line are one error, and a second line has its own while the alert is open."""
    leak(tracker, times=3)
    look(tracker)
    leak(tracker)
    look(tracker)
    assert len(sent) == 1

    def other() -> None:
        tracker.track()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    look(tracker)
    assert [event["exception"]["values"][0]["value"].split(" ")[1] for event in sent] == [
        "leak.<locals>.take",
        "test_each_line_is_told_once.<locals>.other",
    ]


def test_line_is_told_again_after_a_while(
    sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that leaks again after five minutes is told again, also where no further lines are kept."""
    monkeypatch.setattr(sentry, "MOST_LINES", 1)
    clock = FakeClock()
    tracker = PoolTracker("shop", "orders", watch=Watch(threaded=False), clock=clock)
    sentry.attach(tracker)
    for seconds, count in ((0.0, 1), (299.0, 1), (1.0, 2)):
        clock._seconds += seconds
        leak(tracker)
        tracker.watch.look()
        clock._seconds += 0.5
        tracker.watch.look()
        assert len(sent) == count


def test_suspect_is_a_breadcrumb_of_what_comes_next(sent: list[dict[str, Any]], tracker: PoolTracker) -> None:
    """An alert and its end come with the next error of any thread, and send nothing by themselves."""
    with tracker.track():
        tracker.watch.look()
    tracker.watch.look()
    assert sent == []
    sentry_sdk.capture_message("something else")
    crumbs = [(each["level"], each["data"].get("rule")) for each in sent[0]["breadcrumbs"]["values"]]
    assert crumbs == [("warning", "suspect"), ("info", None), ("info", "suspect")]
    began, _, ended = [each["message"] for each in sent[0]["breadcrumbs"]["values"]]
    assert began.startswith("shop/orders: 1 lease of ")
    assert ended == f"over: {began}"


def test_attached_twice_tells_once(sent: list[dict[str, Any]], tracker: PoolTracker) -> None:
    """To attach a pool again changes nothing: one error for one leak, one breadcrumb for one alert."""
    sentry.attach(tracker, tracker)
    leak(tracker)
    look(tracker)
    sentry_sdk.capture_message("something else")
    assert len(sent) == 2
    rules = [each["data"]["rule"] for each in sent[1]["breadcrumbs"]["values"]]
    assert rules == ["suspect", "suspect", "abandoned"]  # its end, since it is abandoned


def test_nothing_secret_is_sent(sent: list[dict[str, Any]], tracker: PoolTracker) -> None:
    """What looks like a login or a password is masked, in errors and in breadcrumbs."""
    for _ in range(5):
        tracker.record_error(ConnectionResetError("postgresql://app:hunter2@db/orders password=hunter2"))
    leak(tracker, operation="sync postgresql://app:hunter2@db/orders")
    look(tracker)
    sentry_sdk.capture_message("something else")
    assert "postgresql://***@db/orders" in str(sent[0])
    assert "postgresql://***@db/orders" in str(sent[1])
    assert "hunter2" not in str(sent)


def test_sdk_that_breaks_stays_inside(
    sent: list[dict[str, Any]], tracker: PoolTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the SDK raises is counted, and leaks are found all the same."""
    monkeypatch.setattr(sentry_sdk, "capture_event", lambda _: 1 // 0)
    leak(tracker)
    look(tracker)
    assert (tracker.faults, len(tracker.leaks())) == (1, 1)
