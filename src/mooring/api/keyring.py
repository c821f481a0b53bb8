"""Tokens and sessions as the API uses them."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus

from sqlalchemy import Connection

from mooring.api.errors import Refused
from mooring.api.guard import CHALLENGE, Caller, Role
from mooring.api.throttle import Throttle
from mooring.core.clock import Clock
from mooring.core.failure import ConflictError, StoreError
from mooring.store import tokens
from mooring.store.store import Store
from mooring.store.tokens import StoredSession, StoredToken

log = logging.getLogger(__name__)

SESSION = timedelta(days=7)
CODE = timedelta(minutes=15)
USED_EVERY = 60.0
"""Seconds between two notes that a token was used."""
REMEMBERED = 1000
PATIENCE = 5.0
"""Seconds that a store may take to say who somebody is, before those seen before are let in without it."""
WRONG = "This token is not known: it is mistyped, or was revoked."
SPENT = (
    "This sign-in address is used up or too old: it works once, within 15 minutes. Sign in with a token; "
    "the first admin's is in the file that Mooring named beside the address."
)
REPORTS_ONLY = "This token can only report pools: it signs nobody in."
ENDED = "The session has ended; sign in again."


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just opened."""

    caller: Caller
    cookie: str


class Keyring:
    """Finds out who holds a token or a session. While the store fails, those seen before are still known."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.taken = asyncio.Event()
        """Set when the next login is taken away: look at it before you look at the login itself."""
        self._store = store
        self._clock = clock
        self._throttle = Throttle(clock)
        self._seen: OrderedDict[bytes, Caller] = OrderedDict()
        self._used: dict[int, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def by_token(self, secret: str, address: str) -> Caller:
        """Return who holds a token. Raises Refused."""
        caller = await self._find(secret, self._of_token)
        if caller is None:
            self.failed(address)
        return self._known(caller, WRONG)

    async def by_session(self, cookie: str) -> Caller:
        """Return who is signed in with a cookie. Raises Refused.

        An ended session is no failed login: a page that stays open sends it again and again, and whoever
        signs in there may mistype their token.
        """
        return self._known(await self._find(cookie, self._of_session), ENDED)

    async def sign_in(self, secret: str, address: str) -> NewSession:
        """Open a session for a token or a one-time code, which is spent by that. Raises Refused."""
        now = self._clock.now()

        def work(conn: Connection) -> tuple[StoredToken, tokens.NewSession] | None:
            token = tokens.find(conn, secret) or tokens.redeem(conn, secret, now)
            if token is not None and token.role == Role.REPORTER:
                raise Refused(HTTPStatus.FORBIDDEN, REPORTS_ONLY)
            return None if token is None else (token, tokens.open_session(conn, token.id, now, now + SESSION))

        made = await self._store.write(work)
        if made is None:
            self.failed(address)
            words = SPENT if tokens.like_code(secret) else WRONG
            raise Refused(HTTPStatus.UNAUTHORIZED, words, headers=CHALLENGE)
        token, session = made
        log.info("%s signed in from %s", token.name, address)
        return NewSession(_signed_in(token, session), session.secret)

    async def sign_out(self, cookie: str) -> None:
        """End a session."""
        self._seen.pop(_key(cookie), None)
        await self._store.write(lambda conn: tokens.close_session(conn, cookie))
        self._took()

    async def tokens(self) -> list[StoredToken]:
        """Return the tokens that are not revoked."""
        return await self._store.read(tokens.all_tokens)

    async def make(
        self, name: str, role: Role, keep: Callable[[str], object] | None = None
    ) -> tuple[StoredToken, str]:
        """Make a token and return it with its secret, which is not kept here.

        `keep`, which may do that, is called before the token counts: where it raises, there is none.
        """
        now = self._clock.now()

        def work(conn: Connection) -> tuple[StoredToken, str]:
            stored, secret = tokens.create(conn, name, role.value, now)
            if keep is not None:
                keep(secret)
            return stored, secret

        return await self._store.write(work)

    async def code(self, token_id: int) -> str:
        """Return a code that signs in as a token once, within `CODE`."""
        until = self._clock.now() + CODE
        return await self._store.write(lambda conn: tokens.make_code(conn, token_id, until))

    async def revoke(self, token_id: int) -> None:
        """Revoke a token and end its sessions. Raises MissingError; ConflictError for the last admin's."""
        now = self._clock.now()

        def work(conn: Connection) -> None:
            admins = [each.id for each in tokens.all_tokens(conn) if each.role == Role.ADMIN]
            if admins == [token_id]:
                raise ConflictError("this is the last admin's token: make another one first")
            tokens.revoke(conn, token_id, now)

        await self._store.write(work)
        self._seen.clear()
        self._took()

    def failed(self, address: str) -> None:
        """Note a login that failed. Raises Refused (429) where there were many from there."""
        wait = self._throttle.failed(address)
        if wait:
            words = f"Too many failed logins; try again in {math.ceil(wait)} s."
            headers = {"Retry-After": str(math.ceil(wait))}
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, words, headers=headers)

    async def close(self) -> None:
        """Wait for what is still being noted."""
        await asyncio.gather(*self._notes, return_exceptions=True)

    def _took(self) -> None:
        """Let what a login holds open look at it anew."""
        taken, self.taken = self.taken, asyncio.Event()
        taken.set()

    def _known(self, caller: Caller | None, words: str) -> Caller:
        if caller is None:
            raise Refused(HTTPStatus.UNAUTHORIZED, words, headers=CHALLENGE)
        self._note_use(caller)
        return caller

    async def _find(self, secret: str, look: Callable[[str], Awaitable[Caller | None]]) -> Caller | None:
        key = _key(secret)
        try:
            caller = await look(secret)
        except StoreError:
            seen = self._seen.get(key)
            if seen is None or (seen.expires_at is not None and seen.expires_at <= self._clock.now()):
                raise
            return seen
        self._seen.pop(key, None)
        if caller is not None:
            self._seen[key] = caller
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return caller

    async def _of_token(self, secret: str) -> Caller | None:
        token = await self._store.read(lambda conn: tokens.find(conn, secret), patience=PATIENCE)
        return None if token is None else Caller(token.name, Role(token.role), token.id)

    async def _of_session(self, cookie: str) -> Caller | None:
        now = self._clock.now()
        found = await self._store.read(lambda conn: tokens.find_session(conn, cookie, now), patience=PATIENCE)
        return None if found is None else _signed_in(*found)

    def _note_use(self, caller: Caller) -> None:
        """Have it noted, at most once a minute, that a token was used; nobody waits for that."""
        token_id, now = caller.token_id, self._clock.monotonic()
        if token_id is None or now - self._used.get(token_id, -math.inf) < USED_EVERY:
            return
        self._used[token_id] = now
        task = asyncio.create_task(self._noted(token_id))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _noted(self, token_id: int) -> None:
        at = self._clock.now()
        try:
            await self._store.write(lambda conn: tokens.used(conn, token_id, at))
        except StoreError:  # a note like this is not worth another try
            self._used.pop(token_id, None)


def _key(secret: str) -> bytes:
    """Return what a secret is remembered by: the secret itself is in memory no longer than its request."""
    return sha256(secret.encode(errors="surrogatepass")).digest()


def _signed_in(token: StoredToken, session: StoredSession | tokens.NewSession) -> Caller:
    return Caller(token.name, Role(token.role), token.id, session.csrf, session.expires_at)
