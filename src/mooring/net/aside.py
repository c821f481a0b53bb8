"""Why a peer does not answer our first words: asked on a second connection to the same address."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.dial import Stream
from mooring.net.inquiry import ASIDE, in_time, speaks_tls
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail

SHARE_OF_GREETING = 0.8
"""Part of the time left in which who speaks first has to; the rest is for why it does not."""
_MISUNDERSTOOD = frozenset({Reason.PROTOCOL, Reason.TIMEOUT})


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
    try:
        yield
    except ssl.SSLError as error:
        cause: Exception = error
    except Exception as error:
        found: Exception | None = None
        plain = stream.tls is None
        stream.drop()  # some serve one client at a time
        if plain and (isinstance(error, hung_up) or _misunderstood(error)):
            found = await _expectation(trail, stream, port, host, hint)
        elif tls is not None and isinstance(error, hung_up):
            found = await in_time(trail, _refusal(trail, stream.address, port, host, tls))
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


async def _expectation(trail: Trail, stream: Stream, port: int, host: str, hint: Prose) -> CheckError | None:
    """Return the failure of a peer that answers the beginning of a handshake as TLS does."""
    if not await speaks_tls(trail, stream.address, port, host):
        return None
    text = Prose("the port speaks TLS and was asked in plain text")
    return CheckError(Reason.TLS, text, code="TLS_EXPECTED", hint=hint)


async def _refusal(trail: Trail, address: str, port: int, host: str, tls: TLSSettings) -> ssl.SSLError | None:
    """Return the peer's complaint about our certificate, or the lack of one."""
    async with await Stream.over(await trail.net.connect([address], port)) as stream:
        try:
            await stream.start_tls(trail.aside(), tls, host)
            await stream.hear_refusal(ASIDE)
        except ssl.SSLError as error:
            return error
    return None
