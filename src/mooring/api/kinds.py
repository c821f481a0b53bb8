"""The kinds there are, with the schema from which forms are drawn."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from mooring.api.context import Context, Here
from mooring.api.guard import VIEWER, Guarded
from mooring.api.models import Answer, Page
from mooring.api.reasons import reason_json
from mooring.api.wire import Json
from mooring.core.reason import Reason
from mooring.core.status import Status
from mooring.probes._form import readable
from mooring.targets import TargetKeys

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["kinds"])


class KindAnswer(Answer):
    """One kind of target."""

    name: str
    title: str
    schemes: list[str] = Field(description="URL schemes that mean this kind.")
    proves: dict[str, str] = Field(description="What each stage proves, in the order they run.")
    defaults: dict[str, float | bool | None] = Field(
        description="What holds where a target says nothing: the kind's own, else the configuration's."
    )
    extra: str | None = Field(description="The pip extra that brings the driver.")
    local: bool = Field(description="Whether it reads the server's own machine.")
    passive: bool = Field(description="Whether it waits to be told, rather than asks.")
    settings: dict[str, Any] = Field(description="JSON Schema of the kind's settings.")


class ReasonAnswer(Answer):
    """One cause that a failure can have."""

    name: Reason
    meaning: str
    advice: str = Field(description="What to do about it, where the failure itself has no hint.")
    permanent: bool = Field(description="Whether trying again soon cannot help: a person has to act first.")
    status: Status = Field(description="What a check that fails for it makes of its target.")


class KindsAnswer(Page[KindAnswer]):
    """All kinds, and what they have in common: enough to draw every form and to explain every failure."""

    common: dict[str, Any] = Field(
        description="JSON Schema of the keys that every target has beside the settings of its kind."
    )
    reasons: list[ReasonAnswer]


@router.get("/kinds", response_model=KindsAnswer, openapi_extra=dict(VIEWER))
async def list_kinds(here: Here) -> Json:
    """List the kinds. In the schemas `x-more` marks settings that few need."""
    if here.kinds is None:  # the first time this imports every driver there is
        here.kinds = await asyncio.to_thread(_described, here)
    return Json(here.kinds)


def _described(here: Context) -> dict[str, Any]:
    return {
        "items": [
            kind.described() | {"defaults": here.app.reader.defaults_of(kind)}
            for kind in here.app.kinds.all()
        ],
        "next": None,
        "common": common_schema(),
        "reasons": [reason_json(reason) for reason in Reason],
    }


def common_schema() -> dict[str, Any]:
    """Return the JSON Schema of the keys that every target has; the kind is chosen before."""
    schema = readable(TargetKeys.model_json_schema())
    properties = {key: schema["properties"][key] for key in _IN_ORDER}
    return schema | {"title": "Target", "description": "What every target has.", "properties": properties}


_IN_ORDER = (
    "name",
    "interval",
    "timeout",
    "labels",
    "enabled",
    "degraded_above",
    "retry",
    "retry_delay",
    "failures_before_down",
    "successes_before_up",
    "depends_on",
    "regions",
    "quorum",
)
