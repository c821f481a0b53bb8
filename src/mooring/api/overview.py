"""How everything stands, in one answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field
from pydantic_core import to_json
from starlette.responses import Response

from mooring.api.context import Context, Here
from mooring.api.guard import VIEWER, Guarded
from mooring.api.models import Answer, FailureAnswer, MonitoringAnswer, Summary, TransitionAnswer
from mooring.core.health import Health
from mooring.core.status import Status
from mooring.core.target import Origin
from mooring.export.json import count_statuses, seconds_json, time_json

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["overview"])


class OverviewRow(Answer):
    """One target in the overview. Paused ones have the status they had."""

    id: int
    name: str
    kind: str
    address: str
    labels: dict[str, str]
    enabled: bool
    origin: Origin = Field(description="file: not to be edited here.")
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
    latency: list[float | None] = Field(
        description="Mean seconds of a check, oldest first: of each of 24 hours, or of each minute with one, "
        "as long as less than two hours are known."
    )


class Overview(Answer):
    """One status for all, and where each target stands."""

    status: Status = Field(description="The worst of all that are watched; unknown where nothing is.")
    summary: Summary
    targets: list[OverviewRow]
    monitoring: MonitoringAnswer
    history_at: datetime | None = Field(description="When uptime and latencies were read.")
    revision: int = Field(description="The newest commit that is in it; events continue from here.")


class StateEvent(Answer):
    """`state` of `GET /api/v1/events?view=overview`."""

    revision: int
    now: datetime = Field(description="The server's time.")
    status: Status
    summary: Summary
    monitoring: MonitoringAnswer


class RowsEvent(Answer):
    """`rows` of `GET /api/v1/events?view=overview`: what one commit changed, as of now."""

    revision: int = Field(description="Take it over unless it is below the overview's.")
    rows: list[OverviewRow]
    removed: list[int]
    transitions: list[TransitionAnswer]


@router.get("/overview", response_model=Overview, openapi_extra=dict(VIEWER))
async def overview(here: Here) -> Response:
    """Tell how everything stands."""
    past = await here.past.get()
    targets = here.app.catalogue.targets
    here.rows.keep(targets.keys())
    whole = {**standing_json(here), "history_at": time_json(past.at), "revision": here.app.bus.revision}
    rows = rows_json(here, sorted(targets))
    content = to_json(whole)[:-1] + b',"targets":' + rows + b"}"
    return Response(content, media_type="application/json")


def rows_json(here: Context, target_ids: Iterable[int]) -> bytes:
    """Return stored targets as the overview shows them, with the past as it was last read."""
    catalogue, checking, past = here.app.catalogue, here.app.monitor.checking, here.past.told
    rows = []
    for target_id in target_ids:
        health = catalogue.health.get(target_id, _NEW)
        now = b"true" if target_id in checking else b"false"
        row = here.rows.of(target_id, catalogue.targets[target_id], health)
        rows.append(b"{" + b",".join((row, b'"checking":' + now, past.of(target_id))) + b"}")
    return b"[" + b",".join(rows) + b"]"


def standing_json(here: Context) -> dict[str, Any]:
    """Return one status for all, how many there are of each, and whether Mooring itself works."""
    targets, health = here.app.catalogue.targets, here.app.catalogue.health
    watched = [health.get(i, _NEW).status for i, target in targets.items() if target.enabled]
    return {
        "status": worst(watched).value,
        "summary": count_statuses(watched, paused=len(targets) - len(watched)),
        "monitoring": monitoring_json(here),
    }


_NEW = Health()


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of several; unknown where there is none."""
    return max(set(statuses), key=lambda status: status.severity, default=Status.UNKNOWN)


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
