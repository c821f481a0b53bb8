"""Test now: one target, all of them, or one that is not stored yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from mooring.api.context import Context, Here
from mooring.api.guard import OPERATOR, By, Caller, Guarded
from mooring.api.models import CheckInput, ReportAnswer, Request
from mooring.api.permission import refuse_masks
from mooring.api.stream import MEDIA_TYPE, Event, EventStream
from mooring.api.targets import Filter, TargetId, edited
from mooring.api.wire import Json, Responses
from mooring.core.failure import InputError, MissingError, Problem
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageResult
from mooring.core.target import Target
from mooring.export.json import report_json, result_json, stage_json

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["checks"])

STREAMED: Responses = {
    200: {
        "description": "What was found. With `Accept: text/event-stream`: events `began` (a stage runs now), "
        "`stage` (what became of it) and `result`, then `done` with the summary (of several, first `started` "
        "with `total` and `paused`); closing the stream cancels what is still running.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


class Freshness(Request):
    """How new a result has to be."""

    if_older_than: float | None = Field(
        None, ge=0, le=604800, allow_inf_nan=False, description="Seconds: a newer result is not tested again."
    )


class CheckAllQuery(Filter, Freshness):
    """Which targets to test."""


@dataclass(frozen=True, slots=True)
class Round:
    """The checks that one request asked for."""

    here: Context
    targets: tuple[Target, ...]
    trigger: Trigger
    if_older_than: float | None = None
    paused: int | None = None
    """Targets that were left out, where several were asked for."""

    async def results(self, queue: asyncio.Queue[Event | None] | None = None) -> list[CheckResult]:
        """Run them and return their results in order. Cancelling it cancels them."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(each, queue)) for each in self.targets]
        return [result for task in tasks if (result := task.result()) is not None]

    async def _one(self, target: Target, queue: asyncio.Queue[Event | None] | None) -> CheckResult | None:
        def tell(stage: Stage | StageResult) -> None:
            if queue is None:
                return
            of = {"id": target.id, "name": target.name}
            if isinstance(stage, Stage):
                queue.put_nowait(Event("began", {"target": of, "name": stage.value}))
            else:
                queue.put_nowait(Event("stage", {"target": of, **stage_json(stage)}))

        try:
            result = await self.here.app.monitor.check(
                target, self.trigger, if_older_than=self.if_older_than, on_stage=tell
            )
        except MissingError:  # removed meanwhile
            return None
        if queue is not None:
            queue.put_nowait(Event("result", result_json(result)))
        return result

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield how many there are, stages and results as they come, then the summary."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        work = asyncio.create_task(self.results(queue))
        work.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            if self.paused is not None:
                yield Event("started", {"total": len(self.targets), "paused": self.paused})
            while (event := await queue.get()) is not None:
                yield event
            report = report_json(await work, paused=self.paused or 0)
            yield Event("done", {"summary": report["summary"]})
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def answer(self, request: HttpRequest) -> Response:
        """Return all results at the end, or a stream of them where the caller asked for it."""
        if MEDIA_TYPE in request.headers.get("accept", ""):
            return EventStream(self.events(), ending=self.here.ending, keep_alive=self.here.keep_alive)
        return Json(report_json(await self.results(), paused=self.paused or 0))


@router.post(
    "/targets/{target_id:int}/check",
    response_model=ReportAnswer,
    responses=STREAMED,
    openapi_extra=dict(OPERATOR),
)
async def check_target(
    here: Here, by: By, request: HttpRequest, target_id: TargetId, query: Annotated[Freshness, Query()]
) -> Response:
    """Test a target now. A check of it that is running already is shared."""
    target = here.app.catalogue.get(target_id)
    return await Round(here, (target,), _trigger(by), query.if_older_than).answer(request)


@router.post(
    "/targets/check-all", response_model=ReportAnswer, responses=STREAMED, openapi_extra=dict(OPERATOR)
)
async def check_all(
    here: Here, by: By, request: HttpRequest, query: Annotated[CheckAllQuery, Query()]
) -> Response:
    """Test all targets now, or those that the filter lets through; paused ones are left out."""
    chosen = tuple(query.chosen(here))
    running = tuple(target for target in chosen if target.enabled)
    paused = len(chosen) - len(running)
    return await Round(here, running, _trigger(by), query.if_older_than, paused).answer(request)


@router.post(
    "/check",
    response_model=ReportAnswer,
    responses={**STREAMED, 404: {"description": "There is no target of that id."}},
    openapi_extra=dict(OPERATOR),
)
async def check_unsaved(here: Here, by: By, request: HttpRequest, body: CheckInput) -> Response:
    """Test a target that is not stored, or not yet as it is sent. Nothing is kept."""
    return await Round(here, (unsaved(here, by, body.root),), _trigger(by)).answer(request)


def unsaved(here: Context, by: Caller, body: dict[str, Any]) -> Target:
    """Return the target that a body describes, as far as the caller may. Raises InputError and Refused."""
    keys = here.opened(body)
    stored_id = keys.pop("id", None)
    if stored_id is not None:
        if not isinstance(stored_id, int) or isinstance(stored_id, bool):
            raise InputError([Problem("id", "has to be the whole number that is a target's id")])
        stored = here.app.catalogue.get(stored_id)
        target, _ = edited(here, by, stored, keys)
    else:
        named = {"name": "unsaved", **here.permissions.resolved(keys, by)}
        target = here.app.reader.read(named)
        refuse_masks(type(target.probe), keys)
        if "name" not in keys:
            target = here.app.reader.read({**named, "name": target.probe.address[:200] or target.probe.kind})
    here.permissions.demand_kind(target.probe, by)
    return target


def _trigger(by: Caller) -> Trigger:
    """Return whether a person at the page asked, or a program with a token."""
    return Trigger.MANUAL if by.by_cookie else Trigger.API
