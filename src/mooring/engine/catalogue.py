"""The targets: what is watched, and every change of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from mooring.core.clock import Clock
from mooring.core.event import Commit, TargetChange
from mooring.core.failure import ConflictError, InputError, MissingError, Problem
from mooring.core.health import Health
from mooring.core.target import Origin, Target
from mooring.core.transition import Transition
from mooring.engine.recorder import Recorder
from mooring.engine.roster import Roster, interrupted
from mooring.engine.rows import Rows, merged, truth, written
from mooring.engine.snapshot import everything
from mooring.engine.transaction import Change
from mooring.engine.unreadable import Unreadable
from mooring.store import revisions
from mooring.store import targets as target_rows
from mooring.store import transitions as transition_rows
from mooring.store.store import PATIENCE, Store
from mooring.store.targets import StoredTarget
from mooring.targets import TargetReader, settings_of

Changes = Mapping[int, TargetChange]
EACH = 0.02
"""Seconds more that the store may take for each of many targets: a slow machine needs about 5 ms."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to happen so that the stored targets are the wanted ones."""

    add: tuple[Target, ...] = ()
    change: tuple[Target, ...] = ()
    remove: tuple[Target, ...] = ()
    keep: tuple[Target, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)


class Catalogue:
    """The stored targets and where each stands. Belongs to one event loop.

    Changes raise InputError, ConflictError, MissingError or StoreError, and then nothing has changed.
    `changed` is called with what was changed, after it is committed and in effect.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        recorder: Recorder,
        reader: TargetReader,
        rows: Rows,
        clock: Clock,
        changed: Callable[[Changes], None],
    ) -> None:
        self._store = store
        self._roster = roster
        self._recorder = recorder
        self._reader = reader
        self._rows = rows
        self._clock = clock
        self._changed = changed
        self._revision = 0

    @property
    def targets(self) -> Mapping[int, Target]:
        """All targets by id. The mapping lives: copy it before waiting for anything."""
        return self._roster.targets

    @property
    def health(self) -> Mapping[int, Health]:
        """The committed health of all targets by id; the mapping lives."""
        return self._roster.health

    async def load(self) -> None:
        """Read everything from the store. A target that cannot be read is unknown and says why."""
        rows, health, self._revision = await self._store.read(everything)
        for row in rows:
            if row.id is not None:
                self._roster.put(row.id, self._rows.target(row), health.get(row.id, Health()))

    def get(self, target_id: int) -> Target:
        """Return a target. Raises MissingError."""
        if target_id not in self._roster.targets:
            raise MissingError(f"there is no target {target_id}")
        return self._roster.targets[target_id]

    def by_name(self, name: str) -> Target:
        """Return a target. Raises MissingError."""
        for target in self._roster.targets.values():
            if target.name == name:
                return target
        raise MissingError(f"there is no target named {name!r}")

    async def add(self, keys: Mapping[str, Any]) -> Target:
        """Store a new target and return it; its first check begins at once."""
        target = self._reader.read(keys)
        await self._change(lambda conn: [self._insert(conn, target, {**keys, "kind": target.probe.kind})])
        return self.by_name(target.name)

    async def edit(self, target_id: int, changes: Mapping[str, Any], version: int | None = None) -> Target:
        """Change some keys and return the target as it is then; its next check begins at once.

        None takes a key out, so that its default counts. With a version, only that one is changed.
        New settings of the kind begin new streaks and end the calm after rejected logins.
        """
        old = self._editable(target_id)
        row = await self._store.read(lambda conn: target_rows.get(conn, target_id))
        expected = row.version if version is None else version
        if isinstance(old.probe, Unreadable) and changes.keys() == {"enabled"}:
            new = replace(old, enabled=truth("enabled", changes["enabled"], default=True))
            after = replace(row, enabled=new.enabled, updated_at=self._clock.now())  # sealed as it is
        else:
            keys = merged(old, self._keys(row), changes)
            new = replace(self._reader.read(keys), id=target_id)
            after = self._rows.row(new, keys, self._clock.now())
        await self._change(lambda conn: [self._update(conn, old, new, after, expected)])
        return self.get(target_id)

    def _keys(self, row: StoredTarget) -> dict[str, Any]:
        try:
            return self._rows.keys(row)
        except InputError:  # it is being saved anew
            return {"name": row.name, "labels": dict(row.labels), "enabled": row.enabled}

    async def remove(self, target_id: int, version: int | None = None) -> None:
        """Forget a target and all that is known of it."""
        target = self._editable(target_id)
        await self._change(lambda conn: [self._delete(conn, target, version)])

    def plan(
        self,
        wanted: Iterable[Target],
        origin: Origin = Origin.FILE,
        among: Callable[[Target], bool] = lambda _: True,
    ) -> Plan:
        """Return what `apply` would do. Only targets of this origin, and `among` these, change or go.

        Raises InputError where a wanted name is taken by another target.
        """
        by_name = {target.name: target for target in self._roster.targets.values()}
        mine = {name: t for name, t in by_name.items() if t.origin is origin and among(t)}
        wanted = [replace(target, origin=origin) for target in wanted]
        taken = [target.name for target in wanted if target.name in by_name and target.name not in mine]
        if taken:
            raise InputError(
                Problem("name", f"the name {name!r} is taken by a stored target") for name in taken
            )
        pairs = [(target, mine.pop(target.name, None)) for target in wanted]
        return Plan(
            add=tuple(new for new, old in pairs if old is None),
            change=tuple(replace(n, id=o.id, version=o.version) for n, o in pairs if o and not _same(n, o)),
            remove=tuple(mine.values()),
            keep=tuple(old for new, old in pairs if old and _same(new, old)),
        )

    async def apply(
        self,
        wanted: Iterable[Target],
        origin: Origin = Origin.FILE,
        among: Callable[[Target], bool] = lambda _: True,
    ) -> Plan:
        """Make the stored targets of this origin, `among` these, the wanted ones, all in one transaction."""
        plan = self.plan(wanted, origin, among)
        if not plan:
            return plan

        def work(conn: Connection) -> list[_Edit]:
            edits = [self._delete(conn, target, None) for target in plan.remove]
            for new in plan.change:
                row = self._rows.row(new, written(new), self._clock.now())
                edits.append(self._update(conn, self.get(new.id or 0), new, row, None))
            return edits + [self._insert(conn, target, written(target)) for target in plan.add]

        changes = len(plan.add) + len(plan.change) + len(plan.remove)
        await self._change(work, patience=PATIENCE + changes * EACH)
        return plan

    async def refresh(self) -> Changes:
        """Take over what other processes changed in the store; return which targets that were."""
        async with self._recorder.writing:
            if await self._store.read(revisions.of_targets) == self._revision:
                return {}
            before = self._revision
            rows, health, self._revision = await self._store.read(everything)
            changes = self._differences(rows)
            if not changes:
                return changes
            stored = await self._store.read(lambda conn: transition_rows.after_revision(conn, before))
            moved = [each.transition for each in stored if self._is_foreign(each.transition, changes)]
            found = {row.id: row for row in rows if row.id is not None and row.id in changes}
            told = {target_id: health.get(target_id, Health()) for target_id in found}
            self._recorder.forget(told, changes)
            for target_id, row in found.items():
                self._roster.put(target_id, self._rows.target(row), told[target_id])
            for target_id in changes.keys() - told.keys():
                self._roster.drop(target_id)
        self._changed(changes)
        self._recorder.publish(Commit(self._revision, (), moved, told, changes))
        return changes

    def _is_foreign(self, transition: Transition, changes: Changes) -> bool:
        """Whether a stored change of health was made by another process: later than what is known here."""
        known = self._roster.live.get(transition.target_id or 0)
        return transition.target_id in changes and (
            known is None or known.since is None or known.since < transition.at
        )

    def _differences(self, rows: Iterable[StoredTarget]) -> Changes:
        known = {target_id: target.version for target_id, target in self._roster.targets.items()}
        found = {row.id: row.version for row in rows if row.id is not None}
        changes = dict.fromkeys(known.keys() - found.keys(), TargetChange.REMOVED)
        for target_id, version in found.items():
            if target_id not in known:
                changes[target_id] = TargetChange.ADDED
            elif known[target_id] != version:
                changes[target_id] = TargetChange.CHANGED
        return changes

    def _editable(self, target_id: int) -> Target:
        target = self.get(target_id)
        if target.origin is Origin.FILE:
            raise ConflictError(f"{target.name} comes from the configuration file; change it there")
        return target

    async def _change(self, work: Callable[[Connection], list[_Edit]], patience: float = PATIENCE) -> None:
        edits: list[_Edit] = []

        def change(conn: Connection) -> Change:
            edits[:] = work(conn)
            return Change(
                {edit.target_id: edit.what for edit in edits},
                {edit.target_id: edit.health for edit in edits if edit.health is not None},
                tuple(edit.transition for edit in edits if edit.transition is not None),
            )

        def applied(change: Change) -> None:
            for edit in edits:
                self._take(edit)
            self._changed(change.targets)

        await self._recorder.change(change, applied, patience=patience)

    def _take(self, edit: _Edit) -> None:
        if edit.target is None:
            self._roster.drop(edit.target_id)
        elif edit.health is None:
            self._roster.targets[edit.target_id] = edit.target
        else:
            self._roster.put(edit.target_id, edit.target, edit.health)

    def _insert(self, conn: Connection, target: Target, keys: Mapping[str, Any]) -> _Edit:
        stored = target_rows.insert(conn, self._rows.row(target, keys, self._clock.now()))
        target_id = stored.id or 0
        new = replace(target, id=target_id, version=stored.version, changed_at=stored.updated_at)
        return _Edit(target_id, TargetChange.ADDED, new, Health())

    def _update(
        self, conn: Connection, old: Target, new: Target, row: StoredTarget, version: int | None
    ) -> _Edit:
        stored = target_rows.update(conn, row, version)
        target_id, at = stored.id or 0, stored.updated_at
        health, transition = self._roster.live[target_id], None
        if settings_of(new.probe, reveal=True) != settings_of(old.probe, reveal=True):
            health = health._replace(verdicts={}, confirming=None, last=None)
        if old.enabled and not new.enabled:
            health, transition = interrupted(target_id, health._replace(next_check_at=None), at, "paused")
        changed = health if health is not self._roster.live[target_id] else None
        new = replace(new, version=stored.version, changed_at=at)
        return _Edit(target_id, TargetChange.CHANGED, new, changed, transition)

    def _delete(self, conn: Connection, target: Target, version: int | None) -> _Edit:
        target_rows.delete(conn, target.id or 0, version)
        return _Edit(target.id or 0, TargetChange.REMOVED)


@dataclass(frozen=True, slots=True)
class _Edit:
    """What one target becomes; `target` is None where it is gone, `health` where it stays."""

    target_id: int
    what: TargetChange
    target: Target | None = None
    health: Health | None = None
    transition: Transition | None = None


def _same(one: Target, other: Target) -> bool:
    return written(one) == written(other)
