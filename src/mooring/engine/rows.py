"""Targets to sealed rows and back."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mooring.core.failure import InputError, Problem
from mooring.core.target import Target
from mooring.engine.unreadable import Unreadable
from mooring.store.seal import Seal
from mooring.store.targets import StoredTarget
from mooring.targets import TargetReader, keys_of

log = logging.getLogger(__name__)


class Rows:
    """Writes targets as rows and reads them back. The key in `seal` is needed for both."""

    def __init__(self, reader: TargetReader, seal: Seal) -> None:
        self._reader = reader
        self._seal = seal

    def row(self, target: Target, keys: Mapping[str, Any], at: datetime) -> StoredTarget:
        """Return a target's row. `keys` are what was written of it: what was left out stays a default."""
        ref = target.ref
        return StoredTarget(
            name=ref.name,
            kind=ref.kind,
            address=ref.address,
            settings=self._seal.seal(json.dumps(dict(keys), ensure_ascii=False)),
            updated_at=at,
            labels=target.labels,
            enabled=target.enabled,
            origin=target.origin,
            version=target.version,
            id=target.id,
        )

    def keys(self, row: StoredTarget) -> dict[str, Any]:
        """Return what was written of a target. Raises InputError where it cannot be unsealed or read."""
        try:
            keys = json.loads(self._seal.unseal(row.settings))
        except ValueError:
            keys = None
        if not isinstance(keys, dict):
            raise InputError([Problem("settings", "the stored settings are damaged")])
        if keys.get("enabled", True) != row.enabled:  # changed while they could not be read
            keys["enabled"] = row.enabled
        return keys

    def target(self, row: StoredTarget) -> Target:
        """Return the target of a row; where it cannot be read, one that says so when it is checked."""
        try:
            target = self._reader.read(self.keys(row), origin=row.origin)
        except InputError as error:
            log.warning("the target %s cannot be read: %s", row.name, error)
            probe = Unreadable.because(error, row.kind, row.address)
            target = Target(name=row.name, probe=probe, origin=row.origin)
        return replace(
            target,
            id=row.id,
            name=row.name,
            labels=row.labels,
            enabled=row.enabled,
            version=row.version,
            changed_at=row.updated_at,
        )


def written(target: Target) -> dict[str, Any]:
    """Return a target's keys with its secrets, to be sealed or compared."""
    return keys_of(target, reveal=True)


def truth(field: str, value: Any, *, default: bool) -> bool:
    """Return a value that has to be true, false or, for the default, None. Raises InputError."""
    if value is None or isinstance(value, bool):
        return default if value is None else value
    raise InputError([Problem(field, "has to be true or false")])


def merged(target: Target, keys: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a target's keys with changes. None takes a key out; a secret masked as it is shown stays."""
    shown = keys_of(target)
    after = dict(keys)
    for key, value in changes.items():
        if value is None:
            after.pop(key, None)
        elif key not in keys or value != shown.get(key):
            after[key] = value
    return after
