"""The HTTP application in the test's own process: a real uvicorn, a real port, a real SQLite file."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from mooring.api.context import Context
from mooring.api.guard import Role
from mooring.api.server import create_app, openapi
from mooring.app import App
from mooring.core.clock import Clock
from mooring.net.egress import EgressPolicy
from mooring.probes._registry import Kinds
from mooring.settings import PoolSettings, ServerSettings, Settings, StoreSettings
from mooring.store import upgrade
from mooring.store.engines import store_url
from mooring.targets import TargetReader
from mooring.testing import ScriptedProbe
from tests.servers.process import private_folder


@dataclass
class Api:
    """A running API, a client for each role, and what stands behind it."""

    app: App
    context: Context
    url: str
    tokens: Mapping[Role, str]
    admin: httpx.AsyncClient
    operator: httpx.AsyncClient
    viewer: httpx.AsyncClient
    reporter: httpx.AsyncClient
    nobody: httpx.AsyncClient

    def client(self, role: Role | None) -> httpx.AsyncClient:
        """Return the client of a role; None: of somebody without a login."""
        return self.nobody if role is None else getattr(self, role.value)

    async def add(self, **keys: Any) -> dict[str, Any]:
        """Add a target, scripted where nothing else is said, and return the answer."""
        answer = await self.operator.post("/api/v1/targets", json={"kind": "scripted", **keys})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@asynccontextmanager
async def running(
    folder: Path,
    *,
    clock: Clock | None = None,
    watch: bool = False,
    targets: tuple[Mapping[str, Any], ...] = (),
    environ: Mapping[str, str] | None = None,
    keep_alive: float = 15.0,
    database: str = "",
    send_buffer: int = 0,
    kinds: Kinds | None = None,
    egress: EgressPolicy | None = None,
    pools: PoolSettings | None = None,
    **server: Any,
) -> AsyncIterator[Api]:
    """Run the API on a free port. Without `watch` nothing is checked by itself.

    `targets` are those of the configuration file; `server` are the keys of its [server]. `send_buffer`:
    bytes that the kernel takes for a client that does not read; 0: its usual amount.
    """
    if not database and not (folder / "mooring.db").exists():
        (folder / "mooring.db").write_bytes(_empty_store())
    kinds = kinds or Kinds()
    kinds.add(ScriptedProbe)
    reader = TargetReader(kinds)
    settings = Settings(
        server=ServerSettings(port=0, secret_key_file=folder / "mooring.key", **server),
        store=StoreSettings(url=database or f"sqlite:///{folder}/mooring.db"),
        egress=egress or EgressPolicy(),
        pools=pools or PoolSettings(),
        targets=tuple(reader.read(keys) for keys in targets),
    )
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(
            App(settings, clock=clock, kinds=kinds, watch=watch or bool(targets))
        )
        api = create_app(app, environ=environ or {}, keep_alive=keep_alive)
        api.openapi = partial(_document, api.state.context.base_path)  # type: ignore[method-assign]  # made once
        context: Context = api.state.context
        url = await stack.enter_async_context(_listening(api, context, send_buffer)) + context.base_path
        tokens = {role: (await context.keyring.make(f"the {role}", role))[1] for role in Role}
        clients = [await stack.enter_async_context(_client(url, tokens.get(role))) for role in (*Role, None)]
        reporter, viewer, operator, admin, nobody = clients
        yield Api(app, context, url, tokens, admin, operator, viewer, reporter, nobody)


def _client(url: str, token: str | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=20, verify=False)


@cache
def _empty_store() -> bytes:
    """Return what an empty store's file holds: to migrate one anew is half of what a start costs."""
    with private_folder() as folder:
        path = folder / "empty.db"
        path.touch()
        upgrade.upgrade(store_url(f"sqlite:///{path}"))
        return path.read_bytes()


@cache
def _document(base_path: str) -> dict[str, Any]:
    return openapi(base_path)


@asynccontextmanager
async def _listening(api: Any, context: Context, send_buffer: int) -> AsyncIterator[str]:
    config = uvicorn.Config(api, log_config=None, access_log=False, proxy_headers=False, lifespan="on")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    if send_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    task = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started:
        assert not task.done(), await task
        await asyncio.sleep(0.001)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        context.ending.set()
        server.should_exit = True
        await task
        listener.close()


async def until(condition: Any, what: str, within: timedelta = timedelta(seconds=20)) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(within.total_seconds()):
        while not condition():  # noqa: ASYNC110  what it waits for says nothing
            await asyncio.sleep(0.005)
