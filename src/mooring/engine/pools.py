"""The pools that processes report: what they add up to, and the targets that they are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from mooring.core.clock import Clock
from mooring.core.failure import ConflictError, MissingError
from mooring.core.pool_view import PoolView
from mooring.core.report import PoolReport, Reply, Wish, WishKind
from mooring.core.spelling import LONGEST_SHOWN, did_you_mean
from mooring.core.target import Origin, Target
from mooring.engine.catalogue import Catalogue
from mooring.engine.pool_comparison import Part, Servers
from mooring.engine.pool_health import PoolHealth
from mooring.engine.pool_ledger import MOST_MEMBERS, Ledger
from mooring.engine.recorder import Recorder
from mooring.engine.turns import in_turns
from mooring.pools.rules import Alerts
from mooring.probes.pool import Pool
from mooring.settings import PoolSettings

MOST_POOLS = 1000
MOST_PARTS = 5000
"""Processes of all pools together: each may hold some 50 kB."""


class Pools:
    """Takes reports, and says what they add up to. Belongs to one event loop.

    A pool is a target of the kind `pool`, which the first report of it adds.
    """

    def __init__(
        self, catalogue: Catalogue, recorder: Recorder, clock: Clock, settings: PoolSettings
    ) -> None:
        self.settings = settings
        self.ledgers: dict[int, Ledger] = {}
        self._catalogue = catalogue
        self._recorder = recorder
        self._clock = clock
        self._host = socket.gethostname()
        self._ids: dict[tuple[str, str], int] = {}
        self._adding = asyncio.Lock()
        self._last_wish = 0
        self.began = clock.monotonic()
        """When somebody began to listen: nobody was silent before."""
        self.health = PoolHealth(catalogue, recorder, clock, settings, self.began)

    async def report(self, report: PoolReport) -> Reply:
        """Take what a process tells of its pools, and return what is wanted of it.

        Raises ConflictError where there is no room for one more, StoreError where a new pool cannot be
        stored; nothing of the report was taken then.
        """
        # The answer asks for it so soon: who was killed since is missed by that, not by what was told before.
        report = report._replace(interval=min(report.interval, self.settings.report_interval))
        ledgers = await self._ledgers_of(report)
        self._demand_room(report, ledgers)
        now, at = self._clock.monotonic(), self._clock.now()
        process, told = report.instance.key, {ledger.target_id for ledger in ledgers}
        for ledger in self._of(report.service):
            ledger.done(process, report.done)
            if report.last and ledger.target_id not in told:
                ledger.end(process)
        moved = False
        for ledger, snapshot in zip(ledgers, report.pools, strict=True):
            ledger.hear(report, snapshot, now, at)
            moved = self.health.settle(ledger) or moved
        if moved:
            await self._recorder.written()
        wishes = [wish for ledger in ledgers for wish in ledger.wishes_of(process, at)]
        return Reply(self.settings.report_interval, wishes)

    async def views(self) -> list[PoolView]:
        """Return every pool as it stands, by service and name."""
        now = self._clock.monotonic()
        ledgers = sorted(
            map(self.ledger_of, self.targets()), key=lambda ledger: (ledger.service, ledger.name)
        )
        servers = self._servers(now)
        return [self._view(ledger, now, servers) async for ledger in in_turns(ledgers)]

    def view(self, target_id: int) -> PoolView:
        """Return a pool as it stands. Raises MissingError."""
        now = self._clock.monotonic()
        return self._view(self.ledger_of(self.demand(target_id)), now, self._servers(now))

    def _view(self, ledger: Ledger, now: float, servers: Servers) -> PoolView:
        self.health.catch_up(ledger, now)
        return ledger.view(now)._replace(comparison=servers.behind(*ledger.behind(now)))

    def _servers(self, now: float) -> Servers:
        parts = (
            Part(ledger.service, *ledger.behind(now), ledger.sum(now)) for ledger in self.ledgers.values()
        )
        return Servers(parts, self._catalogue.targets.values(), self._catalogue.health, self._host)

    def want(self, target_id: int, do: WishKind) -> tuple[Wish, int]:
        """Have every process of a pool do something once; return the wish and how many these are.

        They hear of it in the answer to their next report, within ten minutes or never. Raises MissingError,
        and ConflictError where no process reports the pool now.
        """
        ledger = self.ledger_of(self.demand(target_id))
        self._last_wish = max(self._last_wish + 1, int(self._clock.now().timestamp() * 1000))
        heard_by = ledger.want(do, self._last_wish, self._clock.monotonic())
        if not heard_by:
            raise ConflictError(
                f"no process reports {ledger.service}/{ledger.name} now: nobody would hear it"
            )
        return Wish(ledger.name, do, self._last_wish), heard_by

    def restored(self, ledger: Ledger) -> None:
        """Go on from a ledger that was stored: wishes are carried out in the order of their ids."""
        waiting = [wish.id for wishes in ledger.wishes.values() for wish in wishes]
        self._last_wish = max([self._last_wish, *waiting])

    async def _ledgers_of(self, report: PoolReport) -> list[Ledger]:
        """Return the ledgers of a report's pools; a target is added where there is none."""
        service, names = report.service, [pool.name for pool in report.pools]
        known = [self._known(service, name) for name in names]
        if None in known:
            async with self._adding:
                await self._make_room(report)
                known = [self._known(service, name) or await self._add(service, name) for name in names]
        return [self.ledger_of(target) for target in known if target is not None]

    def _known(self, service: str, name: str) -> Target | None:
        target = self._catalogue.targets.get(self._ids.get((service, name), 0))
        if target is not None and _is(target, service, name):
            return target
        self._ids = {(each.probe.service, each.probe.pool): each.id or 0 for each in self.targets()}
        return self._catalogue.targets.get(self._ids.get((service, name), 0))

    async def _add(self, service: str, name: str) -> Target:
        taken = {target.name for target in self._catalogue.targets.values()}
        keys = {
            "name": _free(f"{service}/{name}", taken),
            "kind": "pool",
            "service": service,
            "pool": name,
            "labels": {"service": service, "pool": name},
        }
        target = await self._catalogue.add(keys)
        self._ids[service, name] = target.id or 0
        return target

    async def _make_room(self, report: PoolReport) -> None:
        """Remove the pools that have been inactive for longest, as many as a report has new ones.

        Raises ConflictError where that cannot be, before anything was removed.
        """
        named = [self._known(report.service, pool.name) for pool in report.pools]
        own = [self.ledger_of(target) for target in named if target is not None]
        new = len(named) - len(own)
        self._demand_room(report, own, new)
        excess = len(self.targets()) + new - MOST_POOLS
        if excess <= 0:
            return
        spared = {ledger.target_id for ledger in own}
        silent = [ledger for ledger in self._inactive() if ledger.target_id not in spared]
        if len(silent) < excess:
            raise ConflictError(f"there are {MOST_POOLS} pools already, and all of them are in use")
        for ledger in silent[:excess]:
            await self._catalogue.remove(ledger.target_id)

    def _inactive(self) -> list[Ledger]:
        """Return the pools that were reported once and may go, those first that have been silent longest."""
        before = self._clock.monotonic() - self.settings.stale_after
        ledgers = [self.ledger_of(target) for target in self.targets() if target.origin is Origin.API]
        silent = [ledger for ledger in ledgers if ledger.heard_at is not None and ledger.heard <= before]
        return sorted(silent, key=lambda ledger: ledger.heard)

    def _demand_room(self, report: PoolReport, ledgers: Sequence[Ledger], more: int = 0) -> None:
        """Make room for a process in its pools, and in so many more that are new.

        Raises ConflictError before anything was taken.
        """
        process, now = report.instance.key, self._clock.monotonic()
        for ledger in ledgers:
            if not ledger.room(process, now):
                text = f"{MOST_MEMBERS} processes report {ledger.service}/{ledger.name} already"
                raise ConflictError(f"{text}; no more are taken until one of them is silent")
        new = sum(process not in ledger.members for ledger in ledgers) + more
        excess = sum(len(ledger.members) for ledger in self.ledgers.values()) + new - MOST_PARTS
        if new and excess > 0:
            self._forget_silent(excess, now)

    def _forget_silent(self, many: int, now: float) -> None:
        silent = sorted(
            (not member.ended, member.heard, member.instance.key, ledger.target_id)
            for ledger in self.ledgers.values()
            for member in ledger.members.values()
            if not member.live(now)
        )
        if len(silent) < many:
            raise ConflictError(f"{MOST_PARTS} parts of pools are reported already; no more are taken")
        for *_, process, target_id in silent[:many]:
            self.ledgers[target_id].forget(process)

    def forget_removed(self) -> None:
        """Drop the ledgers of pools whose target was removed."""
        for target_id in self.ledgers.keys() - self._catalogue.targets.keys():
            del self.ledgers[target_id]

    def targets(self) -> list[Target]:
        """Return the targets that are pools."""
        return [each for each in self._catalogue.targets.values() if isinstance(each.probe, Pool)]

    def demand(self, target_id: int) -> Target:
        """Return the target of a pool. Raises MissingError."""
        target = self._catalogue.get(target_id)
        if not isinstance(target.probe, Pool):
            raise MissingError(f"the target {target_id} is no pool")
        return target

    def ids_of(self, service: str) -> list[int]:
        """Return the targets of a service's pools. Raises MissingError where it has none."""
        targets = self.targets()
        found = [each.id or 0 for each in targets if each.probe.service == service]
        if not found:
            guess = did_you_mean(service, {each.probe.service for each in targets})
            text = f"there is no pool of the service {service[:LONGEST_SHOWN]!r}"
            raise MissingError(f"{text}; {guess.strip()}" if guess else text)
        return found

    def ledger_of(self, target: Target) -> Ledger:
        """Return the ledger of a target that is a pool, a new one where it has none."""
        target_id, probe = target.id or 0, target.probe
        ledger = self.ledgers.get(target_id)
        if ledger is None or (ledger.service, ledger.name) != (probe.service, probe.pool):
            ledger = Ledger(probe.service, probe.pool, target_id, Alerts(self.settings.cooldown))
            self.ledgers[target_id] = ledger
        return ledger

    def _of(self, service: str) -> list[Ledger]:
        return [ledger for ledger in self.ledgers.values() if ledger.service == service]


def _is(target: Target, service: str, name: str) -> bool:
    probe = target.probe
    return isinstance(probe, Pool) and (probe.service, probe.pool) == (service, name)


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
