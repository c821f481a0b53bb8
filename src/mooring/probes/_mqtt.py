"""MQTT 5 and 3.1.1 over a connection that we dialled: as much of it as a check needs."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Mapping

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.dial import Stream

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90
PINGREQ, PINGRESP, DISCONNECT = 0xC0, 0xD0, 0xE0
_SHORTEST = {CONNACK: 2, SUBACK: 3, PUBACK: 2, PINGRESP: 0}
LEVELS = {"3.1.1": 4, "5": 5}
FAILED = 0x80
"""Codes from here on are refusals."""
KEEP_ALIVE = 600
"""Seconds of silence after which the broker may hang up."""
LARGEST_PACKET = 1024 * 1024
MOST_MESSAGES = 10_000
"""Messages of others among which an answer is looked for."""
_IDENTIFIER = 1  # one request at a time
_OLD_CODES = {1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
_BYTES = dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1)
_SIZES = {
    **_BYTES,
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
_TEXTS = frozenset({0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})
_VARIABLE, _PAIR = 0x0B, 0x26
SERVER_REFERENCE, REASON_STRING, MAXIMUM_QOS = 0x1C, 0x1F, 0x24

Properties = Mapping[int, int | bytes]


class Refused(Exception):  # noqa: N818 - brokers refuse, they do not fail
    """The broker refuses, by one of the codes of MQTT 5. `asked` is what of it, in words of ours."""

    def __init__(self, code: int, asked: str, properties: Properties) -> None:
        super().__init__(_text(properties, REASON_STRING))
        self.code = code
        self.asked = asked
        self.elsewhere = _text(properties, SERVER_REFERENCE)


class Mqtt:
    """One connection."""

    def __init__(self, stream: Stream, version: str) -> None:
        self.stream = stream
        self.properties: Properties = {}
        self._level = LEVELS[version]
        self._sent: bytes | None = None
        self._came_back = False

    async def log_in(self, client_id: str, user: str | None, password: str | None) -> None:
        """Log in with a clean session. Raises Refused."""
        flags = 0x02 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
        words = [word for word in (client_id, user, password) if word is not None]
        start = _packed("MQTT") + struct.pack(">BBH", self._level, flags, KEEP_ALIVE)
        await self._send(CONNECT, start + self._no_properties + b"".join(map(_packed, words)))
        _, body = await self._packet(first=True)
        code = _whole(CONNACK, body)[1]
        self.properties = self._read_properties(body[2:])
        if code:
            raise Refused(_OLD_CODES.get(code, code), "connect", self.properties)

    async def subscribe(self, topic: str) -> None:
        """Listen to a topic. Raises Refused."""
        identifier = struct.pack(">H", _IDENTIFIER)
        await self._send(SUBSCRIBE, identifier + self._no_properties + _packed(topic) + b"\0")
        body = await self._answer(SUBACK)
        if body[-1] >= FAILED:
            raise Refused(body[-1], "subscribe", self._read_properties(body[2:]))

    async def publish(self, topic: str, payload: str) -> None:
        """Send a message and wait until the broker has it, if it says so at all. Raises Refused."""
        acknowledged = self.properties.get(MAXIMUM_QOS, 1) != 0
        identifier = struct.pack(">H", _IDENTIFIER) if acknowledged else b""
        self._sent = payload.encode()
        body = _packed(topic) + identifier + self._no_properties + self._sent
        await self._send(PUBLISH | (0x02 if acknowledged else 0), body)
        if acknowledged:
            answer = await self._answer(PUBACK)
            if len(answer) > _SHORTEST[PUBACK] and answer[2] >= FAILED:
                raise Refused(answer[2], "publish", self._read_properties(answer[3:]))

    async def hear(self, within: float) -> bool:
        """Whether what was published comes back, before the broker answers a ping sent `within` seconds."""
        ping = asyncio.get_running_loop().call_later(within, self._write, PINGREQ, b"")
        try:
            for _ in range(MOST_MESSAGES):
                if self._came_back:
                    return True
                kind, body = await self._packet()
                if kind & 0xF0 == PINGRESP:
                    return False
                self._take(kind, body)
        finally:
            ping.cancel()
        raise _drowned()

    async def ping(self) -> None:
        """Have the broker answer."""
        await self._send(PINGREQ, b"")
        await self._answer(PINGRESP)

    async def leave(self) -> None:
        """Take leave; the broker says nothing to that."""
        await self._send(DISCONNECT, b"")

    @property
    def _no_properties(self) -> bytes:
        return b"\0" if self._level == LEVELS["5"] else b""

    async def _send(self, kind: int, body: bytes) -> None:
        self._write(kind, body)
        await self.stream.writer.drain()

    def _write(self, kind: int, body: bytes) -> None:
        self.stream.writer.write(bytes([kind]) + _length(len(body)) + body)

    async def _answer(self, wanted: int) -> bytes:
        """Return the body of the next packet of a kind."""
        for _ in range(MOST_MESSAGES):
            kind, body = await self._packet()
            if kind & 0xF0 == wanted:
                return _whole(wanted, body)
            self._take(kind, body)
        raise _drowned()

    def _take(self, kind: int, body: bytes) -> None:
        """Look whether ours came back. Raises Refused where the broker hangs up and says why."""
        if kind & 0xF0 == DISCONNECT:
            raise Refused(body[0] if body else 0, "stay", self._read_properties(body[1:]))
        if kind & 0xF0 == PUBLISH and self._sent is not None and body.endswith(self._sent):
            self._came_back = True

    async def _packet(self, *, first: bool = False) -> tuple[int, bytes]:
        await asyncio.sleep(0)  # what has arrived already is read without a pause: others have their turn
        read = self.stream.reader.readexactly
        kind = (await read(1))[0]
        if first and kind != CONNACK:
            raise _not_mqtt()
        size, shift = 0, 0
        while True:
            byte = (await read(1))[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < FAILED:
                break
            if size > LARGEST_PACKET:
                raise _not_mqtt()
        if size > LARGEST_PACKET:
            raise _not_mqtt()
        return kind, await read(size)

    def _read_properties(self, data: bytes) -> Properties:
        if self._level != LEVELS["5"] or not data:
            return {}
        size, rest = _varied(data)
        return dict(_properties(rest[:size]))


def _whole(kind: int, body: bytes) -> bytes:
    if len(body) < _SHORTEST[kind]:
        raise _not_mqtt()
    return body


def _properties(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield what is known of a list of properties; after one that is not, nothing can be told apart."""
    while data:
        name, data = data[0], data[1:]
        if name in _SIZES:
            yield name, int.from_bytes(data[: _SIZES[name]], "big")
            data = data[_SIZES[name] :]
        elif name in _TEXTS:
            value, data = _text_of(data)
            yield name, value
        elif name == _PAIR:
            _, data = _text_of(data)
            _, data = _text_of(data)
        elif name == _VARIABLE:
            _, data = _varied(data)
        else:
            return


def _text_of(data: bytes) -> tuple[bytes, bytes]:
    end = 2 + int.from_bytes(data[:2], "big")
    return data[2:end], data[end:]


def _varied(data: bytes) -> tuple[int, bytes]:
    """Read a number of varied length; return it and what follows."""
    value = 0
    for index, byte in enumerate(data[:4]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < FAILED:
            return value, data[index + 1 :]
    raise _not_mqtt()


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, byte = divmod(size, FAILED)
        out.append(byte | (FAILED if size else 0))
        if not size:
            return bytes(out)


def _packed(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _text(properties: Properties, name: int) -> str:
    value = properties.get(name, b"")
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def _drowned() -> CheckError:
    return CheckError(
        Reason.ASSERTION,
        Prose("others send so much on the topic that an answer cannot be heard"),
        code="TOPIC_BUSY",
        hint=Prose("Give the check a topic of its own, which nobody else uses."),
    )


def _not_mqtt() -> CheckError:
    return CheckError(Reason.PROTOCOL, Prose("the answer is not MQTT"), code="NOT_MQTT")
