"""AMQP 0-9-1 over a connection that we dialled: pamqp makes and reads the frames, the rest is here.

aiormq, which stands on pamqp as well, hides the code with which a server refuses a virtual host, and
works in tasks that go on when a check is over.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pamqp import commands, frame
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.common import FieldTable
from pamqp.header import ContentHeader, ProtocolHeader
from pamqp.heartbeat import Heartbeat

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.dial import Stream

CHANNEL = 1
MOST_CHANNELS = 8
LARGEST_FRAME = 131_072
_BEGINNING = 7
_METHOD_FRAME = 1
_CLOSE = struct.Struct(">IHB")
_CLOSINGS = {each.index: each for each in (commands.Connection.Close, commands.Channel.Close)}
_PASSED_OVER = (commands.Connection.Unblocked, ContentHeader, ContentBody, Heartbeat)

F = TypeVar("F", bound=Frame)


class Closed(Exception):  # noqa: N818 - it is what AMQP calls it
    """The server closed the connection or the channel, and says why."""

    def __init__(self, code: int, text: str, *, connection: bool) -> None:
        super().__init__(text)
        self.code = code
        self.connection = connection


class _AnyName:
    """A request whose names are what the server takes: pamqp takes ASCII, and of that not all."""

    def validate(self) -> None:
        """Leave it to the settings, which see to the length."""


class Enter(_AnyName, commands.Connection.Open):
    """Enter a virtual host."""


class DeclareQueue(_AnyName, commands.Queue.Declare):
    """Make a queue or, `passive`, ask for it."""


class DeclareExchange(_AnyName, commands.Exchange.Declare):
    """Make an exchange or, `passive`, ask for it."""


class Consume(_AnyName, commands.Basic.Consume):
    """Be given what a queue gets."""


class Publish(_AnyName, commands.Basic.Publish):
    """Send to an exchange."""


class Amqp:
    """One connection with one channel, which is opened anew after the server closed it."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.server: FieldTable = {}
        self._channel_open = False

    async def greet(self) -> str:
        """Say what we speak, and return the ways to log in that the server offers."""
        await self.stream.ask(ProtocolHeader().marshal())
        beginning = await self.stream.reader.readexactly(_BEGINNING)
        _demand_amqp(beginning)
        start = _demand(await self._frame(beginning), commands.Connection.Start)
        self.server = start.server_properties or {}
        return str(start.mechanisms)

    async def log_in(self, mechanism: str, response: str, name: str) -> None:
        """Log in. Raises Closed where the login is refused."""
        known_as: FieldTable = {
            "product": "Mooring",
            "connection_name": name,
            "capabilities": {"authentication_failure_close": True, "connection.blocked": True},
        }
        request = commands.Connection.StartOk(known_as, mechanism, response)
        tune = await self._tuned(request)
        answer = commands.Connection.TuneOk(
            min(tune.channel_max or MOST_CHANNELS, MOST_CHANNELS),
            min(tune.frame_max or LARGEST_FRAME, LARGEST_FRAME),
            0,  # no heartbeats: a check ends, and a link pings
        )
        await self._send(answer, 0)

    async def _tuned(self, request: commands.Connection.StartOk) -> commands.Connection.Tune:
        try:
            return await self._ask(request, commands.Connection.Tune, 0)
        except EOFError:
            if self._says_why:
                raise
            raise _hung_up() from None

    @property
    def _says_why(self) -> bool:
        """Whether the server refuses a login in words; without them, hanging up is the refusal."""
        able = self.server.get("capabilities")
        return isinstance(able, dict) and bool(able.get("authentication_failure_close"))

    async def enter(self, vhost: str) -> None:
        """Enter a virtual host. Raises Closed where it is refused."""
        await self._ask(Enter(vhost), commands.Connection.OpenOk, 0)
        await self.open_channel()

    async def ask(self, request: Frame, answer: type[F]) -> F:
        """Ask on the channel. Raises Closed where the server refuses; the connection goes on then."""
        await self.open_channel()
        return await self._ask(request, answer, CHANNEL)

    async def open_channel(self) -> None:
        """Open the channel if it is not."""
        if not self._channel_open:
            await self._ask(commands.Channel.Open(), commands.Channel.OpenOk, CHANNEL)
            self._channel_open = True

    async def publish(
        self, exchange: str, routing_key: str, properties: commands.Basic.Properties
    ) -> commands.Basic.Return:
        """Publish an empty message that has to come back, since no queue is to get it. Raises Closed."""
        await self.open_channel()
        await self._send(Publish(exchange=exchange, routing_key=routing_key, mandatory=True))
        await self._send(ContentHeader(body_size=0, properties=properties))
        returned = _demand(await self._method(), commands.Basic.Return)
        await self._frame()  # the message's header, which follows
        return returned

    async def close(self) -> None:
        """Take leave."""
        await self._ask(commands.Connection.Close(200, "", 0, 0), commands.Connection.CloseOk, 0)

    async def _ask(self, request: Frame, answer: type[F], channel: int) -> F:
        await self._send(request, channel)
        return _demand(await self._method(), answer)

    async def _send(self, request: Frame | ContentHeader, channel: int = CHANNEL) -> None:
        await self.stream.ask(frame.marshal(request, channel))

    async def _method(self) -> object:
        """Return the next frame that is none of the server's announcements."""
        while True:
            found = await self._frame()
            if isinstance(found, commands.Connection.Close):
                raise Closed(found.reply_code or 0, found.reply_text or "", connection=True)
            if isinstance(found, commands.Channel.Close):
                self._channel_open = False
                await self._send(commands.Channel.CloseOk())
                raise Closed(found.reply_code or 0, found.reply_text or "", connection=False)
            if isinstance(found, commands.Connection.Blocked):
                raise _blocked(found.reason or "")
            if not isinstance(found, _PASSED_OVER):
                return found

    async def _frame(self, beginning: bytes | None = None) -> object:
        read = self.stream.reader.readexactly
        beginning = beginning or await read(_BEGINNING)
        _, _, size = frame.frame_parts(beginning)
        if size is None or size > LARGEST_FRAME:
            raise _nonsense(Prose("a frame is larger than agreed"))
        whole = beginning + await read(size + 1)
        return _closing(whole) or frame.unmarshal(whole)[2]


