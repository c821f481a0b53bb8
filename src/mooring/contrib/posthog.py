"""Tells PostHog what pools do, as events.

Needs `pip install mooring[posthog]`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

from mooring.core.pool import Leak, PoolAlert
from mooring.core.redact import Redactor
from mooring.pools.events import ALERT, ENDED, RETURNED_LATE
from mooring.pools.tracker import PoolTracker, trackers_of

EVENT = "connection pool "
"""What the names of events begin with."""


class Client(Protocol):
    """What of `posthog.Posthog` is used."""

    def capture(self, event: str, **kwargs: Any) -> Any:
        """Take an event, without waiting for it to be sent."""
        ...


def attach(*trackers: PoolTracker, client: Client | None = None) -> None:
    """Tell PostHog what happens to these pools: `connection pool alert`, `alert over`, `lease returned late`.

    The events are of the service, and make no person. Texts are redacted. Done again with the same pool and
    client, it changes nothing. Raises TypeError for what is no tracker.

    Args:
        trackers: the pools.
        client: a `Posthog`, which sends from a thread of its own; by default the one that the module
            `posthog` is set up with. Raises ImportError where that is not installed.
    """
    told = client if client is not None else _the_module()
    key = EVENT, id(told)
    for tracker in trackers_of(trackers):
        tracker.on(ALERT, partial(_alert, tracker, told, "alert"), key=key)
        tracker.on(ENDED, partial(_alert, tracker, told, "alert over"), key=key)
        tracker.on(RETURNED_LATE, partial(_returned, tracker, told), key=key)


def _the_module() -> Any:
    import posthog

    return posthog


def _alert(tracker: PoolTracker, client: Client, what: str, alert: PoolAlert) -> None:
    redact = Redactor()
    properties = {
        "rule": alert.rule.value,
        "severity": alert.severity.value,
        "message": redact(alert.message),
        "recommendation": redact(alert.recommendation),
        "value": alert.value,
        "limit": alert.limit,
        "suppressed": alert.suppressed,
        "since": alert.since.isoformat(),
    }
    _capture(tracker, client, what, properties)


def _returned(tracker: PoolTracker, client: Client, leak: Leak) -> None:
    properties = {
        "kind": leak.kind.value,
        "site": leak.site,
        "function": leak.function,
        "route": Redactor()(leak.scope or ""),
        "held": round(leak.held, 3),
    }
    _capture(tracker, client, "lease returned late", properties)


def _capture(tracker: PoolTracker, client: Client, what: str, properties: dict[str, Any]) -> None:
    client.capture(
        f"{EVENT}{what}",
        distinct_id=tracker.service,
        properties={
            "service": tracker.service,
            "pool": tracker.name,
            "driver": tracker.driver.name,
            **properties,
            "$process_person_profile": False,
        },
        disable_geoip=True,
    )
