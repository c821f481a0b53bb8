"""The HTTP application."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.middleware import Middleware

import mooring
from mooring.api import (
    checks,
    discover,
    errors,
    events,
    failures,
    health,
    kinds,
    metrics,
    overview,
    pools,
    probe,
    push,
    results,
    root,
    session,
    targets,
    tokens,
)
from mooring.api.auth import Authenticate
from mooring.api.context import Context
from mooring.api.edge import Doorway, Edge
from mooring.api.keyring import Keyring
from mooring.api.live import Live
from mooring.api.openapi import document
from mooring.api.packing import Pack
from mooring.api.past import Past
from mooring.api.permission import Permissions
from mooring.api.stream import KEEP_ALIVE
from mooring.api.unpacking import Unpack

if TYPE_CHECKING:
    from mooring.app import App

ROUTERS = (
    overview.router,
    targets.router,
    checks.router,
    discover.router,
    results.router,
    failures.router,
    kinds.router,
    events.router,
    session.router,
    tokens.router,
    push.router,
    pools.router,
    metrics.router,
    probe.router,
    health.router,
    root.router,
)


def create_app(
    app: App,
    *,
    environ: Mapping[str, str] | None = None,
    keep_alive: float = KEEP_ALIVE,
) -> FastAPI:
    """Return the HTTP application of an open App. It neither opens nor closes the App.

    `environ`: what an admin's `${NAME}` may refer to, within server.reference_allow. `keep_alive`:
    seconds of silence after which an event stream sends a comment.
    """
    server = app.settings.server
    doorway = Doorway.of(server)
    keyring = Keyring(app.store, app.clock)
    api = _routed(
        doorway.base_path,
        [
            Middleware(Edge, doorway),
            Middleware(Pack),
            Middleware(errors.Shield),
            Middleware(Authenticate, keyring, server.public_paths),
            Middleware(Unpack),
        ],
    )
    api.state.context = context = Context(
        app,
        keyring,
        Past(app.store, app.clock),
        Permissions(server.reference_allow, os.environ if environ is None else environ),
        doorway.base_path,
        keep_alive=keep_alive,
    )
    context.live = Live(context)
    return api


def openapi(base_path: str = "") -> dict[str, Any]:
    """Return the OpenAPI document without a server."""
    return _routed(base_path, []).openapi()


def _routed(base_path: str, middleware: list[Middleware]) -> FastAPI:
    api = FastAPI(
        title="Mooring",
        version=mooring.__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=middleware,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    errors.install(api)
    for router in ROUTERS:
        api.include_router(router)
    made: dict[str, Any] = {}

    def once() -> dict[str, Any]:
        if not made:
            made.update(document(api, base_path))
        return made

    api.openapi = once  # type: ignore[method-assign]  # FastAPI's documented way to replace it
    return api


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    """Count what is committed, for /metrics, and tell it to viewers, while the server runs."""
    context: Context = api.state.context
    api.openapi()  # now, rather than in somebody's first request
    await context.past.get()
    tasks = [
        asyncio.create_task(metrics.count(context.app.bus, context.tally)),
        asyncio.create_task(context.live.run()),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(context.keyring.close(), context.past.close())
