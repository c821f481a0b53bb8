"""A pool's ledger as bytes, so that a restart forgets nothing of it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from mooring.core.clock import Clock
from mooring.core.pool import PoolAlert, PoolRule, PoolTotals, Severity
from mooring.core.report import Instance, Wish, WishKind
from mooring.engine.pool_ledger import Ledger, Member
from mooring.pools.picture import plain
from mooring.reports import SnapshotInput
from mooring.store.pools import StoredPool

_LARGEST = 64 * 1024 * 1024
"""Bytes of a ledger: more is damaged."""


class Frozen(NamedTuple):
    """What a ledger held at one moment: packed elsewhere while the ledger goes on."""

    service: str
    name: str
    totals: PoolTotals
    times: Mapping[str, Mapping[int, int]]
    members: Sequence[Member]
    wishes: Sequence[tuple[str, Wish]]
    level: Severity | None
    alerts: Sequence[PoolAlert]


def frozen(ledger: Ledger) -> Frozen:
    """Return what a ledger holds now."""
    return Frozen(
        ledger.service,
        ledger.name,
        ledger.totals,
        {name: dict(counts) for name, counts in ledger.times.items()},
        list(ledger.members.values()),
        [(process, wish) for process, wishes in ledger.wishes.items() for wish in wishes],
        ledger.level,
        ledger.alerts.open,
    )


def packed(ledger: Frozen) -> bytes:
    """Return a ledger as bytes."""
    told = {
        **plain(ledger._replace(members=(), wishes=())),
        "members": [_member(each) for each in ledger.members],
        "wishes": [[process, plain(wish)] for process, wish in ledger.wishes],
    }
    return zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 1)


def restore(ledger: Ledger, stored: StoredPool, clock: Clock) -> None:
    """Fill an empty ledger with what was packed. Raises ValueError where it is damaged or another pool's."""
    told = _unpacked(stored.body)
    if (told["service"], told["name"]) != (ledger.service, ledger.name):
        raise ValueError(f"it is of {told['service']}/{told['name']}")
    now, at = clock.monotonic(), clock.now()
    ledger.totals = PoolTotals(**told["totals"])
    ledger.times = {name: _counts(told["times"][name]) for name in ledger.times}
    for each in told["members"]:
        member = _restored(each, ledger.service, now, at)
        ledger.members[member.instance.key] = member
    ledger.judged = frozenset(ledger.members)
    for process, wish in told["wishes"]:
        waiting = ledger.wishes.setdefault(process, [])
        waiting.append(Wish(wish["pool"], WishKind(wish["do"]), wish["id"]))
    if stored.heard_at is not None:
        ledger.heard, ledger.heard_at = _heard(stored.heard_at, now, at), stored.heard_at
    ledger.level = Severity(told["level"]) if told["level"] else None
    ledger.alerts.settle([_alert(each) for each in told["alerts"]], now, at)


def _unpacked(body: bytes) -> Any:
    unpacker = zlib.decompressobj()
    try:
        told = json.loads(unpacker.decompress(body, _LARGEST))
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not isinstance(told, dict):
        raise ValueError("it is no object")  # noqa: TRY004 -- damaged like any other
    return told


def _member(member: Member) -> dict[str, Any]:
    snapshot = plain(member.snapshot)
    del snapshot["service"]
    return {
        "instance": plain(member.instance),
        "interval": member.interval,
        "heard_at": member.heard_at.isoformat(),
        "skew": member.skew,
        "ended": member.ended,
        "peak": member.peak,
        "sequence": member.sequence,
        "snapshot": snapshot,
    }


def _restored(told: Mapping[str, Any], service: str, now: float, at: datetime) -> Member:
    heard_at = datetime.fromisoformat(told["heard_at"])
    process = told["instance"]
    return Member(
        Instance(process["id"], process["host"], process["pid"], _time(process["started_at"])),
        told["interval"],
        _heard(heard_at, now, at),
        heard_at,
        told["skew"],
        told["ended"],
        SnapshotInput.model_validate(told["snapshot"]).value(service),
        told["peak"],
        told.get("sequence", 0),
    )


def _heard(heard_at: datetime, now: float, at: datetime) -> float:
    """Return a moment of the wall clock as one of the monotonic clock."""
    return now - max(0.0, (at - heard_at) / timedelta(seconds=1))


def _alert(told: Mapping[str, Any]) -> PoolAlert:
    rule, severity, since = PoolRule(told["rule"]), Severity(told["severity"]), _time(told["since"])
    return PoolAlert(**{**told, "rule": rule, "severity": severity, "since": since, "ended": None})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _counts(told: Mapping[str, int]) -> dict[int, int]:
    return {int(bucket): count for bucket, count in told.items()}
