"""The ASGI middleware names leases by route, and ends them with their request."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import ref

import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from mooring.contrib.asgi import PoolsMiddleware
from mooring.pools import Watch
from mooring.pools.once import Once
from mooring.pools.scope import SCOPE
from tests.unit.contrib.conftest import Pool


def app_of(**options: Any) -> FastAPI:
    """Return an application with the middleware."""
    app = FastAPI(**options)
    app.add_middleware(PoolsMiddleware)
    return app


@asynccontextmanager
async def client_of(app: Any, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Ask an application in this loop."""
    transport = httpx.ASGITransport(app, **options)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


async def get(app: Any, path: str, **options: Any) -> httpx.Response:
    """Ask once, in a task of its own as a server does it."""
    async with client_of(app, **options) as client:
        return await asyncio.create_task(client.get(path))


def now(pool: Pool) -> None:
    """Remember what the scope that runs is called."""
    scope = SCOPE.get()
    pool.names.append(scope.name if scope else None)


@pytest.mark.parametrize("is_async", [True, False])
async def test_route_that_leaks(pool: Pool, is_async: bool) -> None:
    """A lease that a request left open is told with the line and the route, from a worker's thread, too."""
    app = app_of()

    if is_async:

        @app.get("/orders/{number}")
        async def orders(number: int) -> int:
            pool.tracker.track()
            now(pool)
            return number
    else:

        @app.get("/orders/{number}")
        def orders(number: int) -> int:
            pool.tracker.track()
            now(pool)
            return number

    assert (await get(app, "/orders/17")).text == "17"
    assert pool.names == ["GET /orders/{number}"]
    [leak] = pool.told()
    assert leak.site.rpartition(":")[0] == __file__
    assert (leak.scope, leak.kind) == ("GET /orders/{number}", "abandoned")
    assert SCOPE.get() is None


async def test_server_that_serves_many_requests_in_one_task(pool: Pool) -> None:
    """A lease is told at the end of its request, though the task that took it goes on."""
    app = app_of()

    @app.get("/orders")
    async def orders() -> None:
        pool.tracker.track()

    async with client_of(app) as client:
        await client.get("/orders")
        assert pool.places() == [("GET /orders", "orders", "abandoned")]


async def test_request_that_runs_is_not_told(pool: Pool) -> None:
    """What dependencies take in one worker's thread and return in another is no leak at any time."""
    app = app_of()

    def connection() -> Iterator[None]:
        lease = pool.tracker.track()
        try:
            yield
        finally:
            pool.tracker.release(lease)

    @app.get("/orders/{number}")
    def orders(number: int, _: None = Depends(connection)) -> int:
        if number == 0:
            assert (len(pool.tracker.open), pool.told()) == (1, ())
        return number

    assert (await get(app, "/orders/0")).text == "0"
    responses = await asyncio.gather(*(get(app, f"/orders/{number}") for number in range(1, 20)))
    assert [response.text for response in responses] == [str(number) for number in range(1, 20)]
    assert (len(pool.tracker.open), pool.tracker.unmatched, pool.tracker.taken) == (0, 0, 20)
    assert pool.told() == ()


async def test_streamed_body_belongs_to_the_request(pool: Pool) -> None:
    """A lease that is held while the body is streamed is told only when the stream is over."""
    app = app_of()
    seen = []

    async def rows() -> AsyncIterator[str]:
        pool.tracker.track()
        yield "1"
        seen.append(pool.told())
        yield "2"

    @app.get("/export")
    async def export() -> StreamingResponse:
        return StreamingResponse(rows())

    assert (await get(app, "/export")).text == "12"
    assert seen == [()]
    assert pool.places() == [("GET /export", "rows", "abandoned")]


async def test_background_task_belongs_to_the_request(pool: Pool) -> None:
    """A lease of a background task is told only when that has ended."""
    app = app_of()
    seen = []

    def later() -> None:
        pool.tracker.track()
        seen.append(pool.told())

    @app.post("/orders")
    async def orders(tasks: BackgroundTasks) -> None:
        tasks.add_task(later)

    async with client_of(app) as client:
        await client.post("/orders")
    assert seen == [()]
    assert pool.places() == [("POST /orders", "later", "abandoned")]


async def test_task_may_outlive_its_request(pool: Pool) -> None:
    """A task that a request began is not over with it; its lease is told when the task is done."""
    app = app_of()
    go_on, tasks = asyncio.Event(), []

    async def job() -> None:
        pool.tracker.track()
        await go_on.wait()

    @app.post("/jobs")
    async def jobs() -> None:
        tasks.append(asyncio.create_task(job()))
        await asyncio.sleep(0)

    async with client_of(app) as client:
        await client.post("/jobs")
    assert pool.told() == ()
    go_on.set()
    await asyncio.gather(*tasks)
    assert pool.places() == [("POST /jobs", "job", "abandoned")]


