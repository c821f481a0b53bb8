"""Addresses in pasted text, with secrets that stay sealed until they are stored."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from mooring.api.context import Here
from mooring.api.guard import OPERATOR, Guarded
from mooring.api.models import Answer, Request
from mooring.api.wire import Json
from mooring.core.redact import masked
from mooring.discover import Found, look

router = APIRouter(prefix="/api/v1", route_class=Guarded, tags=["targets"])


class DiscoverInput(Request):
    """Text that somebody pasted: a list of addresses, an `.env` file, a Compose file."""

    text: str = Field(max_length=1_000_000)


class FoundAnswer(Answer):
    """One address that stands in a text. It can be tested where nothing is missing and there is no note."""

    name: str = Field(description="A name to suggest.")
    kind: str | None = Field(description="Null where this version has none for it.")
    url: str = Field(description="The address as it can be shown, its password masked.")
    source: str = Field(description="Where in the text it stood.")
    missing: list[str] = Field(description="What has to be added before it can be tested.")
    note: str | None = Field(description="Why it cannot be tested as it stands.")
    found: str | None = Field(
        description="Send this as `found`, to POST /api/v1/check or /api/v1/targets, to mean this address "
        "with its secret. It can be opened by this server alone, for an hour."
    )


class DiscoverAnswer(Answer):
    """The addresses found in a text."""

    items: list[FoundAnswer]
    notes: list[str] = Field(
        description="What of the text was passed over: lines without an address, repeated addresses, a "
        "Compose file that could not be read as one."
    )


@router.post("/discover", response_model=DiscoverAnswer, openapi_extra=dict(OPERATOR))
async def find_addresses(here: Here, body: DiscoverInput) -> Json:
    """Find addresses in a list, an `.env` file or a Compose file. Nothing is stored or tested."""
    looked = await asyncio.to_thread(look, body.text, here.app.kinds)
    return Json({"items": [_found(here, each) for each in looked.found], "notes": list(looked.notes)})


def _found(here: Here, found: Found) -> dict[str, Any]:
    url = found.url.get_secret_value()
    usable = found.kind is not None and not found.missing
    return {
        "name": found.name,
        "kind": found.kind,
        "url": masked(url),
        "source": found.source,
        "missing": found.missing,
        "note": found.note,
        "found": here.envelope.close({"kind": found.kind, "url": url}) if usable else None,
    }
