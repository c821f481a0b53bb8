"""A connection of ours for drivers that insist on dialling: they dial a place on the loopback instead."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack, suppress

from mooring.net.dial import Stream
from mooring.probes._answer import too_large

AT_ONCE = 64 * 1024
MOST_HEARD = 64 * 1024 * 1024
"""Bytes of all answers together: drivers keep as much as a server sends, whatever it is."""


class Relay:
    """Passes what a driver in a thread says on to a stream, and back. Dropping it ends the driver's wait.

    That is the deadline of drivers that know none, or know one only in whole seconds.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._server: asyncio.Server | None = None
        self._theirs: socket.socket | None = None
        self._ours: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost: Exception | None = None
        """Why the server's side ended, where it did so before the driver's."""

    async def listen(self) -> int:
        """Return a port of the loopback that takes one connection."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def pair(self) -> socket.socket:
        """Return the driver's end, a blocking socket, for drivers that take one."""
        ours, theirs = socket.socketpair()
        with ExitStack() as undo:
            undo.callback(theirs.close)
            reader, writer = await asyncio.open_connection(sock=ours)
            undo.pop_all()
        self._serve(reader, writer)
        self._theirs = theirs
        return theirs

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is not None:
            self._server.close()  # it was there for one
        if self._ours is None:
            self._serve(reader, writer)
        else:
            writer.transport.abort()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ours = writer
        for copying in (self._up(reader), self._down(writer)):
            task = asyncio.ensure_future(copying)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _up(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):  # whoever hung up is told by the other direction
            while data := await reader.read(AT_ONCE):
                await self._stream.ask(data)
        self._stream.writer.close()

    async def _down(self, writer: asyncio.StreamWriter) -> None:
        lost: Exception = EOFError()
        heard = 0
        try:
            while data := await self._stream.reader.read(AT_ONCE):
                heard += len(data)
                if heard > MOST_HEARD:
                    lost = too_large(MOST_HEARD)
                    break
                writer.write(data)
                await writer.drain()
        except OSError as error:
            lost = error
        if not self._stream.writer.is_closing():
            self.lost = lost
        writer.close()

    def drop(self) -> None:
        """End both sides at once."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._ours is not None:
            self._ours.transport.abort()
        if self._theirs is not None:
            self._theirs.close()
        self._stream.drop()
