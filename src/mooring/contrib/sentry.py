"""Tells Sentry what pools do: leaks as errors, all else as breadcrumbs.

Needs `pip install mooring[sentry]`, and that the program has called `sentry_sdk.init`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mooring.core.pool import Leak, LeakKind, PoolAlert, Severity
from mooring.core.redact import Redactor
from mooring.pools.events import ALERT, ENDED, LEAK, RETURNED_LATE
from mooring.pools.tracker import PoolTracker, trackers_of

LEVELS = {Severity.WARNING: "warning", Severity.CRITICAL: "error"}
CATEGORY = "mooring.pools"
MOST_LINES = 1000
"""Lines of an application that are told; further ones are more of the same."""
COOLDOWN = 300.0
"""Seconds within which one line is told once."""


def attach(*trackers: PoolTracker) -> None:
    """Tell Sentry what happens to these pools.

    A lease that is abandoned is an error of its own for each line that took it, grouped by that line,
    service and pool, and told once in five minutes. Alerts, and leases that came back late, are
    breadcrumbs of whatever the program tells next. Texts are redacted. Done again with the same pool, it
    changes nothing. Raises ImportError without sentry-sdk, and TypeError for what is no tracker.
    """
    import sentry_sdk  # noqa: F401 -- so that a missing one is told here, not in each event

    for tracker in trackers_of(trackers):
        told: dict[str, float] = {}
        tracker.on(LEAK, partial(_leak, tracker, told), key=CATEGORY)
        tracker.on(ALERT, partial(_alert, tracker), key=CATEGORY)
        tracker.on(ENDED, partial(_alert, tracker), key=CATEGORY)
        tracker.on(RETURNED_LATE, partial(_returned, tracker), key=CATEGORY)


def _leak(tracker: PoolTracker, told: dict[str, float], leak: Leak) -> None:
    if leak.kind is not LeakKind.ABANDONED:
        return
    now = tracker.clock.monotonic()
    before = told.get(leak.site, float("-inf"))
    if now - before < COOLDOWN or (leak.site not in told and len(told) >= MOST_LINES):
        return
    told[leak.site] = now
    import sentry_sdk

    sentry_sdk.capture_event(_event(tracker, leak))


def _event(tracker: PoolTracker, leak: Leak) -> Any:
    """Return a leak as an exception, raised where the lease was taken."""
    redact = Redactor()
    for_what = f" for {leak.scope}" if leak.scope else ""
    took = f"{leak.function} took a connection{for_what} and never returned it"
    return {
        "level": LEVELS[Severity.CRITICAL],
        "logger": CATEGORY,
        "fingerprint": [CATEGORY, tracker.service, tracker.name, leak.site],
        "transaction": redact(leak.scope) if leak.scope else None,
        "tags": {"mooring.service": tracker.service, "mooring.pool": tracker.name},
        "contexts": {
            "lease": {
                "held": round(leak.held, 3),
                "owner": redact(leak.owner),
                "operation": redact(leak.operation or ""),
                "route": redact(leak.scope or ""),
                "driver": tracker.driver.name,
            }
        },
        "exception": {
            "values": [
                {
                    "type": "AbandonedConnection",
                    "value": redact(f"{tracker.service}/{tracker.name}: {took}"),
                    "mechanism": {"type": CATEGORY, "handled": True},
                    "stacktrace": {"frames": [_frame(leak)]},
                }
            ]
        },
    }


def _frame(leak: Leak) -> dict[str, Any]:
    file, _, line = leak.site.rpartition(":")
    return {
        "filename": file,
        "abs_path": file,
        "lineno": int(line),
        "function": leak.function,
        "in_app": True,
    }


def _alert(tracker: PoolTracker, alert: PoolAlert) -> None:
    over = alert.ended is not None
    data = {"rule": alert.rule.value, "recommendation": Redactor()(alert.recommendation), "over": over}
    message = f"over: {alert.message}" if over else alert.message
    _breadcrumb(tracker, message, "info" if over else LEVELS[alert.severity], data)


def _returned(tracker: PoolTracker, leak: Leak) -> None:
    message = f"{tracker.service}/{tracker.name}: a connection came back late to {leak.site}"
    _breadcrumb(tracker, message, "info", {"held": round(leak.held, 3)})


def _breadcrumb(tracker: PoolTracker, message: str, level: str, data: dict[str, Any]) -> None:
    """Leave a breadcrumb for all of the process: here runs a thread that serves nobody."""
    import sentry_sdk

    sentry_sdk.get_global_scope().add_breadcrumb(
        category=CATEGORY,
        message=Redactor()(message),
        level=level,
        data={"service": tracker.service, "pool": tracker.name, **data},
    )
