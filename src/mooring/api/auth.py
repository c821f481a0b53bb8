"""Who sends a request: a bearer token, a session cookie, or nobody."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from mooring.api.dashboard import ASSETS, is_page, wants_page
from mooring.api.errors import Refused, problem
from mooring.api.guard import CHALLENGE, NOBODY, SIGN_IN, Caller
from mooring.api.keyring import Keyring
from mooring.core.failure import StoreError

COOKIE = "mooring_session"
CSRF = "x-csrf-token"
OPEN = frozenset({"/docs", "/openapi.json", "/livez", "/readyz", "/api/v1/session"})
"""What needs no login: what says so itself, what tells programs how to begin, signing in. So do the
dashboard's page and files, which are the same for everybody and hold nothing of what is watched."""
PUSH = "/api/v1/push/"
SIGNING_IN = ("POST", "/api/v1/session")
"""Done before there is a CSRF token. Other sites cannot send it: JSON takes a preflight, which nothing here
answers."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Authenticate:
    """Puts the caller into the scope, and turns away whoever has no business here before a body is read."""

    def __init__(self, app: ASGIApp, keyring: Keyring, public_paths: Collection[str]) -> None:
        self._app = app
        self._keyring = keyring
        self._public = frozenset(public_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            scope["caller"] = await self._caller(scope)
        except Refused as refused:
            await problem(refused.status_code, refused.detail, (), refused.headers)(scope, receive, send)
        except StoreError as error:
            headers = {"Retry-After": "5"}
            await problem(503, f"The store cannot be used now: {error}", (), headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller | None:
        """Return who calls; None where the path is open to everybody. Raises Refused for the others."""
        path = scope["path"][len(scope["root_path"]) :] or "/"
        if path.startswith(PUSH):
            return None  # its token is its login; whatever else a browser sends along is not looked at
        is_open = path in OPEN or path.startswith(ASSETS) or is_page(path)
        public = path in self._public and scope["method"] in _SAFE
        try:
            caller = await identify(scope, self._keyring)
        except Refused:
            if not (is_open or public or wants_page(scope, path)):
                raise
            caller = None  # a login that has run out does not close what is open
        if caller is not None:
            if (scope["method"], path) != SIGNING_IN:
                demand_csrf(scope, caller)
            return caller
        if is_open:
            return None
        if public:
            return NOBODY
        if wants_page(scope, path):
            return None  # a route that takes a login still says so; nothing there is told by the page
        raise Refused(HTTPStatus.UNAUTHORIZED, SIGN_IN, headers=CHALLENGE)


async def identify(scope: Scope, keyring: Keyring) -> Caller | None:
    """Return whom the request's login belongs to, None where it has none. Raises Refused for a wrong one."""
    headers = Headers(scope=scope)
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise Refused(HTTPStatus.UNAUTHORIZED, SIGN_IN, headers=CHALLENGE)
        return await keyring.by_token(secret.strip(), address(scope))
    cookie = session_cookie(scope)
    return await keyring.by_session(cookie) if cookie else None


async def until_over(scope: Scope, keyring: Keyring, every: float) -> None:
    """Return when the login that a request came with is over: at once where it was taken away here.

    `every`: seconds after which it is looked at anew, for what runs out and what other processes take away.
    """
    while True:
        taken = keyring.taken
        if not await _holds(scope, keyring):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(every):
                await taken.wait()


async def _holds(scope: Scope, keyring: Keyring) -> bool:
    """Whether a request's login is valid. While the store fails, it is."""
    try:
        return scope["caller"] is NOBODY or await identify(scope, keyring) is not None
    except Refused:
        return False
    except StoreError:
        return True


def session_cookie(scope: Scope) -> str | None:
    """Return the session that a request's cookie holds."""
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE) or None


def address(scope: Scope) -> str:
    """Return where a request came from, as far as trusted proxies tell."""
    return str((scope.get("client") or ("", 0))[0])


def demand_csrf(scope: Scope, caller: Caller) -> None:
    """Refuse a change that another site may have made the browser send."""
    if caller.csrf is None or scope["method"] in _SAFE:
        return
    sent = Headers(scope=scope).get(CSRF, "")
    if not hmac.compare_digest(sent.encode(), caller.csrf.encode()):
        words = "With a session, send the header X-CSRF-Token with what GET /api/v1/session gives as csrf."
        raise Refused(HTTPStatus.FORBIDDEN, words)
