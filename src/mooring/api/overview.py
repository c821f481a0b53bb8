"""How everything stands, in one answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from mooring.api.context import Context, Here
from mooring.api.guard import VIEWER, Guarded
from mooring.api.models import Answer, FailureAnswer, MonitoringAnswer, Summary
from mooring.api.wire import Json
from mooring.core.health import Health
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.export.json import count_statuses, failure_json, seconds_json, time_json

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["overview"])


class OverviewRow(Answer):
    """One target in the overview. Paused ones have the status they had."""

    id: int
    name: str
    kind: str
    address: str
    labels: dict[str, str]
    enabled: bool
    status: Status
    since: datetime | None
    checking: bool
    confirming: list[int] | None
    failure: FailureAnswer | None = Field(description="Why the last check failed, and at which stage.")
    warnings: list[str]
    seconds: float | None = Field(description="How long the last check took.")
    checked_at: datetime | None
    next_check_at: datetime | None
    uptime_24h: float | None = Field(description="Share of the known time in which it worked, 0 to 1.")
    latency: list[float | None] = Field(description="Mean seconds of a check, oldest first, over 24 hours.")


class Overview(Answer):
    """One status for all, and where each target stands."""

    status: Status = Field(description="The worst of all that are watched; unknown where nothing is.")
    summary: Summary
    targets: list[OverviewRow]
    monitoring: MonitoringAnswer
    revision: int = Field(description="The newest commit that is in it; events continue from here.")


@router.get("/overview", response_model=Overview, openapi_extra=dict(VIEWER))
async def overview(here: Here) -> Json:
    """Tell how everything stands."""
    past = await here.past.get()
    catalogue = here.app.catalogue
    pairs = [
        (target, catalogue.health.get(target_id, Health()))
        for target_id, target in sorted(catalogue.targets.items())
    ]
    watched = [health.status for target, health in pairs if target.enabled]
    rows = [{**_row(target, health), **past.of(target.id or 0)} for target, health in pairs]
    return Json(
        {
            "status": worst(watched).value,
            "summary": count_statuses(watched, paused=len(pairs) - len(watched)),
            "targets": rows,
            "monitoring": monitoring_json(here),
            "revision": here.app.bus.revision,
        }
    )


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of several; unknown where there is none."""
    return max(statuses, key=lambda status: status.severity, default=Status.UNKNOWN)


def monitoring_json(here: Context) -> dict[str, Any]:
    """Return whether Mooring itself works."""
    state = here.app.monitoring
    return {
        "active": state.active,
        "last_tick": time_json(state.last_tick),
        "lag": seconds_json(state.lag),
        "last_write": time_json(state.last_write),
        "store_error": state.store_error,
    }


def _row(target: Target, health: Health) -> dict[str, Any]:
    ref, last = target.ref, health.last
    return {
        "id": ref.id,
        "name": ref.name,
        "kind": ref.kind,
        "address": ref.address,
        "labels": dict(target.labels),
        "enabled": target.enabled,
        "status": health.status.value,
        "since": time_json(health.since),
        "checking": health.checking,
        "confirming": health.confirming,
        "failure": failure_json(last.failure) if last else None,
        "warnings": last.observation.warnings if last else (),
        "seconds": seconds_json(last.seconds) if last else None,
        "checked_at": time_json(last.started_at) if last else None,
        "next_check_at": time_json(health.next_check_at),
    }
