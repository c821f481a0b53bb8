"""Targets as the overview shows them, written once for each change."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic_core import to_json

from mooring.core.health import Health
from mooring.core.target import Target
from mooring.export.json import failure_json, seconds_json, time_json


class Rows:
    """Each target's part of the overview as JSON, written again when the target or its health is another.

    Both are values: the same object always says the same.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Target, Health, bytes]] = {}

    def of(self, target_id: int, target: Target, health: Health) -> bytes:
        """Return the inside of a JSON object."""
        known = self._known.get(target_id)
        if known is None or known[0] is not target or known[1] is not health:
            known = self._known[target_id] = target, health, to_json(_row(target, health))[1:-1]
        return known[2]

    def keep(self, target_ids: Collection[int]) -> None:
        """Forget targets that are gone."""
        if len(self._known) > len(target_ids):
            self._known = {i: known for i, known in self._known.items() if i in target_ids}


def _row(target: Target, health: Health) -> dict[str, Any]:
    ref, last = target.ref, health.last
    return {
        "id": ref.id,
        "name": ref.name,
        "kind": ref.kind,
        "address": ref.address,
        "labels": dict(target.labels),
        "enabled": target.enabled,
        "origin": target.origin.value,
        "status": health.status.value,
        "since": time_json(health.since),
        "confirming": health.confirming,
        "failure": failure_json(last.failure) if last else None,
        "warnings": last.observation.warnings if last else (),
        "seconds": seconds_json(last.seconds) if last else None,
        "checked_at": time_json(last.started_at) if last else None,
        "next_check_at": time_json(health.next_check_at),
    }
