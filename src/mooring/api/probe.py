"""`/probe`: a check for each scrape, for a Prometheus that was set up for blackbox_exporter."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from pydantic import Field
from starlette.responses import Response

from mooring.api.checks import unsaved
from mooring.api.context import Context, Here
from mooring.api.guard import OPERATOR, By, Caller, Guarded
from mooring.api.models import Request
from mooring.api.wire import Responses
from mooring.core.failure import MissingError
from mooring.core.result import Trigger
from mooring.core.target import Target
from mooring.export.blackbox import probe_text
from mooring.export.prometheus import CONTENT_TYPE

router = APIRouter(route_class=Guarded, tags=["server"])

MARGIN = 0.5
"""Seconds that are kept of the scrape's timeout for the answer, as blackbox_exporter does."""
SHORTEST = 0.1
ANSWERS: Responses = {
    200: {"description": "What the check found.", "content": {"text/plain": {"schema": {"type": "string"}}}},
    404: {"description": "No target has that name."},
}
ScrapeTimeout = Annotated[
    float | None,
    Header(
        alias="X-Prometheus-Scrape-Timeout-Seconds",
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="Prometheus sends it; the check of an address ends half a second before.",
    ),
]


class ProbeQuery(Request):
    """What to check."""

    target: str = Field(min_length=1, max_length=4096, description="The name of a target, or an address.")
    module: str | None = Field(
        None, max_length=200, description="The kind, where the address does not say it."
    )


@router.get("/probe", response_class=Response, responses=ANSWERS, openapi_extra=dict(OPERATOR))
async def probe(
    here: Here, by: By, query: Annotated[ProbeQuery, Query()], scrape_timeout: ScrapeTimeout = None
) -> Response:
    """Check a target by name or an address, and answer in the Prometheus text format.

    A stored target is checked as by its schedule: failures are confirmed as usual, a running check is
    shared, and its own timeout holds, since what is found counts for its health.
    """
    target = _target(here, by, query)
    timeout = None
    if scrape_timeout is not None and target.id is None:
        timeout = max(SHORTEST, min(target.schedule.timeout, scrape_timeout - MARGIN))
    result = await here.app.monitor.check(target, Trigger.SCHEDULE, timeout=timeout)
    return Response(probe_text(result), headers={"content-type": CONTENT_TYPE})


def _target(here: Context, by: Caller, query: ProbeQuery) -> Target:
    try:
        return here.app.catalogue.by_name(query.target)
    except MissingError:
        if query.module is None and "://" not in query.target:
            raise
    keys: dict[str, Any] = {"url": query.target}
    return unsaved(here, by, keys if query.module is None else {**keys, "kind": query.module})
