"""What Prometheus scrapes."""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

import mooring
from mooring.api.context import Context, Here
from mooring.api.guard import VIEWER, Guarded
from mooring.core.health import Health
from mooring.engine.bus import Bus, Lagged
from mooring.export.pool_metrics import pool_metrics
from mooring.export.prometheus import CONTENT_TYPE, Itself, Tally, exposition

log = logging.getLogger(__name__)
router = APIRouter(route_class=Guarded, tags=["server"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "The metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
    openapi_extra=dict(VIEWER),
)
async def metrics(here: Here) -> Response:
    """Give all targets' and Mooring's own metrics in the Prometheus text format."""
    views = await here.app.pools.views()
    pools = await asyncio.to_thread(lambda: list(pool_metrics(views)))  # 1,000 of them take their time
    catalogue = here.app.catalogue
    watched = [
        (target, catalogue.health.get(target_id, Health()))
        for target_id, target in sorted(catalogue.targets.items())
    ]
    text = exposition(watched, here.tally, _itself(here), pools)
    return Response(text, headers={"content-type": CONTENT_TYPE})


async def count(bus: Bus, tally: Tally) -> None:
    """Count results as they are committed, until cancelled."""
    while not bus.closed:
        with suppress(Lagged):
            async with bus.subscribe() as commits:
                async for commit in commits:
                    for result in commit.results:
                        tally.add(result)


def _itself(here: Context) -> Itself:
    state, recorder = here.app.monitoring, here.app.recorder
    return Itself(
        version=mooring.__version__,
        active=state.active,
        lag=state.lag,
        last_tick=state.last_tick,
        last_write=state.last_write,
        store_works=state.store_error is None,
        backlog=recorder.waiting,
        dropped=recorder.dropped,
        damaged=state.damaged,
        viewers=here.streams,
        process=_process(),
    )


def _process() -> Mapping[str, float]:
    """Return the standard process metrics that this machine can tell."""
    values: dict[str, float] = {"process_cpu_seconds_total": time.process_time()}
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        values["process_resident_memory_bytes"] = pages * resource.getpagesize()
        values["process_open_fds"] = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return values
