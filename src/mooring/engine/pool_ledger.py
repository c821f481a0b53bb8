"""What is known of one pool: the processes that report it, what they counted, what is wanted of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mooring.core.pool import Durations, PoolAlert, PoolRule, PoolSnapshot, PoolTotals, Severity
from mooring.core.pool_view import PoolMember, PoolSum, PoolView
from mooring.core.report import Instance, PoolReport, Wish, WishKind
from mooring.engine.pool_sum import leaks_of, sites_of, sum_of
from mooring.pools.rules import Alerts

SILENT = 2.5
"""A process that has not reported for this many of its own intervals counts no more."""
MOST_MEMBERS = 100
SHOWN = 3600.0
"""Seconds for which a process is shown that is silent or has ended; what it counted stays."""
FORGET_AFTER = 86_400.0
"""Seconds for which what a silent process counted is known: should it come back, nothing counts twice."""
MOST_COUNTED = 10**18
"""Where totals end: no database holds more than some nine times that."""
MOST_WISHES = 20
WISHES_LAST = timedelta(minutes=10)
"""Until when a wish is told: who was away for longer is not what somebody looked at when it was made."""
OVERTAKEN = timedelta(minutes=5)
"""How much older than the one before a report may be that is late; a clock may step back by more."""
_TIMED = ("wait", "use", "create")


@dataclass(slots=True)
class Member:
    """One process' part of a pool. `heard` is a moment of the clock's `monotonic`."""

    instance: Instance
    interval: float
    heard: float
    heard_at: datetime
    skew: float
    ended: bool
    snapshot: PoolSnapshot
    peak: int = 0
    """The most that may have been used at once since the report before."""
    sequence: int = 0
    """Which report of its process was the newest one; 0 where that is not told."""

    @property
    def sent_at(self) -> datetime:
        """When its newest report was sent, by its own clock."""
        return self.heard_at + timedelta(seconds=self.skew)

    def live(self, now: float) -> bool:
        """Whether it counts."""
        return not self.ended and now - self.heard < SILENT * self.interval

    def begin_anew(self) -> None:
        """Take nothing that it counted for what it counts from now on."""
        empty, none = PoolTotals(), Durations()
        self.snapshot = self.snapshot._replace(totals=empty, wait=none, use=none, create=none, peak=0)

    def told(self, now: float) -> PoolMember:
        """Return it as it is shown. A pool that was closed while its process goes on has ended, too."""
        return PoolMember(
            self.instance,
            self.heard_at,
            self.interval,
            self.skew,
            self.live(now),
            self.ended or not (self.snapshot.active or self.live(now)),
            self.snapshot,
        )


@dataclass(slots=True)
class Ledger:
    """One pool of one service. Belongs to one event loop; never waits."""

    service: str
    name: str
    target_id: int
    alerts: Alerts
    members: dict[str, Member] = field(default_factory=dict)
    totals: PoolTotals = field(default_factory=PoolTotals)
    times: dict[str, dict[int, int]] = field(default_factory=lambda: {name: {} for name in _TIMED})
    wishes: dict[str, list[Wish]] = field(default_factory=dict)
    """By process, what it has not carried out yet."""
    heard: float = float("-inf")
    heard_at: datetime | None = None
    level: Severity | None = None
    """How severe its use was when it was last judged."""
    judged: frozenset[str] = frozenset()
    """The processes that counted then."""
    lingering: dict[PoolRule, tuple[PoolAlert, float]] = field(default_factory=dict)
    """What was told lately of rules that come and go, and when."""
    unsampled: PoolTotals = field(default_factory=PoolTotals)
    """What was counted since the last sample; of what was counted unheard, one interval's share."""
    changes: int = 0
    saved: int = 0
    """What `changes` was when it was last stored."""
    recorded: tuple[object, float] | None = None
    """What the last result of its target said, and when that was."""

    def hear(self, report: PoolReport, snapshot: PoolSnapshot, now: float, at: datetime) -> None:
        """Take over what a process tells of its part. `now` is monotonic, `at` the same of the wall clock."""
        process = report.instance
        before = self.members.get(process.key)
        self.changes += 1
        if before is not None and _is_overtaken(report, snapshot, before):
            before.heard = before.heard if before.ended else now
            return
        share = _share(before, report, now, at)
        self._count(before.snapshot if before else None, snapshot, share)
        skew = (report.sent_at - at).total_seconds()
        member = Member(process, report.interval, now, at, skew, report.last, snapshot)
        member.sequence = report.sequence
        is_record = before is None or snapshot.peak > before.snapshot.peak
        member.peak = max(snapshot.used, snapshot.peak if is_record and share == 1 else 0)
        self.members[process.key] = member
        self.heard, self.heard_at = now, at
        if report.last:
            self.wishes.pop(process.key, None)

    def end(self, process: str) -> None:
        """Have a process count no more that has ended."""
        member = self.members.get(process)
        if member is not None and not member.ended:
            member.ended = True
            self.changes += 1
        self.wishes.pop(process, None)

    def live(self, now: float) -> list[Member]:
        """Return the processes that count."""
        return [each for each in self.members.values() if each.live(now)]

    def counting(self, now: float) -> frozenset[str]:
        """Return the ids of the processes that count."""
        return frozenset([each.instance.key for each in self.live(now)])

    def ended(self, now: float) -> bool:
        """Whether all that used it have ended in good order."""
        return bool(self.members) and all(each.told(now).ended for each in self.members.values())

    def sum(self, now: float) -> PoolSum:
        """Return what the processes that count add up to. The peak is that since the reports before."""
        live = self.live(now)
        return sum_of([each.snapshot for each in live])._replace(peak=sum(each.peak for each in live))

    def _durations(self, name: str) -> Durations:
        """Return how long `wait`, `use` or `create` took, in all processes that were ever heard."""
        return Durations(dict(self.times[name]))

    def want(self, do: WishKind, wish_id: int, now: float) -> int:
        """Have every process that counts do something once; return how many these are."""
        live = self.live(now)
        for each in live:
            process = each.instance.key
            waiting = [wish for wish in self.wishes.get(process, ()) if wish.do is not do]
            self.wishes[process] = [*waiting, Wish(self.name, do, wish_id)][-MOST_WISHES:]
        self.changes += 1
        return len(live)

    def wishes_of(self, process: str, at: datetime) -> list[Wish]:
        """Return what a process is to do. An old wish may be done already; it is told no more."""
        return [wish for wish in self.wishes.get(process, ()) if at - wish.made_at < WISHES_LAST]

    def done(self, process: str, ids: Iterable[int]) -> None:
        """Take wishes off that a process has carried out; after a reset all that it counts is new."""
        gone = set(ids)
        known = self.wishes.pop(process, [])
        left = [wish for wish in known if wish.id not in gone]
        self.changes += len(left) < len(known)
        if process in self.members and any(wish.do is WishKind.RESET for wish in known if wish.id in gone):
            self.members[process].begin_anew()
        if left:
            self.wishes[process] = left

    def room(self, process: str, now: float) -> bool:
        """Make room for a process; False where all of them count.

        One that has ended goes first: a silent one may come back, and would be counted again.
        """
        if process in self.members or len(self.members) < MOST_MEMBERS:
            return True
        silent = [each for each in self.members.values() if not each.live(now)]
        if silent:
            self.forget(min(silent, key=lambda each: (not each.ended, each.heard)).instance.key)
        return bool(silent)

    def view(self, now: float) -> PoolView:
        """Return it as it is shown."""
        known = sorted(self.members.values(), key=lambda each: -each.heard)
        members = [each.told(now) for each in known if each.live(now) or now - each.heard < SHOWN]
        live = [each for each in members if each.live]
        newest = self._newest(now)
        return PoolView(
            id=self.target_id,
            service=self.service,
            name=self.name,
            driver=newest.snapshot.driver if newest else "",
            address=newest.snapshot.address if newest else None,
            database=newest.snapshot.database if newest else None,
            active=not live or any(each.snapshot.active for each in live),
            heard_at=self.heard_at,
            sum=sum_of([each.snapshot for each in live]),
            totals=self.totals,
            wait=self._durations("wait"),
            use=self._durations("use"),
            create=self._durations("create"),
            members=members,
            sites=sites_of(each.snapshot for each in live),
            leaks=leaks_of(live),
            alerts=self.alerts.open,
        )

    def behind(self, now: float) -> tuple[str | None, str]:
        """Return the server behind it, as the newest report says, and the machine that says so."""
        newest = self._newest(now)
        return (newest.snapshot.address, newest.instance.host) if newest else (None, "")

    def _newest(self, now: float) -> Member | None:
        """Return the process that was heard last, one that counts where there is any."""
        return max(self.members.values(), key=lambda each: (each.live(now), each.heard), default=None)

    def tidy(self, now: float, began: float) -> None:
        """Forget processes that ended or fell silent long ago; what they counted stays.

        `began`: when somebody began to listen. Nobody was silent before. Where all have ended, one stays and
        says so.
        """
        last = self._newest(now) if self.ended(now) else None
        for process, member in tuple(self.members.items()):
            kept = SHOWN if member.ended else FORGET_AFTER
            if member is not last and not member.live(now) and now - max(member.heard, began) >= kept:
                self.forget(process)

    def forget(self, process: str) -> None:
        """Show a process no more."""
        self.members.pop(process, None)
        self.wishes.pop(process, None)

    def take_unsampled(self) -> PoolTotals:
        """Return what was counted since this was asked last."""
        counted, self.unsampled = self.unsampled, PoolTotals()
        return counted

    def _count(self, before: PoolSnapshot | None, now: PoolSnapshot, share: float) -> None:
        """Add what a process counted since its last report, and so much of it to the present."""
        grown = _grown(before.totals if before else PoolTotals(), now.totals)
        self.totals = _added(self.totals, grown)
        self.unsampled = _added(self.unsampled, [round(each * share) for each in grown])
        for name in _TIMED:
            earlier = getattr(before, name).counts if before else {}
            counts = self.times[name]
            for bucket, more in _more(earlier, getattr(now, name).counts):
                counts[bucket] = min(MOST_COUNTED, counts.get(bucket, 0) + more)


