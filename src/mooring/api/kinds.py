"""The kinds there are, with the schema from which forms are drawn."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from mooring.api.context import Here
from mooring.api.guard import VIEWER, Guarded
from mooring.api.models import Answer, Page
from mooring.api.wire import Json

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["kinds"])


class KindAnswer(Answer):
    """One kind of target."""

    name: str
    title: str
    schemes: list[str] = Field(description="URL schemes that mean this kind.")
    proves: dict[str, str] = Field(description="What each stage proves, in the order they run.")
    defaults: dict[str, float | bool | None] = Field(description="Stand below a target's own keys.")
    extra: str | None = Field(description="The pip extra that brings the driver.")
    local: bool = Field(description="Whether it reads the server's own machine.")
    passive: bool = Field(description="Whether it waits to be told, rather than asks.")
    settings: dict[str, Any] = Field(description="JSON Schema of the kind's settings.")


@router.get("/kinds", response_model=Page[KindAnswer], openapi_extra=dict(VIEWER))
async def list_kinds(here: Here) -> Json:
    """List the kinds."""
    if here.kinds is None:  # the first time this imports every driver there is
        here.kinds = await asyncio.to_thread(lambda: [kind.described() for kind in here.app.kinds.all()])
    return Json({"items": here.kinds, "next": None})
