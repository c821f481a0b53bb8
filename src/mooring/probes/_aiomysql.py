"""aiomysql over a connection that was dialled for it. Imported only where the driver is needed."""

from __future__ import annotations

import struct
from typing import Any

import aiomysql
from pymysql.charset import charset_by_name
from pymysql.constants import CLIENT

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.dial import Stream
from mooring.probes._answer import BoundedReader

_LARGEST_PACKET = 0xFFFFFF
_HEADER = 5
_PROTOCOL_10, _ERROR = 10, 255


class DialledConnection(aiomysql.Connection):  # type: ignore[misc]  # aiomysql has no types
    """Greeting, TLS and login as steps of their own, which `aiomysql.connect` runs in one."""

    def __init__(self, stream: Stream, **options: Any) -> None:
        super().__init__(host=stream.address, **options)
        self.stream = stream
        self._heard = BoundedReader(stream.reader)
        self._reader, self._writer = self._heard, stream.writer
        self._read_ahead = b""
        self._next_seq_id = 0
        self.account = ""
        """As whom the server let us in: user and host of the account."""

    async def greet(self) -> None:
        """Read the greeting. Raises CheckError(protocol), or the error that stands in its place."""
        self._read_ahead = await self._reader.readexactly(_HEADER)
        sequence, version = self._read_ahead[3:]
        if sequence != 0 or version not in (_PROTOCOL_10, _ERROR):
            raise CheckError(
                Reason.PROTOCOL,
                f"what answers is no MySQL: {self._read_ahead.decode(errors='replace')!r}",
                code="NOT_MYSQL",
            )
        await self._get_server_information()

    @property
    def offers_tls(self) -> bool:
        """Whether the greeting offers TLS."""
        return bool(self.server_capabilities & CLIENT.SSL)

    def request_tls(self) -> None:
        """Announce that TLS follows."""
        self.client_flag |= CLIENT.SSL
        charset = charset_by_name(self.charset).id
        self.write_packet(struct.pack("<iIB23s", self.client_flag, _LARGEST_PACKET, charset, b""))
        self._secure = True

    async def log_in(self) -> None:
        """Send user, password and database."""
        await self._request_authentication()

    async def _execute_command(self, command: int, sql: Any) -> None:
        self._heard.begin()
        await super()._execute_command(command, sql)

    async def _read_bytes(self, count: int) -> bytes:
        ready, self._read_ahead = self._read_ahead[:count], self._read_ahead[count:]
        missing = count - len(ready)
        return ready + (await super()._read_bytes(missing) if missing else b"")

    async def _process_auth(self, plugin: bytes, packet: Any) -> Any:
        if plugin == b"mysql_clear_password" and not self._secure:
            raise CheckError(
                Reason.AUTH,
                Prose("the server asks for the password in clear text over a connection without TLS"),
                code="CLEAR_PASSWORD",
                hint=Prose("Ask for TLS with sslmode=require in the address, or by the tls settings."),
            )
        return await super()._process_auth(plugin, packet)