def _share(before: Member | None, report: PoolReport, now: float, at: datetime) -> float:
    """Return how much of what a report adds belongs to the present.

    Who was not heard for long, or began long before, counted most of it in the past, and nobody knows when.
    """
    unheard = now - before.heard if before else (at - report.instance.started_at) / timedelta(seconds=1)
    interval = before.interval if before else report.interval
    return 1.0 if unheard < SILENT * interval else interval / unheard


def _added(total: PoolTotals, more: Iterable[int]) -> PoolTotals:
    return PoolTotals(*[min(MOST_COUNTED, old + new) for old, new in zip(total, more, strict=True)])


def _is_overtaken(report: PoolReport, now: PoolSnapshot, before: Member) -> bool:
    """Whether a report is older than the newest one, though it comes later.

    Its number is lower then; without one, no count is higher. Its time is earlier in any case: what a machine
    tells that was set back to a copy of itself is new.
    """
    if report.sequence and before.sequence:
        is_newer = report.sequence > before.sequence
    else:
        is_newer = any(new > old for old, new in zip(before.snapshot.totals, now.totals, strict=True))
    return not is_newer and timedelta() < before.sent_at - report.sent_at <= OVERTAKEN


def _grown(before: Sequence[int], now: Sequence[int]) -> list[int]:
    """Return by how much each count grew. One that runs backwards was begun anew: all of it is new."""
    begun_anew = any(new < old for old, new in zip(before[:2], now[:2], strict=True))
    return [new if begun_anew or new < old else new - old for old, new in zip(before, now, strict=True)]


def _more(before: Mapping[int, int], now: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    begun_anew = sum(now.values()) < sum(before.values())
    for bucket, count in now.items():
        old = 0 if begun_anew else before.get(bucket, 0)
        yield bucket, count - old if count >= old else count
