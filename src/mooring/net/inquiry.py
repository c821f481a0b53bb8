"""What a peer speaks that did not understand us, asked on a second connection to the same address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from mooring.core.failure import CheckError
from mooring.net.handshake import HANDSHAKE_CUT, explain
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail

T = TypeVar("T")

ASIDE = 0.5
"""Seconds for the second connection."""
SHARE_OF_HANDSHAKE = 0.9
"""Part of the time left in which a handshake has to be answered; the rest is for why it is not."""
_SHARE_OF_ASIDE = 0.75
_ALERT, _HANDSHAKE = b"\x15\x03", b"\x16\x03"
_SERVER_HELLO = 2
_BEGINNING = 6
"""Bytes until that which tells a server's hello from our own, sent back by an echo."""
_BAD_REQUEST = b" 400 "
"""How web servers answer plain text on a port with TLS, in plain text."""
_STATUS_LINE = 16


class NoTLSError(ssl.SSLError):
    """The peer answered a handshake not at all, and plain text in plain text: as OpenSSL would tell it."""

    reason = "WRONG_VERSION_NUMBER"


def is_unanswered(error: Exception) -> bool:
    """Whether a handshake failed without a word of the peer's."""
    if isinstance(error, CheckError):
        return error.cause.code == HANDSHAKE_CUT.code
    if isinstance(error, ssl.SSLError):
        return explain(error).code == HANDSHAKE_CUT.code
    return isinstance(error, TimeoutError)


@asynccontextmanager
async def shaken(trail: Trail, address: str, port: int, plain: bytes) -> AsyncIterator[None]:
    """Tell a handshake that gets no answer, or is hung up on, as NoTLSError where `plain` gets one.

    Goes around the handshake. Without such words, which hold no secret, nothing is asked besides.
    """
    try:
        async with asyncio.timeout(trail.remaining * SHARE_OF_HANDSHAKE if plain else None):
            yield
    except (OSError, CheckError) as error:
        if plain and is_unanswered(error) and await in_time(trail, _hears(trail, address, port, plain)):
            raise NoTLSError from error
        raise


async def speaks_tls(trail: Trail, address: str, port: int, host: str) -> bool:
    """Whether the peer answers the beginning of a handshake as TLS does."""
    return bool(await in_time(trail, _begins(trail, address, port, host)))


async def in_time(trail: Trail, question: Awaitable[T]) -> T | None:
    """Return what is found out besides; None where the peer does not tell, or not soon."""
    with suppress(OSError, EOFError, ValueError, CheckError):
        async with asyncio.timeout(min(ASIDE, trail.remaining * _SHARE_OF_ASIDE)):
            return await question
    return None


async def _begins(trail: Trail, address: str, port: int, host: str) -> bool:
    ours = ssl.MemoryBIO()
    connection = trail.net.tls.get(TLSSettings(verify=False)).wrap_bio(ssl.MemoryBIO(), ours, False, host)
    with suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    async with _asked(trail, address, port, ours.read()) as reader:
        answer = await reader.readexactly(_BEGINNING)
    return answer.startswith(_ALERT) or (answer[:2], answer[-1]) == (_HANDSHAKE, _SERVER_HELLO)


async def _hears(trail: Trail, address: str, port: int, plain: bytes) -> bool:
    async with _asked(trail, address, port, plain) as reader:
        answer = await reader.read(_STATUS_LINE)
    return answer[:2] not in (b"", _ALERT, _HANDSHAKE) and _BAD_REQUEST not in answer


@asynccontextmanager
async def _asked(trail: Trail, address: str, port: int, words: bytes) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection(sock=await trail.net.connect([address], port))
    try:
        writer.write(words)
        yield reader
    finally:
        writer.transport.abort()
