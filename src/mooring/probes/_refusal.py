"""Whether a server refuses who we are."""

from __future__ import annotations

import asyncio
import ssl

from mooring.core.failure import CheckError
from mooring.net.dial import dial
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail

LISTEN = 0.5
"""Seconds for a second handshake and for what the server says after it."""


async def refused_certificate(trail: Trail, host: str, port: int, tls: TLSSettings) -> ssl.SSLError | None:
    """Dial once more, listen, and return the server's complaint about our certificate, or None.

    In TLS 1.3 it comes after the handshake. Who speaks before it came is reset, and cannot tell it from
    a broken network; so whoever was reset asks here.
    """
    aside = Trail(trail.net, timeout=trail.remaining)
    try:
        async with asyncio.timeout(LISTEN), await dial(aside, host, port, tls) as stream:
            await stream.reader.read(1)
    except ssl.SSLError as error:
        return error
    except (OSError, CheckError):  # a server that waits for our first word has nothing to say
        return None
    return None
