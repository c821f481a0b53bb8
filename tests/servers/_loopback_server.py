"""Runs a server that listens on every interface where only the loopback can reach it.

    python _loopback_server.py PORT[,PORT...] COMMAND...

The server gets a network namespace of its own, in which nothing is but a loopback. The ports are
listened on outside, on 127.0.0.1, by sockets made before the namespace was entered: a socket stays where
it was made. What connects there is passed on to the same port inside, byte for byte, ends included.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from contextlib import suppress

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_DIE_WITH_PARENT = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def _enter_namespace() -> None:
    flags = _NEW_NET if os.geteuid() == 0 else _NEW_NET | _NEW_USER
    if _LIBC.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace to be had")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = struct.pack("16sh14x", b"lo", 0)
        state = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _GET_FLAGS, name))
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", state[1] | _UP))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
        return
    writer.transport.abort()


async def _serve(client: asyncio.StreamReader, answer: asyncio.StreamWriter, port: int) -> None:
    try:
        inside, ask = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        answer.transport.abort()
        return
    try:
        await asyncio.gather(_pass_on(client, ask), _pass_on(inside, answer))
    finally:
        ask.transport.abort() if ask.is_closing() else ask.close()
        answer.close()


async def _run(listeners: list[socket.socket], command: list[str]) -> int:
    child = await asyncio.create_subprocess_exec(
        *command, preexec_fn=lambda: _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    )
    for listener in listeners:
        port = listener.getsockname()[1]
        await asyncio.start_server(lambda r, w, port=port: _serve(r, w, port), sock=listener)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, child.terminate)
    return await child.wait()


def _main() -> int:
    listeners = [socket.create_server(("127.0.0.1", int(port))) for port in sys.argv[1].split(",")]
    _enter_namespace()
    return asyncio.run(_run(listeners, sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(_main())
