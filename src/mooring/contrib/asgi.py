"""ASGI middleware: names leases by route, and tells of requests that ended with one open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from functools import partial
from typing import Any

from mooring.contrib.request import Facts, Request, django_route
from mooring.pools.scope import SCOPE
from mooring.pools.watch import watch_of_this_process

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class PoolsMiddleware:
    """Names the leases of each request and websocket by its route.

    A lease that is still open when its request is over, with its streamed body and its background tasks,
    is told as abandoned, with the line that took it. Where pools are reported, the last report is sent when
    the application's lifespan ends. Changes nothing of what passes.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Run the application in a scope of its own."""
        if scope["type"] not in ("http", "websocket"):  # the application's lifespan is no request
            await self.app(scope, receive, partial(_last, send))
            return
        request = Request(partial(_facts, scope, scope.get("root_path") or ""), django_route)
        token = SCOPE.set(request)
        try:
            await self.app(scope, receive, send)
        finally:
            request.end()
            with suppress(ValueError):  # what is thrown away half done is ended in another context
                SCOPE.reset(token)


async def _last(send: Send, message: Message) -> None:
    """Send the last report before the end of the lifespan is told: a signal may kill the process after it."""
    if str(message.get("type")).startswith("lifespan.shutdown."):
        watch = watch_of_this_process.made  # where no pool is watched, none is to begin now
        if watch is not None:
            watch.farewell()
    await send(message)


def _facts(scope: Message, root: str) -> Facts:
    """Return what an ASGI scope tells. Starlette writes the route into it, once it has found one."""
    template = getattr(scope.get("route"), "path", None)
    return Facts(
        method="WEBSOCKET" if scope["type"] == "websocket" else str(scope.get("method")),
        path=str(scope.get("path") or "").removeprefix(root),
        template=template if isinstance(template, str) else None,
        mount=str(scope.get("root_path") or "").removeprefix(root),
        parameters=scope.get("path_params"),
    )
