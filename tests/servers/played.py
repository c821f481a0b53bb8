"""A server that is played: for what no real one can be made to say on the loopback."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

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
