"""The server process: where it listens, the first token, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from mooring.api.context import Context
from mooring.api.guard import Role
from mooring.api.keyring import Keyring
from mooring.api.server import create_app
from mooring.app import App
from mooring.core.failure import InputError, Problem

log = logging.getLogger(__name__)

GOODBYE = 5
"""Seconds that requests may still take when the server is told to stop."""
BACKLOG = 1024
FIRST = "first"
"""The name of the token that the first start makes."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def serve(
    app: App,
    *,
    announce: Callable[[str], None] = print,
    ready: Callable[[str], Awaitable[None]] | None = None,
    given: str = "",
) -> None:
    """Serve an open App until SIGINT or SIGTERM.

    `announce` is given lines for the person who started it, among them the one-time sign-in address
    of a first start. `ready` is awaited with the server's own address once it listens. `given` is what
    another command needs to find the same database. Raises InputError where it must not or cannot listen.
    """
    server = app.settings.server
    keyring = Keyring(app.store, app.clock)
    first = not await keyring.tokens()
    if first and not is_loopback(server.host):
        raise InputError([Problem("server.host", _UNSAFE.format(server.host, given))])
    with _listening(server.host, server.port) as listener:
        api = create_app(app)
        context: Context = api.state.context
        url = _url(server.host, listener.getsockname()[1]) + context.base_path

        async def beginning() -> None:
            for line in (f"Mooring listens on {url}/", *(await _welcome(app, keyring, url) if first else ())):
                announce(line)

        async def begun() -> None:
            if ready is not None:
                await ready(url)

        config = uvicorn.Config(
            api,
            log_config=None,
            access_log=False,  # ours leaves query strings out
            server_header=False,
            proxy_headers=False,  # ours believes trusted proxies alone
            lifespan="on",
            timeout_graceful_shutdown=GOODBYE,
            backlog=BACKLOG,
        )
        await _Server(config, context.ending, beginning, begun).serve([listener])


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach a server that listens there."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(uvicorn.Server):
    """Says when it listens, and ends event streams when it stops: it would wait for them for ever."""

    def __init__(
        self,
        config: uvicorn.Config,
        ending: asyncio.Event,
        beginning: Callable[[], Awaitable[None]],
        begun: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._ending = ending
        self._beginning = beginning
        self._begun = begun

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal. uvicorn would raise it again at the end, and the App could not close."""
        loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            loop.add_signal_handler(each, self._stop)
        try:
            yield
        finally:
            for each in _SIGNALS:
                loop.remove_signal_handler(each)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self._ending.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen.

        What is said comes before anything is answered, so that whoever sees it ready can sign in, and
        after the signals are ours, so that whoever has read it can stop it.
        """
        await self._beginning()
        await super().startup(sockets)
        if self.started:
            await self._begun()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self._ending.set()
        await super().shutdown(sockets)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Hold a listening socket. Bound before anything starts, so that a taken port is told at once."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        words = f"{host} port {port} cannot be listened on: {error.strerror or error}"
        raise InputError([Problem("server.port", words)]) from None
    with listener:
        yield listener


def _url(host: str, port: int) -> str:
    named = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  compared, not bound
    return f"http://[{named}]:{port}" if ":" in named and "[" not in named else f"http://{named}:{port}"


async def _welcome(app: App, keyring: Keyring, url: str) -> list[str]:
    """Make the first admin's token, keep it in a file, and return what to tell of it. Raises InputError."""
    path = app.settings.token_file.absolute()
    try:
        stored, _ = await keyring.make(FIRST, Role.ADMIN, partial(_keep, path))
    except OSError as error:
        words = f"the first token cannot be kept in {path}: {error.strerror}"
        raise InputError([Problem("server.secret_key_file", words)]) from None
    code = await keyring.code(stored.id)
    return [
        f"The first admin's token is in {path}; it is used by the other commands.",
        f"Sign in once with {url}/sign-in?code={code}",
    ]


def _keep(path: Path, secret: str) -> None:
    """Write the token where only its owner can read it, whole or not at all."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secret + "\n")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


_UNSAFE = (
    "is {}, where others can reach it, but there is no token yet. Make one first: "
    "mooring token create --role admin --name me{}"
)