async def test_thread_may_outlive_its_request(pool: Pool) -> None:
    """A worker's thread that is still in the code that took the lease is not told."""
    from threading import Event

    app = app_of()
    taken, go_on, tasks = Event(), Event(), []

    def job() -> None:
        pool.tracker.track()
        taken.set()
        go_on.wait(10)

    @app.post("/jobs")
    async def jobs() -> None:
        tasks.append(asyncio.create_task(asyncio.to_thread(job)))
        await asyncio.to_thread(taken.wait, 10)

    await get_posted(app, "/jobs")
    assert pool.told() == ()
    go_on.set()
    await asyncio.gather(*tasks)
    assert pool.places() == [("POST /jobs", "job", "abandoned")]


async def get_posted(app: Any, path: str) -> httpx.Response:
    """Post once."""
    async with client_of(app) as client:
        return await asyncio.create_task(client.post(path))


async def test_error_passes_through(pool: Pool) -> None:
    """What the application raises is raised, and its lease is told."""
    app = app_of()

    @app.get("/orders/{number}")
    async def orders(number: int) -> None:
        pool.tracker.track()
        raise ZeroDivisionError(number)

    with pytest.raises(ZeroDivisionError, match="17"):
        await get(app, "/orders/17")
    assert pool.places() == [("GET /orders/{number}", "orders", "abandoned")]


async def test_cancelled_request_is_over(pool: Pool) -> None:
    """A request that is cancelled, as when the client has gone, is over."""
    app = app_of()
    taken = asyncio.Event()

    @app.get("/slow")
    async def slow() -> None:
        pool.tracker.track()
        taken.set()
        await asyncio.Event().wait()

    asking = asyncio.create_task(get(app, "/slow"))
    await taken.wait()
    assert pool.told() == ()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert pool.places() == [("GET /slow", "slow", "abandoned")]


class Played:
    """An application that is spoken to in ASGI's own messages."""

    def __init__(self, app: Any, kind: str, **scope: Any) -> None:
        self.said: asyncio.Queue[Any] = asyncio.Queue()
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self.task = asyncio.create_task(app({"type": kind, **scope}, self.said.get, self.heard.put))

    async def say(self, kind: str, **message: Any) -> str:
        """Say something, and return the kind of what is answered."""
        self.said.put_nowait({"type": kind, **message})
        return str((await self.heard.get())["type"])


async def test_websocket(pool: Pool) -> None:
    """A websocket is named by its route, and is over when it is closed."""
    app = app_of()

    @app.websocket("/rooms/{room}")
    async def rooms(socket: WebSocket, room: str) -> None:
        pool.tracker.track()
        await socket.accept()
        await socket.receive_text()
        await socket.close()

    played = Played(app, "websocket", path="/rooms/lobby-17", headers=[], query_string=b"", subprotocols=[])
    assert await played.say("websocket.connect") == "websocket.accept"
    assert pool.told() == ()
    assert await played.say("websocket.receive", text="bye") == "websocket.close"
    await played.task
    assert pool.places() == [("WEBSOCKET /rooms/{room}", "rooms", "abandoned")]


async def test_lifespan_is_no_request(pool: Pool) -> None:
    """A lease that the application holds from its beginning to its end has no route and is not told."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with pool.tracker.track() as lease:
            assert lease.scope is None
            yield

    app = app_of(lifespan=lifespan)
    played = Played(app, "lifespan", state={})
    assert await played.say("lifespan.startup") == "lifespan.startup.complete"
    assert (await get(app, "/nowhere")).status_code == 404
    assert (pool.told(), len(pool.tracker.open)) == ((), 1)
    assert await played.say("lifespan.shutdown") == "lifespan.shutdown.complete"
    assert len(pool.tracker.open) == 0


class Before(BaseHTTPMiddleware):
    """Runs the rest of the application in a task of its own."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass the request on."""
        return await call_next(request)


@pytest.mark.parametrize("order", [(Before, PoolsMiddleware), (PoolsMiddleware, Before)])
async def test_middleware_with_a_task_of_its_own(pool: Pool, order: tuple[type, type]) -> None:
    """The route is found, and the lease is told, with Starlette's BaseHTTPMiddleware on either side."""
    app = FastAPI()
    for middleware in order:
        app.add_middleware(middleware)

    @app.get("/orders/{number}")
    def orders(number: int) -> None:
        pool.tracker.track()
        now(pool)

    await get(app, "/orders/17")
    assert pool.names == ["GET /orders/{number}"]
    assert pool.places() == [("GET /orders/{number}", "orders", "abandoned")]


