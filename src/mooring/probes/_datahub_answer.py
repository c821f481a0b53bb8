"""What DataHub answers: JSON, GraphQL with its errors, and what a token says of itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.http import Response

_ERRORS: Mapping[str, tuple[Reason, str, Prose | None]] = {
    "400": (Reason.PROTOCOL, "BAD_REQUEST", None),
    "403": (Reason.PERMISSION, "UNAUTHORIZED", None),
    "404": (Reason.NOT_FOUND, "NOT_FOUND", None),
    "409": (Reason.ASSERTION, "CONFLICT", None),
    "500": (
        Reason.UNAVAILABLE,
        "SERVER_ERROR",
        Prose("GMS answers and fails at this: look at its log, and whether its search index and store run."),
    ),
}
_UNKNOWN = (
    Reason.PROTOCOL,
    "GRAPHQL_ERROR",
    Prose("This DataHub may be older than 0.12, or newer than this Mooring knows."),
)
_PARTS = {"data", "errors"}


def json_of(response: Response) -> Mapping[str, Any]:
    """Return the object that the body is. Raises CheckError(protocol) for a page or anything else."""
    body = response.plain_body()
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        return document
    if body.lstrip()[:1] == b"<":
        raise CheckError(
            Reason.PROTOCOL,
            Prose("the answer is a page for people, expected JSON"),
            code="HTML_NOT_JSON",
            hint=Prose(
                "DataHub's front end answers so on any path that it does not know: leave the path out, "
                "or write the address of GMS."
            ),
        )
    raise CheckError(
        Reason.PROTOCOL,
        f"the answer is not DataHub's: it begins with {cut(repr(body[:200]))}",
        code="NOT_DATAHUB",
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What GraphQL answers. A field that fails is null and has its error; the others are there still."""

    data: Mapping[str, Any]
    errors: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, response: Response) -> Answer:
        """Read an answer. Raises CheckError(protocol) where it is none."""
        document = json_of(response)
        errors = document.get("errors") or []
        data = document.get("data") or {}
        if not (isinstance(data, dict) and isinstance(errors, list)) or not document.keys() & _PARTS:
            raise CheckError(
                Reason.PROTOCOL, Prose("the answer is JSON, but not GraphQL's"), code="NOT_GRAPHQL"
            )
        return cls(data, [error for error in errors if isinstance(error, dict)])

    def refuses(self, field: str) -> bool:
        """Whether the token may not ask for this field."""
        forbidden = (403, "UNAUTHORIZED")
        return any(
            extensions.get("code") in forbidden or extensions.get("type") in forbidden
            for extensions in map(_extensions, self._errors_of(field))
        )

    def part(self, field: str) -> Mapping[str, Any]:
        """Return what a field holds. Raises CheckError for its error."""
        for error in self._errors_of(field):
            reason, code, hint = _ERRORS.get(str(_extensions(error).get("code")), _UNKNOWN)
            text = f"GraphQL answers at {field}: {cut(str(error.get('message')))}"
            raise CheckError(reason, text, code=code, hint=hint)
        held = self.data.get(field)
        if not isinstance(held, dict):
            text = Prose("GraphQL answers nothing at {field}, and no error", field=field)
            raise CheckError(Reason.PROTOCOL, text, code="NO_DATA", hint=_UNKNOWN[2])
        return held

    def count(self, field: str) -> int:
        """Return the total of a list. Raises CheckError for its error, or where it has none."""
        total = self.part(field).get("total")
        if not isinstance(total, int):
            text = Prose("GraphQL answers no total at {field}", field=field)
            raise CheckError(Reason.PROTOCOL, text, code="NO_DATA", hint=_UNKNOWN[2])
        return total

    def _errors_of(self, field: str) -> list[Mapping[str, Any]]:
        """Return the errors of a field, and those of no field in particular."""
        return [error for error in self.errors if _concerns(error, field)]


def _concerns(error: Mapping[str, Any], field: str) -> bool:
    path = error.get("path")
    return not (isinstance(path, list) and path) or path[0] == field


def _extensions(error: Mapping[str, Any]) -> Mapping[str, Any]:
    held = error.get("extensions")
    return held if isinstance(held, dict) else {}


def found(node: Any, *path: str) -> Any:
    """Return what stands at a path of keys; None where it ends before."""
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of itself, `actor` by name. Nothing is verified: only DataHub holds the key."""

    readable: bool = False
    actor: str | None = None
    expires: datetime | None = None

    @classmethod
    def of(cls, token: str | None) -> Claims:
        """Read a token, which is a JWT where DataHub made it."""
        try:
            payload = (token or "").split(".")[1]
            held = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            actor = held.get("actorId") or held.get("sub")
            until = None if held.get("exp") is None else datetime.fromtimestamp(float(held["exp"]), UTC)
        except (ValueError, LookupError, AttributeError, TypeError, OverflowError, OSError):
            return cls()
        return cls(True, None if actor is None else str(actor), until)

    def days_left(self, now: datetime) -> float:
        """Return days until it expires, negative where it has; without end where it never does."""
        return inf if self.expires is None else (self.expires - now).total_seconds() / 86400
