"""asyncpg over a connection that was dialled for it. Imported only where the driver is needed."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.dial import Stream
from mooring.probes._postgresql import foreign

_FIRST_WORDS = b"REvN"  # authentication, error, protocol version, notice


async def connected(stream: Stream, **options: Any) -> asyncpg.Connection:
    """Log in over an open connection. Raises CheckError(protocol) where no PostgreSQL answers."""
    loop = _DialledLoop(stream)
    try:
        return await asyncpg.connect(loop=loop, **options)
    except AttributeError as error:  # asyncpg insists on being told a version
        half_made: Any = stream.writer.transport.get_protocol()
        half_made.abort()  # else it complains on standard error when it is forgotten
        text = Prose("what answers does not say its version as PostgreSQL does")
        raise CheckError(Reason.PROTOCOL, text, code="UNREADABLE") from error
    except Exception:
        if loop.foreign:
            raise foreign(loop.foreign) from None
        raise


class _DialledLoop:
    """The running loop, but for connecting: asyncpg gets the connection that stands already.

    asyncpg would dial by itself, and dial again to cancel a query; both are ours to decide. The
    server ends a query that nobody waits for by its `statement_timeout`.
    """

    def __init__(self, stream: Stream) -> None:
        self._loop = asyncio.get_running_loop()
        self._stream = stream  # a writer that nobody holds would close the connection
        self._handed_over = False
        self.foreign = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(self, factory: Any, *_: object, **__: object) -> tuple[Any, Any]:
        if self._handed_over:
            raise ConnectionAbortedError("the connection was handed over already")
        self._handed_over = True
        transport, protocol = self._stream.writer.transport, factory()
        protocol.connection_made(transport)
        transport.set_protocol(_FirstWord(self, transport, protocol))
        return transport, protocol


class _FirstWord(asyncio.Protocol):
    """Listens to the first bytes of an answer, then gets out of the way.

    asyncpg takes any byte for a message's kind and waits for the rest, so that what is no PostgreSQL
    would be told as a broken network.
    """

    def __init__(self, loop: _DialledLoop, transport: Any, protocol: Any) -> None:
        self._loop, self._transport, self._protocol = loop, transport, protocol

    def data_received(self, data: bytes) -> None:
        self._transport.set_protocol(self._protocol)
        if data[0] in _FIRST_WORDS:
            self._protocol.data_received(data)
        else:
            self._loop.foreign = data
            self._transport.abort()

    def eof_received(self) -> Any:
        return self._protocol.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._protocol.connection_lost(error)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()
