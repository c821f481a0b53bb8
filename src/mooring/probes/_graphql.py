"""GraphQL over HTTP: a question, and errors that come with a success."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.stage import Stage
from mooring.probes import _expect as expect

CONTENT_TYPE = "application/graphql-response+json"
ACCEPT = f"{CONTENT_TYPE}, application/json;q=0.9"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,59}")


def _as_json(given: Any) -> Any:
    """Take a table as well as JSON, so that both can stand in a configuration file."""
    return json.dumps(given, ensure_ascii=False) if isinstance(given, Mapping) else given


class GraphQL(BaseModel):
    """A GraphQL question, sent by POST."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    query: str = Field(
        min_length=1, max_length=20_000, description="The query.", examples=["{ viewer { name } }"]
    )
    variables: Annotated[SecretStr | None, BeforeValidator(_as_json)] = Field(
        None, description="Its variables, a table or JSON. Kept secret: they may hold a login."
    )
    operation: str | None = Field(None, description="Which operation, where the query holds several.")

    def body(self) -> str:
        """Return the body of the request. Raises ValueError where the variables are no JSON object."""
        parts = [f'"query": {json.dumps(self.query)}']
        if self.variables is not None:
            parts.append(f'"variables": {self.variables.get_secret_value()}')
        if self.operation is not None:
            parts.append(f'"operationName": {json.dumps(self.operation)}')
        return "{" + ", ".join(parts) + "}"


def demand_no_errors(body: bytes, content_type: str, note: str) -> None:
    """Raise CheckError where a GraphQL answer holds errors, whatever its status code was."""
    document = expect.document_of(body, content_type, note)
    if not isinstance(document, dict) or not document.keys() & {"data", "errors"}:
        text = f"the answer is JSON and not GraphQL: it has neither data nor errors{note}"
        hint = Prose("Compare the path with the service's own; /graphql is usual.")
        raise CheckError(Reason.ASSERTION, text, code="NOT_GRAPHQL", hint=hint)
    errors = document.get("errors")
    if errors:
        raise _complaint(errors if isinstance(errors, list) else [errors], note)


def _complaint(errors: list[Any], note: str) -> CheckError:
    """Return the error for the first of these that says what it is, else for the first."""
    known = [(each, code) for each in errors for code in _codes(each) if _plain(code) in _MEANING]
    first, code = known[0] if known else (errors[0], next(_codes(errors[0]), "GRAPHQL_ERROR"))
    reason, stage = _MEANING.get(_plain(code), (Reason.ASSERTION, Stage.FUNCTION))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    text = f"GraphQL answers with an error{_at(first)}: {_said(first)}{more}{note}"
    return CheckError(
        reason, text, code=code, hint=_HINTS.get(_plain(code), _BY_REASON.get(reason)), stage=stage
    )


def _codes(error: Any) -> Iterator[str]:
    """Yield what an error calls itself: in extensions.code, by Spring's and by GitHub's custom."""
    if not isinstance(error, Mapping):
        return
    extensions = error.get("extensions")
    given = extensions if isinstance(extensions, Mapping) else {}
    for code in (given.get("code"), given.get("classification"), error.get("type")):
        if isinstance(code, str) and _CODE.fullmatch(code):
            yield code


def _plain(code: str) -> str:
    return code.upper().replace("-", "_").removeprefix("AUTH_")


def _said(error: Any) -> str:
    words = error.get("message") if isinstance(error, Mapping) else error
    return cut(" ".join(str(words).split()), 500)


def _at(error: Any) -> str:
    path = error.get("path") if isinstance(error, Mapping) else None
    return f" at {cut('.'.join(map(str, path)))}" if isinstance(path, list) and path else ""


_LOGIN = (Reason.AUTH, Stage.AUTH)
_GRANT = (Reason.PERMISSION, Stage.PERMISSION)
_DOWN = (Reason.UNAVAILABLE, Stage.FUNCTION)
_FULL = (Reason.OVERLOADED, Stage.FUNCTION)
_MEANING: Mapping[str, tuple[Reason, Stage]] = {
    **dict.fromkeys(("UNAUTHENTICATED", "NOT_AUTHENTICATED", "INVALID_JWT", "INVALID_TOKEN"), _LOGIN),
    **dict.fromkeys(("FORBIDDEN", "UNAUTHORIZED", "NOT_AUTHORIZED", "ACCESS_DENIED"), _GRANT),
    **dict.fromkeys(("PERMISSION_DENIED", "INSUFFICIENT_SCOPES"), _GRANT),
    **dict.fromkeys(("INTERNAL_SERVER_ERROR", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE"), _DOWN),
    **dict.fromkeys(("RATE_LIMITED", "TOO_MANY_REQUESTS", "THROTTLED"), _FULL),
    "NOT_FOUND": (Reason.NOT_FOUND, Stage.FUNCTION),
}
"""What the codes mean that servers commonly give; case, - and HotChocolate's AUTH_ apart."""
_BY_REASON = {
    Reason.AUTH: Prose(
        "The service answers and knows nobody by this login: compare token or headers with it."
    ),
    Reason.PERMISSION: Prose(
        "The login is known and may not ask for this: give it the right on what is named."
    ),
    Reason.UNAVAILABLE: Prose("The service broke while it answered: look at its log."),
    Reason.OVERLOADED: Prose("The server limits how often it is asked: raise the interval."),
    Reason.ASSERTION: Prose("Errors count, whatever the status code: send the query by hand and compare."),
}
_STALE = Prose("The query does not fit the service's schema: a field was renamed or taken away, or misspelt.")
_HINTS = dict.fromkeys(("GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "VALIDATION_FAILED"), _STALE)
