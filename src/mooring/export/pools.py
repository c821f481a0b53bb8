"""Pools as JSON-ready values."""

from __future__ import annotations

from typing import Any

from mooring.core import histogram
from mooring.core.pool import Durations, PoolAlert, PoolSnapshot, PoolTotals, SiteUse
from mooring.core.pool_finding import Finding
from mooring.core.pool_past import PoolBucket
from mooring.core.pool_view import Comparison, PoolLeak, PoolMember, PoolSum, PoolView
from mooring.core.report import Reply, Wish
from mooring.export.json import seconds_json, time_json

_NANOSECONDS = 1e9


def pool_json(view: PoolView) -> dict[str, Any]:
    """Return a pool with everything that is known of it now."""
    return {
        "id": view.id,
        "service": view.service,
        "name": view.name,
        "driver": view.driver,
        "address": view.address,
        "database": view.database,
        "active": view.active,
        "heard_at": time_json(view.heard_at),
        "totals": _totals(view),
        "wait": durations_json(view.wait),
        "use": durations_json(view.use),
        "create": durations_json(view.create),
        "instances": [_member(each) for each in view.members],
        "sites": [_site(each) for each in view.sites],
        "leaks": [_leak(each) for each in view.leaks],
        "alerts": [alert_json(each) for each in view.alerts],
        "comparison": [comparison_json(each) for each in view.comparison],
    }


def _totals(view: PoolView) -> dict[str, Any]:
    return {**sum_json(view.sum), **dict(zip(view.totals._fields, view.totals, strict=True))}


def sum_json(total: PoolSum) -> dict[str, Any]:
    """Return what processes add up to."""
    return {
        "instances": total.instances,
        "used": total.used,
        "idle": total.idle,
        "size": total.size,
        "limit": total.limit,
        "least": total.least,
        "waiting": total.waiting,
        "peak": total.peak,
        "utilization": total.utilization,
    }


def durations_json(durations: Durations) -> dict[str, Any]:
    """Return how long something took, in seconds; null where it never happened."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {"count": durations.total} | {
        name: seconds_json(_seconds(histogram.quantile(durations.counts, share)))
        for name, share in shares.items()
    }


def alert_json(alert: PoolAlert) -> dict[str, Any]:
    """Return something to tell, with what to do about it."""
    return {
        "rule": alert.rule.value,
        "severity": alert.severity.value,
        "message": alert.message,
        "recommendation": alert.recommendation,
        "since": time_json(alert.since),
        "value": alert.value,
        "limit": alert.limit,
        "suppressed": alert.suppressed,
    }


def comparison_json(each: Comparison) -> dict[str, Any]:
    """Return what pools may take of a server beside what that gives."""
    return {
        "address": each.address,
        "target_id": each.target_id,
        "target": each.target,
        "kind": each.kind,
        "services": list(each.services),
        "limit": each.limit,
        "used": each.used,
        "allowed": each.allowed,
        "sessions": each.sessions,
        "checked_at": time_json(each.checked_at),
    }


_FACTS = ("id", "service", "name", "driver", "address", "database")
POOL_COLUMNS = (
    *(*_FACTS, "heard_at"),
    *("instances", "used", "idle", "size", "limit", "waiting", "peak", "utilization"),
    *PoolTotals._fields,
    *("leaks", "alerts"),
)


def pool_row(view: PoolView) -> dict[str, Any]:
    """Return a pool as a row of a table, by `POOL_COLUMNS`."""
    facts = {name: getattr(view, name) for name in _FACTS} | {"heard_at": time_json(view.heard_at)}
    return {**facts, **_totals(view), "leaks": len(view.leaks), "alerts": len(view.alerts)}


BUCKET_COLUMNS = ("start", *PoolBucket._fields[1:])


def bucket_json(bucket: PoolBucket) -> dict[str, Any]:
    """Return one step of a pool's past."""
    return {**bucket._asdict(), "start": time_json(bucket.start)}


def finding_json(finding: Finding) -> dict[str, Any]:
    """Return what is worth knowing of a pool; `severity` is null where it is advice alone."""
    severity = finding.severity.value if finding.severity else None
    return {**finding._asdict(), "severity": severity}


def reply_json(reply: Reply) -> dict[str, Any]:
    """Return what a report is answered."""
    return {"interval": reply.interval, "wishes": [wish_json(each) for each in reply.wishes]}


def wish_json(wish: Wish) -> dict[str, Any]:
    """Return what a process is to do."""
    return {"pool": wish.pool, "do": wish.do.value, "id": wish.id}


def _member(each: PoolMember) -> dict[str, Any]:
    shot: PoolSnapshot = each.snapshot
    return {
        "id": each.instance.id,
        "host": each.instance.host,
        "pid": each.instance.pid,
        "started_at": time_json(each.instance.started_at),
        "heard_at": time_json(each.heard_at),
        "interval": each.interval,
        "skew": seconds_json(each.skew),
        "live": each.live,
        "ended": each.ended,
        "active": shot.active,
        "used": shot.used,
        "idle": shot.idle,
        "size": shot.size,
        "limit": shot.limit,
        "least": shot.least,
        "waiting": shot.waiting,
        "peak": shot.peak,
        "utilization": shot.utilization,
        **dict(zip(shot.totals._fields, shot.totals, strict=True)),
    }


def _site(site: SiteUse) -> dict[str, Any]:
    return {**site._asdict(), "place": site.place}


def _leak(each: PoolLeak) -> dict[str, Any]:
    leak = each.leak
    told = {**leak._asdict(), "kind": leak.kind.value, "now": list(leak.now), "taken": list(leak.taken)}
    return {**told, "process": each.process}


def _seconds(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / _NANOSECONDS
