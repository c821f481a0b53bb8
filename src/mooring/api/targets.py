"""The targets: list, show, add, change, remove."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from pydantic import Field
from starlette.responses import Response

from mooring.api.context import Context, Here
from mooring.api.errors import Refused
from mooring.api.guard import OPERATOR, VIEWER, By, Caller, Guarded
from mooring.api.models import (
    HIGHEST_ID,
    Id,
    NewTargetAnswer,
    Page,
    Request,
    TargetAnswer,
    TargetInput,
    TargetPatch,
)
from mooring.api.permission import refuse_masks, refuse_rerouting, with_secrets
from mooring.api.wire import Json, Responses, bad_cursor, cursor, place
from mooring.core.failure import ConflictError, Problem
from mooring.core.health import Health
from mooring.core.status import Status
from mooring.core.target import Origin, Target
from mooring.engine.own_parts import LABEL
from mooring.engine.unreadable import Unreadable
from mooring.export.json import health_json, time_json
from mooring.probes import Probe
from mooring.targets import keys_of

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["targets"])

TargetId = Annotated[int, Path(ge=1, le=HIGHEST_ID, description="The target's id.")]
IfMatch = Annotated[
    str | None, Header(max_length=200, description='The version this is based on, as in ETag: "3".')
]
TOKEN_BYTES = 24
MOST_IDS = 1000
"""Ids in one filter: about what an address can hold."""
CONFLICT: Responses = {
    409: {"description": "The name is taken, or the target belongs to the configuration file."},
    412: {"description": "Somebody else has changed the target since that version."},
}


class Filter(Request):
    """Which targets. Several of one kind: any of them will do; several labels: all have to be there."""

    id: list[Id] = Field([], max_length=MOST_IDS, description="These alone.")
    status: list[Status] = Field([], max_length=10, description="Where it stands.")
    kind: list[str] = Field([], max_length=100)
    label: list[str] = Field([], max_length=50, description="`team:shop`, or `team` for any value of it.")
    q: str | None = Field(None, max_length=200, description="Text in the name, address or a label.")
    enabled: bool | None = Field(None, description="false: only what is paused.")

    def chosen(self, here: Context) -> Iterator[Target]:
        """Yield the targets that it lets through, by id."""
        catalogue = here.app.catalogue
        wanted = catalogue.targets.keys() & set(self.id) if self.id else catalogue.targets
        for target_id in sorted(wanted):
            target, health = catalogue.targets[target_id], catalogue.health.get(target_id, Health())
            if self._takes(target, health):
                yield target

    def _takes(self, target: Target, health: Health) -> bool:
        ref = target.ref
        if self.status and health.status not in self.status:
            return False
        if self.kind and ref.kind not in self.kind:
            return False
        if self.enabled is not None and target.enabled is not self.enabled:
            return False
        if not all(_labelled(target, label) for label in self.label):
            return False
        text = "\n".join((ref.name, ref.address, *target.labels.keys(), *target.labels.values()))
        return self.q is None or self.q.casefold() in text.casefold()


class ListQuery(Filter):
    """A part of the list of targets."""

    cursor: str | None = Field(None, max_length=200, description="`next` of the part before.")
    limit: int = Field(100, ge=1, le=1000)


@router.get("/targets", response_model=Page[TargetAnswer], openapi_extra=dict(VIEWER))
async def list_targets(here: Here, query: Annotated[ListQuery, Query()]) -> Json:
    """List the targets in the order in which they were added."""
    after = place(query.cursor) or 0
    if not isinstance(after, int):
        raise bad_cursor()
    rest = [target for target in query.chosen(here) if (target.id or 0) > after]
    shown = rest[: query.limit]
    more = cursor(shown[-1].id) if len(rest) > len(shown) else None
    return Json({"items": [target_json(here, each) for each in shown], "next": more})


@router.post(
    "/targets",
    status_code=201,
    response_model=NewTargetAnswer,
    responses={409: {"description": "The name is taken."}},
    openapi_extra=dict(OPERATOR),
)
async def add_target(here: Here, by: By, body: TargetInput) -> Json:
    """Store a target, which is tested at once and from then on."""
    keys = here.opened(body.root)
    keys = here.permissions.resolved(keys, by)
    target = here.app.reader.read(keys)
    here.permissions.demand_kind(target.probe, by)
    refuse_masks(type(target.probe), keys)
    keys |= _minted(target.probe)
    stored = await here.app.catalogue.add(keys)
    place = {"Location": f"{here.base_path}/api/v1/targets/{stored.id}", "ETag": _etag(stored)}
    shown = {**target_json(here, stored), "report_to": _report_to(here, keys)}
    return Json(shown, HTTPStatus.CREATED, place)


@router.get("/targets/{target_id:int}", response_model=TargetAnswer, openapi_extra=dict(VIEWER))
async def show_target(here: Here, target_id: TargetId) -> Json:
    """Show a target and where it stands."""
    target = here.app.catalogue.get(target_id)
    return Json(target_json(here, target), headers={"ETag": _etag(target)})


@router.patch(
    "/targets/{target_id:int}",
    response_model=NewTargetAnswer,
    responses=CONFLICT,
    openapi_extra=dict(OPERATOR),
)
async def change_target(
    here: Here, by: By, target_id: TargetId, body: TargetPatch, if_match: IfMatch = None
) -> Json:
    """Change some keys of a target; the others stay. A push target's token set to null is made anew."""
    sent = dict(body.root)
    seen = sent.pop("version", None)
    stored = None
    while stored is None:
        target = here.app.catalogue.get(target_id)
        version = _version(target, if_match, seen)
        _demand_own(target)
        changes = _edit(here, by, target, sent)
        try:  # only as it was judged: another edit may lead its secret elsewhere
            stored = await here.app.catalogue.edit(target_id, changes, target.version)
        except ConflictError:
            now = here.app.catalogue.get(target_id)
            _demand_version(now, version)
            if now.version == target.version:  # its name is taken, or another process was here
                raise
    made = changes if stored.probe.passive else {}
    shown = {**target_json(here, stored), "report_to": _report_to(here, {"kind": stored.probe.kind, **made})}
    return Json(shown, headers={"ETag": _etag(stored)})


