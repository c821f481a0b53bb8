"""Targets as rows. Their settings are sealed: what they say is not this floor's business."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    select,
)
from sqlalchemy.exc import IntegrityError

from mooring.core.failure import ConflictError, MissingError
from mooring.core.target import Origin
from mooring.store import revisions
from mooring.store.codes import micros, moment
from mooring.store.schema import targets, transitions


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """One target's row. `settings` is sealed; `id` is None until it is stored; `version` counts edits."""

    name: str
    kind: str
    address: str
    settings: str = field(repr=False)
    updated_at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    origin: Origin = Origin.API
    version: int = 1
    id: int | None = None


def insert(conn: Connection, target: StoredTarget) -> StoredTarget:
    """Store a new target and return it with its id. Raises ConflictError where its name is taken.

    Every change of a target takes a revision, by which other processes notice it.
    """
    revisions.next_revision(conn, targets=True)
    target = replace(target, version=1)
    try:
        with conn.begin_nested():
            key = conn.execute(targets.insert().values(_values(target)).returning(targets.c.id)).scalar_one()
    except IntegrityError:
        raise _taken(target.name) from None
    return replace(target, id=int(key))


def update(conn: Connection, target: StoredTarget, expected_version: int | None = None) -> StoredTarget:
    """Replace a target's row and return it with its next version.

    Raises MissingError where there is none, ConflictError where its version is not the expected one
    or its new name is taken.
    """
    revisions.next_revision(conn, targets=True)
    now = _expect(conn, target.id, expected_version)
    after = replace(target, version=now.version + 1)
    try:
        with conn.begin_nested():
            conn.execute(targets.update().where(targets.c.id == target.id).values(_values(after)))
    except IntegrityError:
        raise _taken(target.name) from None
    return after


def delete(conn: Connection, target_id: int, expected_version: int | None = None) -> None:
    """Remove a target and its transitions. Pruning sweeps up the rest later, in small transactions.

    Raises MissingError where there is none, ConflictError where its version is not the expected one.
    """
    revisions.next_revision(conn, targets=True)
    _expect(conn, target_id, expected_version)
    conn.execute(targets.delete().where(targets.c.id == target_id))
    conn.execute(transitions.delete().where(transitions.c.target_id == target_id))


def get(conn: Connection, target_id: int) -> StoredTarget:
    """Return one target. Raises MissingError."""
    row = conn.execute(select(targets).where(targets.c.id == target_id)).one_or_none()
    if row is None:
        raise MissingError(f"there is no target {target_id}")
    return _target(row)


def all_targets(conn: Connection) -> list[StoredTarget]:
    """Return every target in the order of their ids."""
    return [_target(row) for row in conn.execute(select(targets).order_by(targets.c.id))]


def _expect(conn: Connection, target_id: int | None, version: int | None) -> StoredTarget:
    now = get(conn, -1 if target_id is None else target_id)
    if version is not None and now.version != version:
        raise ConflictError(
            f"{now.name} was changed meanwhile: it is at version {now.version}, not {version}"
        )
    return now


def _taken(name: str) -> ConflictError:
    return ConflictError(f"the name {name!r} is taken", "name")


def _values(target: StoredTarget) -> dict[str, Any]:
    return {
        "name": target.name,
        "kind": target.kind,
        "address": target.address,
        "settings": target.settings,
        "labels": json.dumps(dict(target.labels)),
        "enabled": target.enabled,
        "origin": target.origin.value,
        "version": target.version,
        "updated_at": micros(target.updated_at),
    }


def _target(row: Row[Any]) -> StoredTarget:
    return StoredTarget(
        id=row.id,
        name=row.name,
        kind=row.kind,
        address=row.address,
        settings=row.settings,
        labels=json.loads(row.labels),
        enabled=row.enabled,
        origin=Origin(row.origin),
        version=row.version,
        updated_at=moment(row.updated_at),
    )
