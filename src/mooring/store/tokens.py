"""Who may use the API. Only hashes are stored: a stolen database opens nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, select

from mooring.core.failure import MissingError
from mooring.store.codes import maybe_moment, micros, moment
from mooring.store.schema import sessions, sign_ins, tokens

PREFIX = "mrg_"
"""Lets people and secret scanners tell what a leaked string is."""
_RANDOM = 32
"""Random bytes of a secret."""
_CODE_LENGTH = 43
"""Characters that these are written with."""
_VALID = tokens.c.revoked_at.is_(None)


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An API token without its secret, which is told once and never stored."""

    id: int
    name: str
    role: str
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredSession:
    """Somebody signed in on the page. `csrf` has to come with every change."""

    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewSession(StoredSession):
    """A session just opened. `secret` is for its cookie, and told this once."""

    secret: str


def create(conn: Connection, name: str, role: str, now: datetime) -> tuple[StoredToken, str]:
    """Store a new token; return it and its secret, which nobody can read again."""
    secret = PREFIX + secrets.token_urlsafe(_RANDOM)
    values = {"hash": _hash(secret), "name": name, "role": role, "created_at": micros(now)}
    key = conn.execute(tokens.insert().values(values).returning(tokens.c.id)).scalar_one()
    return StoredToken(int(key), name, role, now), secret


def find(conn: Connection, secret: str) -> StoredToken | None:
    """Return the valid token of a secret. It is looked up by its hash, so that timing tells nothing."""
    row = conn.execute(select(tokens).where(tokens.c.hash == _hash(secret), _VALID)).one_or_none()
    return None if row is None else _token(row)


def all_tokens(conn: Connection) -> list[StoredToken]:
    """Return the tokens that are not revoked, the oldest first."""
    return [_token(row) for row in conn.execute(select(tokens).where(_VALID).order_by(tokens.c.id))]


def used(conn: Connection, token_id: int, at: datetime) -> None:
    """Note that a token was used."""
    conn.execute(tokens.update().where(tokens.c.id == token_id).values(last_used_at=micros(at)))


def revoke(conn: Connection, token_id: int, now: datetime) -> None:
    """End a token, its sessions and its codes. Raises MissingError where no valid token has that id."""
    this = (tokens.c.id == token_id) & _VALID
    if conn.execute(tokens.update().where(this).values(revoked_at=micros(now))).rowcount == 0:
        raise MissingError(f"there is no token {token_id}")
    for table in (sessions, sign_ins):
        conn.execute(table.delete().where(table.c.token_id == token_id))


def open_session(conn: Connection, token_id: int, now: datetime, until: datetime) -> NewSession:
    """Sign somebody in, in the name of a token."""
    session = NewSession(secrets.token_urlsafe(32), until, secrets.token_urlsafe(32))
    values = {
        "hash": _hash(session.secret),
        "token_id": token_id,
        "csrf": session.csrf,
        "created_at": micros(now),
        "expires_at": micros(until),
    }
    conn.execute(sessions.insert().values(values))
    return session


def find_session(conn: Connection, secret: str, now: datetime) -> tuple[StoredToken, StoredSession] | None:
    """Return the session of a cookie, and its token, while both are valid."""
    row = conn.execute(
        select(tokens, sessions.c.csrf, sessions.c.expires_at)
        .join(tokens, tokens.c.id == sessions.c.token_id)
        .where(sessions.c.hash == _hash(secret), sessions.c.expires_at > micros(now), _VALID)
    ).one_or_none()
    return None if row is None else (_token(row), StoredSession(row.csrf, moment(row.expires_at)))


def close_session(conn: Connection, secret: str) -> None:
    """Sign out. Without such a session nothing happens."""
    conn.execute(sessions.delete().where(sessions.c.hash == _hash(secret)))


def make_code(conn: Connection, token_id: int, until: datetime) -> str:
    """Return a secret that signs in once, in the name of a token."""
    secret = secrets.token_urlsafe(_RANDOM)
    values = {"hash": _hash(secret), "token_id": token_id, "expires_at": micros(until)}
    conn.execute(sign_ins.insert().values(values))
    return secret


def like_code(secret: str) -> bool:
    """Whether this reads like a code, known or not: a token begins with its own mark."""
    return len(secret) == _CODE_LENGTH and not secret.startswith(PREFIX)


def redeem(conn: Connection, secret: str, now: datetime) -> StoredToken | None:
    """Spend a code; return its token, or None where the code is unknown, spent or expired."""
    token_id = conn.execute(
        sign_ins.delete()
        .where(sign_ins.c.hash == _hash(secret), sign_ins.c.expires_at > micros(now))
        .returning(sign_ins.c.token_id)
    ).scalar_one_or_none()
    if token_id is None:
        return None
    row = conn.execute(select(tokens).where(tokens.c.id == token_id, _VALID)).one_or_none()
    return None if row is None else _token(row)


def _hash(secret: str) -> bytes:
    """Return what is stored. A secret of 256 random bits needs no slow hash: there is nothing to guess."""
    return sha256(secret.encode(errors="surrogatepass")).digest()


def _token(row: Row[Any]) -> StoredToken:
    return StoredToken(row.id, row.name, row.role, moment(row.created_at), maybe_moment(row.last_used_at))
