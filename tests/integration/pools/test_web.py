"""Web programs on real servers and a real database: leaks are told by their route, and nothing else is."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flask
import httpx
import pytest
import sqlalchemy
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from werkzeug.serving import make_server

from mooring.contrib import asgi, wsgi
from mooring.core.pool import Leak
from mooring.pools import PoolTracker, Watch, instrument
from tests.servers.postgresql import PostgreSQL
from tests.servers.process import free_port

pytestmark = pytest.mark.integration
SELECT = sqlalchemy.text("SELECT 1")
ROWS = sqlalchemy.text("SELECT generate_series(1, 100000)")


class Shop:
    """An engine, and what is told of its pool."""

    def __init__(self, url: str) -> None:
        self.engine = sqlalchemy.create_engine(url, pool_size=5, max_overflow=5)
        self.watch = Watch(threaded=False)
        self.tracker: PoolTracker = instrument(self.engine, service="shop", watch=self.watch)
        self.kept: list[sqlalchemy.Connection] = []

    def session(self) -> Iterator[sqlalchemy.Connection]:
        """Give a connection to a request, and take it back."""
        with self.engine.connect() as connection:
            yield connection

    def keep(self) -> None:
        """Take a connection, and never return it."""
        connection = self.engine.connect()
        connection.execute(SELECT)
        self.kept.append(connection)

    def rows(self) -> Iterator[str]:
        """Stream a table."""
        with self.engine.connect() as connection:
            for (row,) in connection.execute(ROWS):
                yield f"{row}\n"

    def leaks(self) -> list[Leak]:
        """Return what is told after two looks."""
        self.watch.look()
        self.watch.look()
        return list(self.tracker.leaks())


@pytest.fixture
def shop(postgresql: PostgreSQL) -> Iterator[Shop]:
    """A program with a database."""
    shop = Shop(postgresql.url(scheme="postgresql+psycopg"))
    yield shop
    for connection in shop.kept:
        connection.close()
    shop.engine.dispose()


@contextmanager
def serving(serve: Callable[[], Any], stop: Callable[[], Any]) -> Iterator[None]:
    """Serve in a thread."""
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()


@contextmanager
def uvicorn_of(app: Any) -> Iterator[str]:
    """Serve an application, and give its address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_config=None))
    with serving(server.run, lambda: setattr(server, "should_exit", True)):
        while not server.started:
            threading.Event().wait(0.01)
        yield f"http://127.0.0.1:{port}"


def program(shop: Shop) -> FastAPI:
    """Return FastAPI's usual program: a dependency, worker's threads, a stream."""
    app = FastAPI()
    app.add_middleware(asgi.PoolsMiddleware)
    needed: Any = Depends(shop.session)

    @app.get("/orders/{number}")
    def orders(number: int, session: sqlalchemy.Connection = needed) -> int:
        session.execute(SELECT)
        return number

    @app.get("/leaky/{number}")
    def leaky(number: int) -> None:
        shop.keep()

    @app.get("/rows")
    def rows() -> StreamingResponse:
        return StreamingResponse(shop.rows())

    return app


async def test_route_that_leaks_among_many_that_do_not(shop: Shop) -> None:
    """Of hundreds of requests in worker's threads, the leaking ones alone are told, by route and line."""
    with uvicorn_of(program(shop)) as address:
        # More at once than there are connections, and FastAPI's threads all wait for one.
        limits = httpx.Limits(max_connections=8)
        async with httpx.AsyncClient(base_url=address, timeout=30, limits=limits) as client:

            async def ask(path: str) -> int:
                return (await client.get(path)).status_code

            asking = [asyncio.create_task(ask(f"/orders/{number}")) for number in range(300)]
            while not all(task.done() for task in asking):
                assert await asyncio.to_thread(shop.leaks) == []
            assert [await task for task in asking] == [200] * 300
            assert await ask("/leaky/17") == 200
            leaks = await asyncio.to_thread(shop.leaks)
    assert [(leak.scope, leak.kind) for leak in leaks] == [("GET /leaky/{number}", "abandoned")]
    assert leaks[0].site.rpartition(":")[0] == __file__
    assert leaks[0].function == "Shop.keep"
    assert (shop.tracker.unmatched, shop.tracker.faults, len(shop.tracker.open)) == (0, 0, 1)


async def test_client_that_goes_away_amid_a_stream(shop: Shop) -> None:
    """A stream whose client has gone returns its connection, and nothing is told of it before or after."""
    with uvicorn_of(program(shop)) as address:
        async with (
            httpx.AsyncClient(base_url=address, timeout=30) as client,
            client.stream("GET", "/rows") as response,
        ):
            lines = response.aiter_lines()
            assert await anext(lines) == "1"
            assert len(shop.tracker.open) == 1
            assert await asyncio.to_thread(shop.leaks) == []
        async with asyncio.timeout(20):
            while shop.tracker.open:
                gc.collect()  # Starlette leaves the generator to it
                await asyncio.sleep(0.01)
    assert (shop.leaks(), shop.tracker.unmatched) == ([], 0)


def test_flask_in_a_thread_that_lives_on(shop: Shop) -> None:
    """A thread that serves one request after another is told for what it left open, by the route."""
    app = flask.Flask(__name__)

    @app.get("/orders/<int:number>")
    def orders(number: int) -> str:
        with shop.engine.connect() as connection:
            connection.execute(SELECT)
        return str(number)

    @app.get("/leaky/<int:number>")
    def leaky(number: int) -> str:
        shop.keep()
        return str(number)

    @app.get("/rows")
    def rows() -> flask.Response:
        return flask.Response(shop.rows())

    app.logger.disabled = True
    server = make_server("127.0.0.1", 0, wsgi.PoolsMiddleware(app))
    server.log = lambda *_: None  # type: ignore[method-assign]  # it writes to the console
    with serving(server.serve_forever, server.shutdown):
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", timeout=30) as client:
            assert [client.get(f"/orders/{number}").text for number in range(20)] == [*map(str, range(20))]
            assert client.get("/rows").text.count("\n") == 100_000
            assert shop.leaks() == []
            assert client.get("/leaky/17").text == "17"
            assert client.get("/orders/1").text == "1"
        leaks = shop.leaks()
    server.server_close()
    assert [(leak.scope, leak.kind) for leak in leaks] == [("GET /leaky/{number}", "abandoned")]
    assert (shop.tracker.unmatched, shop.tracker.faults, len(shop.tracker.open)) == (0, 0, 1)
