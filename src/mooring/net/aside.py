"""Why a peer does not answer our first words: asked on a second connection to the same address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.dial import Stream
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail

ASIDE = 0.5
"""Seconds for the second connection."""
SHARE_OF_GREETING = 0.8
"""Part of the time left in which who speaks first has to; the rest is for why it does not."""
_SHARE_OF_ASIDE = 0.75
_MISUNDERSTOOD = frozenset({Reason.PROTOCOL, Reason.TIMEOUT})
_ALERT, _HANDSHAKE = b"\x15\x03", b"\x16\x03"
_SERVER_HELLO = 2
_BEGINNING = 6
"""Bytes until that which tells a server's hello from our own, sent back by an echo."""

Dial: TypeAlias = Callable[[], Awaitable[Stream]]


@asynccontextmanager
async def first_words(
    trail: Trail,
    stream: Stream,
    host: str,
    tls: TLSSettings | None,
    hint: Prose,
    *,
    hung_up: tuple[type[Exception], ...] = (EOFError, ConnectionError),
) -> AsyncIterator[None]:
    """Tell as a failure of the stage tls what TLS is the cause of, where our first words get no answer.

    Goes around the stage in which they are said. Without TLS the peer may have expected it (`hint` says
    what to write then). With `tls`, that of the handshake before, it may have refused our certificate,
    which in TLS 1.3 it judges after the handshake: who speaks meanwhile is reset.
    """
    port: int = stream.writer.get_extra_info("peername")[1]  # nobody knows it any more once TLS is cut

    async def dialled() -> Stream:
        return await Stream.over(await trail.net.connect([stream.address], port))

    try:
        yield
    except ssl.SSLError as error:
        cause: Exception = error
    except Exception as error:
        found, plain = None, stream.tls is None
        stream.drop()  # some serve one client at a time
        if plain and (isinstance(error, hung_up) or _misunderstood(error)):
            found = await _in_time(trail, _expectation(trail, dialled, host, hint))
        elif tls is not None and isinstance(error, hung_up):
            found = await _in_time(trail, _refusal(trail, dialled, host, tls))
        if found is None:
            raise
        cause = found
    else:
        return
    if trail.failed is not None:
        trail.retract(trail.failed)
    async with trail.stage(Stage.TLS):
        raise cause


def use(secure: str, plain: str) -> Prose:
    """Return the hint to write another scheme."""
    return Prose(
        "Write {secure}:// instead of {plain}://, or use the port without TLS.", secure=secure, plain=plain
    )


def _misunderstood(error: Exception) -> bool:
    return isinstance(error, CheckError) and error.cause.reason in _MISUNDERSTOOD


async def _in_time(trail: Trail, question: Awaitable[Exception | None]) -> Exception | None:
    with suppress(OSError, EOFError, ValueError, CheckError):  # whatever else it does, it does not tell us
        async with asyncio.timeout(min(ASIDE, trail.remaining * _SHARE_OF_ASIDE)):
            return await question
    return None


async def _expectation(trail: Trail, dialled: Dial, host: str, hint: Prose) -> CheckError | None:
    """Return the failure of a peer that answers the beginning of a handshake as TLS does."""
    ours = ssl.MemoryBIO()
    connection = trail.net.tls.get(TLSSettings(verify=False)).wrap_bio(ssl.MemoryBIO(), ours, False, host)
    with suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    async with await dialled() as stream:
        await stream.ask(ours.read())
        answer = await stream.reader.readexactly(_BEGINNING)
    if not answer.startswith(_ALERT) and (answer[:2], answer[-1]) != (_HANDSHAKE, _SERVER_HELLO):
        return None
    text = Prose("the port speaks TLS and was asked in plain text")
    return CheckError(Reason.TLS, text, code="TLS_EXPECTED", hint=hint)


async def _refusal(trail: Trail, dialled: Dial, host: str, tls: TLSSettings) -> ssl.SSLError | None:
    """Return the peer's complaint about our certificate, or the lack of one."""
    async with await dialled() as stream:
        try:
            await stream.start_tls(trail.aside(), tls, host)
            await stream.hear_refusal(ASIDE)
        except ssl.SSLError as error:
            return error
    return None
