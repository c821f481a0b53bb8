"""Tokens, sessions and one-time codes."""

from __future__ import annotations

import re

import pytest

from mooring.core.failure import MissingError
from mooring.store import tokens
from mooring.store.store import Store
from mooring.store.tokens import StoredSession, StoredToken
from tests.stored import after


async def made(store: Store, name: str = "ci", role: str = "viewer") -> tuple[StoredToken, str]:
    """Store a token."""
    return await store.write(lambda conn: tokens.create(conn, name, role, after()))


async def test_token_is_found_by_its_secret(store: Store) -> None:
    """A secret has 256 random bits behind mrg_, and opens its own token alone."""
    token, secret = await made(store)
    other, _ = await made(store, "other", "admin")
    assert re.fullmatch(r"mrg_[\w-]{43}", secret)
    assert await store.read(lambda conn: tokens.find(conn, secret)) == token
    assert await store.read(tokens.all_tokens) == [token, other]
    assert await store.read(lambda conn: tokens.find(conn, secret + "x")) is None
    assert await store.read(lambda conn: tokens.find(conn, "\ud800")) is None


async def test_token_that_was_used(store: Store) -> None:
    """The last use is told."""
    token, secret = await made(store)
    await store.write(lambda conn: tokens.used(conn, token.id, after(hours=1)))
    found = await store.read(lambda conn: tokens.find(conn, secret))
    assert found is not None
    assert found.last_used_at == after(hours=1)


async def test_token_that_was_revoked(store: Store) -> None:
    """A revoked token, its sessions and its codes open nothing, and it is not listed."""
    token, secret = await made(store)
    session = await store.write(lambda conn: tokens.open_session(conn, token.id, after(), after(days=7)))
    code = await store.write(lambda conn: tokens.make_code(conn, token.id, after(days=1)))
    await store.write(lambda conn: tokens.revoke(conn, token.id, after(hours=1)))
    assert await store.read(lambda conn: tokens.find(conn, secret)) is None
    assert await store.read(lambda conn: tokens.find_session(conn, session.secret, after(hours=2))) is None
    assert await store.write(lambda conn: tokens.redeem(conn, code, after(hours=2))) is None
    assert await store.read(tokens.all_tokens) == []
    with pytest.raises(MissingError) as caught:
        await store.write(lambda conn: tokens.revoke(conn, token.id, after(hours=3)))
    assert str(caught.value) == f"there is no token {token.id}"


async def test_session_lasts_until_its_end(store: Store) -> None:
    """A cookie's secret opens its session until the end, not at it."""
    token, _ = await made(store)
    opened = await store.write(lambda conn: tokens.open_session(conn, token.id, after(), after(hours=1)))
    session = StoredSession(opened.csrf, after(hours=1))
    assert await store.read(lambda conn: tokens.find_session(conn, opened.secret, after(minutes=59))) == (
        token,
        session,
    )
    assert await store.read(lambda conn: tokens.find_session(conn, opened.secret, after(hours=1))) is None
    assert await store.read(lambda conn: tokens.find_session(conn, opened.csrf, after())) is None


async def test_session_that_was_closed(store: Store) -> None:
    """Signing out ends one session, and signing out again is no error."""
    token, _ = await made(store)
    one, two = await store.write(
        lambda conn: [tokens.open_session(conn, token.id, after(), after(hours=1)) for _ in range(2)]
    )
    for _ in range(2):
        await store.write(lambda conn: tokens.close_session(conn, one.secret))
    assert await store.read(lambda conn: tokens.find_session(conn, one.secret, after())) is None
    assert await store.read(lambda conn: tokens.find_session(conn, two.secret, after())) is not None


async def test_code_works_once(store: Store) -> None:
    """A one-time code signs in once, within its time."""
    token, _ = await made(store)
    code, late = await store.write(
        lambda conn: [tokens.make_code(conn, token.id, after(minutes=15)) for _ in range(2)]
    )
    assert await store.write(lambda conn: tokens.redeem(conn, code, after(minutes=1))) == token
    assert await store.write(lambda conn: tokens.redeem(conn, code, after(minutes=2))) is None
    assert await store.write(lambda conn: tokens.redeem(conn, late, after(minutes=15))) is None
