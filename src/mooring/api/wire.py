"""JSON as it goes over the wire, and cursors."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from pydantic_core import to_json
from starlette.responses import Response

from mooring.api.errors import Refused
from mooring.core.failure import Problem

Responses: TypeAlias = dict[int | str, dict[str, Any]]
"""What a route declares of its answers beside the usual one."""


class Json(Response):
    """An answer of plain values, written as they are: the shapes are `export/json.py`'s."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(json_bytes(content), status, dict(headers or {}))


def json_bytes(content: Any) -> bytes:
    """Return plain values as they go over the wire."""
    return to_json(content, inf_nan_mode="null")


def json_list(written: Iterable[bytes]) -> Response:
    """Return the answer of a whole list, whose items were written already: at once it takes too long."""
    return Response(b'{"items":[%b],"next":null}' % b",".join(written), media_type="application/json")


def cursor(place: Any) -> str:
    """Return a place in a list as a word that nobody takes apart."""
    text = json.dumps(place, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place(word: str | None) -> Any:
    """Return the place that a cursor means; None without one. Refuses what `cursor` did not make."""
    if word is None:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    except (ValueError, RecursionError):
        raise bad_cursor() from None


def bad_cursor() -> Refused:
    """Return the refusal of a cursor that was not given out for this list."""
    problem = Problem("cursor", "is none that this list gave out; leave it out to begin at the top")
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "The request holds mistakes.", errors=[problem])
