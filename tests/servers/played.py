"""A server that is played: for what no real one can be made to say on the loopback."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from tests.servers.process import eventually

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]
OVER_WITHIN = 20.0
_AT_ONCE = struct.pack("ii", 1, 0)


@contextmanager
def saying(words: bytes, *, after: bytes = b"", again: bytes = b"", then: str = "hold") -> Iterator[int]:
    """Yield the port of a server that says a few bytes to its first client.

    It reads until `after` first, and says `again` without end where there is such; `then` it holds the
    connection, closes it, or resets it.
    """
    over = threading.Event()

    def serve() -> None:
        client, _ = listener.accept()
        heard = b""
        with client, suppress(OSError):
            while after not in heard and (chunk := client.recv(1000)):
                heard += chunk
            client.sendall(words)
            while again and not over.is_set():
                client.sendall(again)
            if then == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            if then == "hold":
                over.wait()  # not for the client: its loop may wait for us

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            over.set()
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                thread.join(1)  # it may not have had a client at all


@contextmanager
def conversing(*turns: Callable[[bytes], bytes]) -> Iterator[int]:
    """Yield the port of a server that makes an answer of each thing its first client says.

    It holds the connection afterwards. What the client says has to come in one piece, as on the loopback.
    """

    def serve() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            for turn in turns:
                client.sendall(turn(client.recv(65536)))
            while client.recv(1000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                thread.join(1)  # it may not have had a client at all


@contextmanager
def patient(words: bytes, *, after: bytes) -> Iterator[int]:
    """Yield the port of a server that says this to each client that said `after`, for which it waits."""

    class Patient(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            heard = b""
            with suppress(OSError):
                while after not in heard:
                    chunk = self.request.recv(1000)
                    if not chunk:
                        return
                    heard += chunk
                self.request.sendall(words)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Patient) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def playing(play: Play, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Yield the port of a server that plays to each client, in the test's own loop.

    A client that leaves ends its play. When the block ends every play is waited for, and every connection
    that was accepted is closed: `asyncio.start_server` leaves those of its last turns to the collector.
    """
    loop, plays = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def accept() -> None:
        with suppress(BlockingIOError):
            client = listener.accept()[0]
            client.setblocking(False)
            plays.add(task := asyncio.create_task(_play(play, client, tls), name="a play"))
            task.add_done_callback(lambda _: client.close())  # where it was cancelled before it began

    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        listener.setblocking(False)
        loop.add_reader(listener, accept)
        try:
            yield listener.getsockname()[1]
            async with asyncio.timeout(OVER_WITHIN):
                await asyncio.gather(*plays)
        finally:
            loop.remove_reader(listener)
            for each in plays:
                each.cancel()
            await asyncio.gather(*plays, return_exceptions=True)


async def _play(play: Play, client: socket.socket, tls: ssl.SSLContext | None) -> None:
    """Play to one client, and close its connection, whatever happens."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        with suppress(EOFError, OSError):
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, client, ssl=tls)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            try:
                await play(reader, writer)
                writer.close()
                await writer.wait_closed()
            finally:
                transport.abort()
    finally:
        await eventually(lambda: client.fileno() == -1, "the end of a connection")