async def test_mounted_application(pool: Pool) -> None:
    """A route of a mounted application comes with the path before it, with that one's parameters."""

    async def item(request: Request) -> Response:
        pool.tracker.track()
        return PlainTextResponse("")

    inner = Starlette(routes=[Route("/items/{item:int}", item)])
    app = PoolsMiddleware(Starlette(routes=[Mount("/of/{tenant}", inner)]))
    await get(app, "/of/acme-17/items/4")
    assert pool.places() == [("GET /of/{tenant}/items/{item}", "item", "abandoned")]


async def test_end_of_a_lifespan_begins_no_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in which no pool is watched begins no reports when it ends."""
    watch = Once(lambda: Watch(threaded=False))
    monkeypatch.setattr("mooring.contrib.asgi.watch_of_this_process", watch)
    played = Played(app_of(), "lifespan", state={})
    assert await played.say("lifespan.startup") == "lifespan.startup.complete"
    assert await played.say("lifespan.shutdown") == "lifespan.shutdown.complete"
    await played.task
    assert watch.made is None


async def test_path_behind_a_proxy(pool: Pool) -> None:
    """The path under which a proxy serves the application is no part of the name."""
    app = app_of()

    @app.get("/orders/{number}")
    async def orders(number: int) -> None:
        pool.tracker.track()

    await get(app, "/shop/orders/17", root_path="/shop")
    assert pool.places() == [("GET /orders/{number}", "orders", "abandoned")]


async def test_without_a_route_ids_are_masked(pool: Pool) -> None:
    """Where no framework tells a route, the path stands for it, without what may be an id or a secret."""

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        pool.tracker.track()

    request = {"type": "http", "method": "BREW", "path": "/v1/orders/17/reset/hQ3kx9\n/x@y.example"}
    await PoolsMiddleware(bare)(request, None, None)  # type: ignore[arg-type]  # a scope as servers send it
    assert pool.places() == [("OTHER /v1/orders/{id}/reset/{id}/{id}", "bare", "abandoned")]


async def test_parameters_without_words_harm_nothing(pool: Pool) -> None:
    """A stranger's parameter that cannot be shown, or is none, leaves the request its name and its leak."""

    class Mute:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        pool.tracker.track()

    for parameters in ({"number": Mute()}, ["17"]):
        request = {"type": "http", "method": "GET", "path": "/orders/17", "path_params": parameters}
        await PoolsMiddleware(bare)(request, None, None)  # type: ignore[arg-type]  # a scope as servers send it
    assert pool.places() == [("GET /orders/{id}", "bare", "abandoned")] * 2
    assert pool.tracker.faults == 0


@pytest.mark.parametrize("fault", [TypeError("cannot create weak reference"), RuntimeError("no thread")])
async def test_fault_of_ours_never_reaches_the_application(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """Where nobody can say who serves a request, it is answered, and its lease is told by its task."""
    app = app_of()

    @app.get("/orders")
    async def orders() -> str:
        pool.tracker.track()
        return "answered"

    def here() -> None:
        raise fault

    monkeypatch.setattr("mooring.contrib.request.here", here)
    assert (await get(app, "/orders")).json() == "answered"
    assert pool.places() == [("GET /orders", "orders", "abandoned")]


async def test_nothing_else_of_a_request_is_kept(pool: Pool) -> None:
    """A lease that is left open keeps its route's name alive, and not the request's headers and state."""

    class Body:
        """Something large."""

    kept: list[ref[Body]] = []

    async def leaks(scope: Any, receive: Any, send: Any) -> None:
        body = scope["state"]["body"] = Body()
        kept.append(ref(body))
        pool.tracker.track()

    request: Any = {"type": "http", "method": "GET", "path": "/", "state": {}}
    await PoolsMiddleware(leaks)(request, None, None)  # type: ignore[arg-type]  # a scope as servers send it
    del request
    gc.collect()
    assert [each() for each in kept] == [None]
    assert pool.places() == [("GET /", "leaks", "abandoned")]


async def test_many_cancelled_requests(pool: Pool) -> None:
    """Of two thousand cancelled requests nothing is left, and nothing is counted wrong."""
    app = app_of()

    async def connection() -> AsyncIterator[None]:
        with pool.tracker.track():
            yield

    @app.get("/orders/{number}")
    async def orders(number: int, _: None = Depends(connection)) -> None:
        for _ in range(number % 10):
            await asyncio.sleep(0)

    async with client_of(app) as client:
        for batch in range(20):
            tasks = [asyncio.create_task(client.get(f"/orders/{number}")) for number in range(100)]
            for _ in range(batch):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    assert (len(pool.tracker.open), pool.tracker.unmatched) == (0, 0)
    assert SCOPE.get() is None
    assert pool.told() == ()
