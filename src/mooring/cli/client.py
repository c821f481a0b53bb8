"""A running server's HTTP API, as far as the command line needs it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import quote, urlsplit

from mooring.core.failure import ConflictError, InputError, MissingError, MooringError, Problem
from mooring.core.redact import Redactor

TIMEOUT = 30.0
LARGEST_ANSWER = 64 * 1024 * 1024
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ServerClient:
    """Speaks to one server. Every method blocks, for `TIMEOUT` seconds at the most.

    Raises InputError, ConflictError and MissingError as the server tells them, MooringError where it
    does not answer or refuses the token.
    """

    def __init__(self, url: str, token: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError([Problem("--server", "has to be an address such as http://127.0.0.1:8321")])
        self._url = url.rstrip("/")
        self._token = token
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if parts.hostname in LOOPBACK:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send one request and return the answer's JSON; None where it is empty."""
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  the scheme was checked above
            f"{self._url}/api/v1{path}", data, headers, method=method
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return _json(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise MooringError(f"no answer from {self._shown}: {reason}") from None

    def pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        """Yield every item of a list, page by page."""
        cursor = None
        while True:
            more = f"?limit=1000{f'&cursor={quote(cursor)}' if cursor else ''}"
            page = self.call("GET", f"{path}{more}")
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    @property
    def _shown(self) -> str:
        return Redactor()(self._url)

    def _refused(self, error: urllib.error.HTTPError) -> MooringError:
        told = _problem(error)
        detail = str(told.get("detail") or error.reason)
        problems = [Problem(str(p["field"]), str(p["message"])) for p in told.get("errors") or ()]
        match error.code:
            case HTTPStatus.UNAUTHORIZED:
                return MooringError(f"{self._shown}: {detail} (give a token with --token or MOORING_TOKEN)")
            case HTTPStatus.NOT_FOUND:
                return MissingError(detail)
            case HTTPStatus.CONFLICT | HTTPStatus.PRECONDITION_FAILED:
                return ConflictError(detail)
            case HTTPStatus.BAD_REQUEST | HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.FORBIDDEN if problems:
                return InputError(problems)
        return MooringError(f"{self._shown} answered {error.code}: {detail}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the token would travel along."""

    def redirect_request(self, *_: Any) -> None:
        """Leave the answer as the error that it is."""


def _json(answer: IO[bytes]) -> Any:
    content = answer.read(LARGEST_ANSWER)
    return json.loads(content) if content else None


def _problem(error: urllib.error.HTTPError) -> Mapping[str, Any]:
    try:
        told = _json(error)
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
