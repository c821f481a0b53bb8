"""asyncpg over a connection that was dialled for it. Imported only where the driver is needed."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.dial import Stream
from mooring.probes._answer import Bound
from mooring.probes._postgresql import foreign, senseless
from mooring.probes._scram import MOST_SAID, demand_bearable, rounds_in

_FIRST_WORDS = b"REvN"  # authentication, error, protocol version, notice
_READY = ord("Z")
_LOGIN = ord("R")
_SCRAM = (11).to_bytes(4, "big")  # AuthenticationSASLContinue: the server's first word of SCRAM
_FEWER = Prose("Lower scram_iterations and set the password anew; or something else listens on the port.")
_LENGTH = 4
_HEADER = 1 + _LENGTH


async def connected(stream: Stream, **options: Any) -> asyncpg.Connection:
    """Log in over an open connection. Raises CheckError(protocol) where no PostgreSQL answers.

    From then on an answer of more than a check can want loses the connection, with that as its cause.
    """
    loop = _DialledLoop(stream)
    try:
        return await asyncpg.connect(loop=loop, **options)
    except AttributeError as error:  # asyncpg insists on being told a version
        loop.protocol.abort()  # else it complains on standard error when it is forgotten
        text = Prose("what answers does not say its version as PostgreSQL does")
        raise CheckError(Reason.PROTOCOL, text, code="UNREADABLE") from error
    except Exception:
        if loop.lost:
            raise loop.lost from None
        raise


class _DialledLoop:
    """The running loop, but for connecting: asyncpg gets the connection that stands already.

    asyncpg would dial by itself, and dial again to cancel a query; both are ours to decide. The
    server ends a query that nobody waits for by its `statement_timeout`.
    """

    def __init__(self, stream: Stream) -> None:
        self._loop = asyncio.get_running_loop()
        self._stream = stream  # a writer that nobody holds would close the connection
        self.protocol: Any = None
        self._listener: Listener | None = None

    @property
    def lost(self) -> CheckError | None:
        """Why we hung up, if we did."""
        return None if self._listener is None else self._listener.lost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(self, factory: Any, *_: object, **__: object) -> tuple[Any, Any]:
        if self._listener is not None:
            raise ConnectionAbortedError("the connection was handed over already")
        transport, self.protocol = self._stream.writer.transport, factory()
        answer = Answer()
        self._listener = Listener(answer, transport, self.protocol)
        asking = _Asking(answer, transport)
        self.protocol.connection_made(asking)
        transport.set_protocol(self._listener)
        return asking, self.protocol


class Answer:
    """Follows the lengths of messages: each a byte for its kind, and 32 bits that count themselves.

    An answer ends where the server is ready for the next question. One that says so unasked goes on.
    """

    def __init__(self) -> None:
        self._bound = Bound()
        self._next = 0  # where the next message begins, seen from the next piece's first byte
        self._head = b""  # what came of a header that is not whole, and begins before that byte
        self._login = _Login()
        self.asked = False

    def goes_beyond(self, piece: bytes) -> bool:
        """Whether a message that began before this piece does not end in it."""
        return self._next > len(piece)

    def follow(self, piece: bytes) -> None:
        """Count what begins in this piece. Raises CheckError(protocol) for more than a check can want."""
        if self.goes_beyond(piece):
            self._bound.add()
        at = self._next
        self._login.hear(piece, 0, at)
        while at + _HEADER <= len(piece):
            begin = at + _HEADER
            at += 1 + self._counted(self._head + piece[max(at, 0) : begin])
            self._login.hear(piece, begin, at)
            self._head = b""
        self._head += piece[max(at, 0) :]
        self._next = at - len(piece)

    def _counted(self, head: bytes) -> int:
        size = int.from_bytes(head[1:], "big")
        if size < _LENGTH:
            raise senseless()
        self._bound.add(size)
        if head[0] == _LOGIN:
            self._login.begin(size - _LENGTH)
        if head[0] == _READY and self.asked:
            self.asked = False
            self._bound.begin()
        return size


class _Login:
    """Looks at what the server asks for a login, before asyncpg does all of it at once.

    Rounds of hashing count together, for a server may ask for them again and again.
    """

    def __init__(self) -> None:
        self._missing = 0
        self._said = b""
        self._rounds = 0

    def begin(self, size: int) -> None:
        """Await a request of so many bytes. Raises CheckError(protocol) where that is too long for one."""
        if size > MOST_SAID:
            raise senseless()
        self._missing, self._said = size, b""

    def hear(self, piece: bytes, begin: int, end: int) -> None:
        """Keep this part of a piece, if it is awaited. Raises CheckError(protocol) for too much hashing."""
        if not self._missing:
            return
        part = piece[begin : max(begin, end)]
        self._said += part
        self._missing -= len(part)
        if not self._missing and self._said.startswith(_SCRAM):
            self._rounds += rounds_in(self._said.removeprefix(_SCRAM))
            demand_bearable(self._rounds, _FEWER)


class _Asking:
    """The transport as asyncpg has it: what is written is a question."""

    def __init__(self, answer: Answer, transport: Any) -> None:
        self._answer, self._transport = answer, transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: Any) -> None:
        self._answer.asked = True
        self._transport.write(data)

    def writelines(self, data: Any) -> None:
        self._answer.asked = True
        self._transport.writelines(data)


class Listener(asyncio.Protocol):
    """Listens to what is said to asyncpg, and hangs up where that is no PostgreSQL or without end.

    asyncpg takes any byte for a message's kind and waits for the rest, so that what is no PostgreSQL
    would be told as a broken network. It keeps as much as is announced; and a message in many pieces it
    copies once for each, which is why the pieces of a long one are put together here.
    """

    def __init__(self, answer: Answer, transport: Any, protocol: Any) -> None:
        self._answer, self._transport, self._protocol = answer, transport, protocol
        self._foreign = True
        self._held: list[bytes] = []
        self.lost: CheckError | None = None

    def data_received(self, data: bytes) -> None:
        if self.lost:
            return
        try:
            self._listen(data)
        except CheckError as error:
            self.lost = error
            self._held.clear()
            self._transport.abort()

    def _listen(self, data: bytes) -> None:
        if self._foreign and data[0] not in _FIRST_WORDS:
            raise foreign(data)
        self._foreign = False
        whole = not self._answer.goes_beyond(data)
        self._answer.follow(data)
        self._held.append(data)
        if whole:
            held, self._held = self._held, []
            self._protocol.data_received(b"".join(held))

    def eof_received(self) -> Any:
        return self._protocol.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._protocol.connection_lost(self.lost or error)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()