@router.delete(
    "/targets/{target_id:int}",
    status_code=204,
    response_class=Response,
    responses=CONFLICT,
    openapi_extra=dict(OPERATOR),
)
async def remove_target(here: Here, target_id: TargetId, if_match: IfMatch = None) -> Response:
    """Remove a target and its history."""
    target = here.app.catalogue.get(target_id)
    version = _version(target, if_match, None)
    _demand_own(target)
    try:
        await here.app.catalogue.remove(target_id, version)
    except ConflictError:
        _demand_version(here.app.catalogue.get(target_id), version)
        raise
    return Response(status_code=HTTPStatus.NO_CONTENT)


def target_json(here: Context, target: Target) -> dict[str, Any]:
    """Return a target as the API shows it: its keys, masked, and where it stands."""
    health = here.app.catalogue.health.get(target.id or 0, Health())
    return {
        "id": target.id,
        "origin": target.origin.value,
        "version": target.version,
        "changed_at": time_json(target.changed_at),
        "address": target.ref.address,
        "degraded_above": None,
        **keys_of(target),
        "health": {**health_json(health), "checking": target.id in here.app.monitor.checking},
    }


def edited(
    here: Context, by: Caller, target: Target, changes: Mapping[str, Any]
) -> tuple[Target, dict[str, Any]]:
    """Return what a target becomes by these changes, and the changes with its secrets filled in."""
    shown = keys_of(target)
    new = {key: value for key, value in changes.items() if key not in shown or shown[key] != value}
    made = here.permissions.resolved(with_secrets(target, new), by)
    merged = {**keys_of(target, reveal=True), **made}
    wanted = here.app.reader.read({key: value for key, value in merged.items() if value is not None})
    refuse_rerouting(target, wanted, new)
    return wanted, made


def _edit(here: Context, by: Caller, target: Target, changes: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(target.probe, Unreadable) and changes.keys() == {"enabled"}:
        return dict(changes)
    wanted, made = edited(here, by, target, changes)
    if made.keys() - {"enabled", "labels"}:
        here.permissions.demand_kind(wanted.probe, by)
    return made | _minted(wanted.probe)


def _minted(probe: Probe) -> dict[str, Any]:
    """Return a token for a target that reports by itself and has none."""
    if not probe.passive or getattr(probe, "token", "") is not None:
        return {}
    return {"token": secrets.token_urlsafe(TOKEN_BYTES)}


def _report_to(here: Context, keys: Mapping[str, Any]) -> str | None:
    """Return the path that a target reports to; this one answer shows it."""
    token = keys.get("token")
    return f"{here.base_path}/api/v1/push/{token}" if token and keys.get("kind") == "push" else None


def _labelled(target: Target, label: str) -> bool:
    key, colon, value = label.partition(":")
    return key in target.labels and (not colon or target.labels[key] == value)


def _etag(target: Target) -> str:
    return f'"{target.version}"'


def _version(target: Target, if_match: str | None, version: Any) -> int | None:
    """Return the version that the caller has seen, None where they do not say. Refuses a stale one."""
    if version is not None and (not isinstance(version, int) or isinstance(version, bool) or version < 1):
        problems = [Problem("version", "has to be the whole number that the target was shown with")]
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "The request holds mistakes.", errors=problems)
    _demand_version(target, version)
    if if_match is None or if_match.strip() == "*":
        return version
    tags = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    if _etag(target) not in tags:
        raise _stale(target)
    return target.version


def _demand_version(target: Target, version: int | None) -> None:
    if version is not None and target.version != version:
        raise _stale(target)


def _stale(target: Target) -> Refused:
    return Refused(
        HTTPStatus.PRECONDITION_FAILED,
        f"Somebody else has changed {target.name} meanwhile: it is at version {target.version}. "
        "Read it again and repeat the change.",
        headers={"ETag": _etag(target)},
    )


def _demand_own(target: Target) -> None:
    if target.origin is Origin.FILE:
        words = (
            "comes with Mooring itself, and cannot be changed."
            if LABEL in target.labels
            else "belongs to the configuration file: change it there."
        )
        raise Refused(HTTPStatus.CONFLICT, f"{target.name} {words}")
