"""google-auth in a thread, whose every request is sent by our own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import google.auth
from google.auth import exceptions, transport
from google.oauth2 import service_account
from pydantic import SecretStr

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.http import Response, fetch
from mooring.net.http_request import Place, Request
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._google_key import ACCOUNT, demand_key
from mooring.probes._google_refused import KEY_FILE, LATER, LOOK_UP, WAY, no_credentials, no_token, unreached
from mooring.probes._http import refusal, spoken

SCOPE = "https://www.googleapis.com/auth/cloud-healthcare"
SHARE_OF_TIME = 0.9
"""Part of the time left for a token, so that a silent token host is told as that."""
METADATA = ("169.254.169.254", "metadata.google.internal")


class Token(NamedTuple):
    """An access token, the headers that carry it, and whose it is, as far as that is known."""

    text: str
    headers: tuple[tuple[str, str], ...]
    account: str | None


async def token(
    trail: Trail, key: SecretStr | None, path: str | None, tls: TLSSettings, skew: float
) -> Token:
    """Get an access token. Raises CheckError, or what google-auth raises and `_google_refused` knows."""
    errand = _Errand(trail, replace(tls, pin=None, cert=None, key=None, server_name=None))
    try:
        async with asyncio.timeout(trail.remaining * SHARE_OF_TIME):
            return await trail.in_thread(lambda: _obtained(errand, key, path, skew))
    except TimeoutError as error:
        raise CheckError(
            Reason.TIMEOUT,
            Prose("{host}, where tokens come from, does not answer in time", host=errand.host),
            code="TOKEN_TIMEOUT",
            hint=WAY,
        ) from error
    finally:
        errand.end()


def _obtained(errand: _Errand, key: SecretStr | None, path: str | None, skew: float) -> Token:
    """Get a token, in a thread."""
    if key is None and path is None:
        credentials: Any
        credentials, _ = google.auth.default(scopes=[SCOPE], request=errand)
        errand.found = True
    else:
        given = _read(path) if path is not None else json.loads((key or SecretStr("")).get_secret_value())
        credentials = _credentials(given)
    try:
        credentials.refresh(errand)
    except exceptions.RefreshError as error:
        raise no_token(error, _account(credentials), skew) from error
    headers: dict[str, str] = {}
    credentials.apply(headers)
    return Token(str(credentials.token), tuple(headers.items()), _account(credentials))


def _account(credentials: Any) -> str | None:
    """Return whose credentials these are, where they say so."""
    for name in ("service_account_email", "account"):
        value = getattr(credentials, name, None)
        if value and value != "default":
            return str(value)
    return None


def _credentials(key: Mapping[str, Any]) -> Any:
    make: Any = service_account.Credentials.from_service_account_info
    try:
        return make(key, scopes=[SCOPE])
    except ValueError as error:
        text = Prose("the key's private_key cannot be read: it was cut or changed on its way here")
        hint = Prose("Copy the file as it was downloaded, line breaks as \\n, or make a new key.")
        email = str(key["client_email"])
        fix = LOOK_UP["KEY_MALFORMED"].format(account=email) if ACCOUNT.fullmatch(email) else None
        raise CheckError(Reason.CONFIG, text, code="KEY_MALFORMED", hint=hint, fix=fix) from error


def _read(path: str) -> Mapping[str, Any]:
    try:
        return demand_key(Path(path).read_text("utf-8"))
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
        raise CheckError(Reason.CONFIG, text, code="KEY_FILE", hint=KEY_FILE) from error
    except ValueError as error:
        text = f"{path}: {error}"
        raise CheckError(Reason.CONFIG, text, code="KEY_MALFORMED", hint=KEY_FILE) from error


class _Answer(transport.Response):
    """An answer as google-auth wants it."""

    def __init__(self, response: Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._response.headers}

    @property
    def data(self) -> bytes:
        return self._response.plain_body()


class _Errand(transport.Request):
    """Sends what google-auth asks for, from its thread, until the check is over.

    Whatever goes wrong is raised as it is: google-auth would try again, and sleep in between.
    """

    def __init__(self, trail: Trail, tls: TLSSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._trail = trail
        self._tls = tls
        self._ended = False
        self._sending: Future[Response] | None = None
        self.host = "the machine's metadata server"
        self.found = False

    def end(self) -> None:
        """Let the thread go: nobody waits for it any more."""
        self._ended = True
        if self._sending is not None:
            self._sending.cancel()

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the check's own is the one timeout
        **_: Any,
    ) -> _Answer:
        if self._ended:
            raise TimeoutError
        data = body.encode() if isinstance(body, str) else body
        place = Place.parse(url)
        request = Request(place, method, (), tuple((headers or {}).items()), data, self._tls)
        self._sending = asyncio.run_coroutine_threadsafe(self._send(request), self._loop)
        response = self._sending.result()
        if response.status in transport.DEFAULT_RETRYABLE_STATUS_CODES:
            text = f"{place.authority}, where tokens come from, answers {spoken(response.status)}"
            cause = refusal(response.status, text, logged_in=True).cause
            raise CheckError(cause.reason, text, code=cause.code, hint=LATER)
        return _Answer(response)

    async def _send(self, request: Request) -> Response:
        if request.host not in METADATA:
            self.host = request.place.authority
        try:
            return await fetch(self._trail.aside(), request)
        except Exception as error:
            if not self.found and _is_metadata(request):
                raise no_credentials() from error
            raise unreached(request.place.authority, error) from error


def _is_metadata(request: Request) -> bool:
    return any(name.lower() == "metadata-flavor" for name, _ in request.secrets)
