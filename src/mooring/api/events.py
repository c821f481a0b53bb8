"""The event stream: first how everything stands, then what changes, resumable at any revision.

The overview's view of it is made in live.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from mooring.api.auth import until_over
from mooring.api.context import MOST_STREAMS, Context, Here
from mooring.api.errors import Refused
from mooring.api.guard import VIEWER, Guarded
from mooring.api.overview import monitoring_json
from mooring.api.stream import MEDIA_TYPE, Event, EventStream
from mooring.api.targets import target_json
from mooring.core.event import Commit, TargetChange
from mooring.core.failure import Problem
from mooring.engine.bus import Lagged
from mooring.export.json import health_json, result_json, transition_json
from mooring.store import transitions as transition_rows
from mooring.store.transitions import StoredTransition

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["events"])

MOST_REPLAYED = 1000
"""Changes that are told again. Whoever has missed more reads the history."""
LONGEST_REVISION = 19

LastEventId = Annotated[
    str | None,
    Header(
        max_length=LONGEST_REVISION,
        description="The last event's id; browsers send it by themselves.",
    ),
]

View = Annotated[
    Literal["changes", "overview"],
    Query(description="overview: rows as the overview has them, for who shows it; it does not resume."),
]


@router.get(
    "/events",
    response_class=Response,
    responses={
        200: {
            "description": "Events `changes` that were missed, where a last event is named; `snapshot` with "
            "every target; then `changes` as they are committed. `id` is the revision. With "
            "`view=overview`: `state` at once and every 5 s; `rows` for each commit; `lagged` where "
            "some were missed. Read the overview after the first `state`, and again after `lagged`, "
            "and take over all `rows` whose revision is not below the overview's.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        }
    },
    openapi_extra=dict(VIEWER),
)
async def stream_events(
    here: Here, request: HttpRequest, view: View = "changes", last_event_id: LastEventId = None
) -> Response:
    """Stream how everything stands, and every change from then on."""
    seen = _revision(last_event_id)
    if here.streams >= MOST_STREAMS:
        words = f"{MOST_STREAMS} event streams are open already; close one, or try again later."
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, words, headers={"Retry-After": "10"})
    return EventStream(
        _counted(here, _events(here, seen) if view == "changes" else here.live.view()),
        ending=here.ending,
        login=lambda: until_over(request.scope, here.keyring, here.keep_alive),
        keep_alive=here.keep_alive,
    )


async def _counted(here: Context, source: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    here.streams += 1
    try:
        async with contextlib.aclosing(source) as events:
            async for event in events:
                yield event
    finally:
        here.streams -= 1


async def _events(here: Context, seen: int | None) -> AsyncGenerator[Event, None]:
    """Yield events for ever. Whoever reads too slowly for the bus is brought up to date from the store."""
    while not here.app.bus.closed:
        with contextlib.suppress(Lagged):
            async with here.app.bus.subscribe() as commits:
                for event in await _missed(here, seen):
                    yield event
                commits.skip()
                seen = here.app.bus.revision
                yield _snapshot(here, seen)
                async for commit in commits:
                    seen = max(seen, commit.revision)  # what another process did is noticed late
                    yield _changes(here, commit, seen)


async def _missed(here: Context, seen: int | None) -> list[Event]:
    """Return the changes of health since a revision, each revision an event."""
    if seen is None:
        return []
    rows = await here.app.store.read(
        lambda conn: transition_rows.after_revision(conn, seen, MOST_REPLAYED + 1)
    )
    if len(rows) > MOST_REPLAYED:
        return []
    return list(_by_revision(rows))


def _by_revision(rows: Iterable[StoredTransition]) -> Iterator[Event]:
    for revision, group in groupby(rows, key=lambda row: row.revision):
        listed = [transition_json(row.transition) for row in group]
        yield Event("changes", {**_NOTHING, "revision": revision, "transitions": listed}, revision)


_NOTHING: Mapping[str, Any] = {"results": (), "transitions": (), "health": {}, "targets": (), "removed": ()}


def _snapshot(here: Context, revision: int) -> Event:
    targets = [target_json(here, each) for _, each in sorted(here.app.catalogue.targets.items())]
    state = monitoring_json(here)
    return Event("snapshot", {"revision": revision, "targets": targets, "monitoring": state}, revision)


def _changes(here: Context, commit: Commit, revision: int) -> Event:
    known = here.app.catalogue.targets
    removed = [i for i, what in commit.targets.items() if what is TargetChange.REMOVED]
    changed = [known[i] for i in commit.targets if i in known and i not in removed]
    data: dict[str, Any] = {
        "revision": revision,
        "results": [result_json(each) for each in commit.results],
        "transitions": [transition_json(each) for each in commit.transitions],
        "health": {str(i): health_json(each) for i, each in commit.health.items()},
        "targets": [target_json(here, each) for each in changed],
        "removed": removed,
    }
    return Event("changes", data, revision)


def _revision(word: str | None) -> int | None:
    if word is None or word == "":
        return None
    if word.isascii() and word.isdigit():
        return int(word)
    problems = [Problem("Last-Event-ID", "has to be the id of an event of this stream, a whole number")]
    raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "The request holds mistakes.", errors=problems)