def _closing(whole: bytes) -> Frame | None:
    """Read why something is closed; RabbitMQ cuts long words short in the middle of a letter."""
    if len(whole) < _BEGINNING + _CLOSE.size:
        return None
    index, code, size = _CLOSE.unpack_from(whole, _BEGINNING)
    closing = _CLOSINGS.get(index) if whole[0] == _METHOD_FRAME else None
    text = whole[_BEGINNING + _CLOSE.size :][:size].decode(errors="ignore")
    return closing(code, text) if closing else None


def _demand_amqp(beginning: bytes) -> None:
    if beginning.startswith(b"AMQP"):
        raise CheckError(
            Reason.PROTOCOL,
            Prose("the server speaks another version of AMQP, not 0-9-1"),
            code="AMQP_VERSION",
            hint=Prose("Use the address of a broker, or of its plug-in, that speaks AMQP 0-9-1."),
        )
    if beginning[0] != _METHOD_FRAME:
        raise CheckError(Reason.PROTOCOL, Prose("the answer is not AMQP"), code="NOT_AMQP")


def _demand(found: object, wanted: type[F]) -> F:
    if not isinstance(found, wanted):
        raise _nonsense(Prose("{found} is no answer here", found=type(found).__name__))
    return found


def _nonsense(what: Prose) -> CheckError:
    return CheckError(Reason.PROTOCOL, what, code="UNREADABLE")


def _hung_up() -> CheckError:
    return CheckError(
        Reason.AUTH,
        Prose("the server hangs up on the login"),
        code="LOGIN_DROPPED",
        hint=Prose("It says no more, as AMQP has it: compare user and password with its own."),
    )


def _blocked(reason: str) -> CheckError:
    return CheckError(
        Reason.UNAVAILABLE,
        Prose("the server takes no messages from anybody: {reason}", reason=reason or "resource alarm"),
        code="RESOURCE_ALARM",
        hint=Prose("It is out of memory or disk space: have messages consumed, or give it more of either."),
        fix="rabbitmq-diagnostics alarms",
    )


async def refusal(asking: Callable[[], Awaitable[object]]) -> Closed | None:
    """Return how the server refuses on the channel, None where it does not."""
    try:
        await asking()
    except Closed as closed:
        if closed.connection:
            raise
        return closed
    return None
