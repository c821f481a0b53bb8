"""The WSGI middleware names leases by route, and ends them with their response."""

from __future__ import annotations

import gc
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import FileWrapper

import flask
import httpx
import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from mooring.contrib.wsgi import PoolsMiddleware
from mooring.pools.scope import SCOPE
from tests.unit.contrib.conftest import Pool


def get(app: Any, path: str) -> httpx.Response:
    """Ask once."""
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://shop") as client:
        return client.get(path)


def begun(app: Any, **environ: Any) -> Iterable[bytes]:
    """Return what the middleware gives to a server, which has not read it yet."""
    given = {"REQUEST_METHOD": "GET", "PATH_INFO": "/orders", **environ}
    answer: Iterable[bytes] = PoolsMiddleware(app)(given, lambda *_: None)
    return answer


@pytest.mark.parametrize("wrap", [lambda app: app, ProxyFix], ids=["alone", "behind other middleware"])
def test_route_of_flask(pool: Pool, wrap: Callable[[Any], Any]) -> None:
    """A lease that a view left open is told with its line and route; the thread that took it lives on."""
    app = flask.Flask(__name__)

    @app.get("/orders/<int:number>")
    def orders(number: int) -> str:
        pool.tracker.track()
        scope = SCOPE.get()
        pool.names.append(scope.name if scope else None)
        return str(number)

    app.wsgi_app = PoolsMiddleware(wrap(app.wsgi_app))  # type: ignore[method-assign]  # as Flask says
    assert get(app, "/orders/17").text == "17"
    assert pool.names == ["GET /orders/{number}"]
    assert pool.places() == [("GET /orders/{number}", "orders", "abandoned")]
    assert SCOPE.get() is None


def test_path_that_flask_does_not_know(pool: Pool) -> None:
    """What is taken before a route is found is named by its path, with ids masked."""
    app = flask.Flask(__name__)

    @app.before_request
    def before() -> None:
        pool.tracker.track()

    assert get(PoolsMiddleware(app), "/nowhere/17").status_code == 404
    assert pool.places() == [("GET /nowhere/{id}", "before", "abandoned")]


def test_error_passes_through(pool: Pool) -> None:
    """What the application raises is raised, and its lease is told."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        pool.tracker.track()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begun(app)
    assert SCOPE.get() is None
    assert pool.places() == [("GET /orders", "app", "abandoned")]


def test_streamed_body_belongs_to_the_request(pool: Pool) -> None:
    """The request is over when the server has closed the body, and it names nothing between two parts."""
    closed = []

    class Rows:
        """A body as frameworks give it."""

        def __iter__(self) -> Iterator[bytes]:
            pool.tracker.track()
            yield b"1"
            yield b"2"

        def close(self) -> None:
            """Remember that it was closed, and by which name."""
            scope = SCOPE.get()
            closed.append(scope and scope.name)

    body: Any = begun(lambda environ, start_response: Rows())
    parts = iter(body)
    assert (next(parts), SCOPE.get(), pool.told()) == (b"1", None, ())
    assert (list(parts), pool.told()) == ([b"2"], ())
    body.close()
    assert (closed, pool.places()) == (["GET /orders"], [("GET /orders", "__iter__", "abandoned")])


def test_client_that_has_gone(pool: Pool) -> None:
    """A server that closes the body half read, and one that forgets to, end the request."""

    def rows(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        pool.tracker.track()
        yield b"1"
        yield b"2"

    body: Any = begun(rows)
    assert next(body) == b"1"
    body.close()
    assert pool.places() == [("GET /orders", "rows", "abandoned")]
    forgotten = begun(rows)
    assert next(iter(forgotten)) == b"1"
    assert len(pool.told()) == 1
    del forgotten
    gc.collect()
    assert len(pool.told()) == 2


def test_body_with_a_length_is_passed_on_as_it_is(pool: Pool) -> None:
    """Servers ask a list for its length, so it is not wrapped, and the request is over at once."""
    answer = [b"1"]

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        pool.tracker.track()
        return answer

    assert begun(app) is answer
    assert pool.places() == [("GET /orders", "app", "abandoned")]


def test_file_of_the_server_is_passed_on_as_it_is(pool: Pool) -> None:
    """Servers send a file by its own system call, so it is not wrapped; its request ends with it."""

    def app(environ: dict[str, Any], start_response: Any) -> FileWrapper:
        pool.tracker.track()
        return FileWrapper(io.BytesIO(b"1"))

    body = begun(app, **{"wsgi.file_wrapper": FileWrapper})
    assert isinstance(body, FileWrapper)
    assert pool.told() == ()
    del body
    gc.collect()
    assert pool.places() == [("GET /orders", "app", "abandoned")]


def test_path_in_other_letters(pool: Pool) -> None:
    """A path that is no ASCII, or no UTF-8, is masked like any other that may hold a name."""

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        pool.tracker.track()
        return []

    begun(app, PATH_INFO="/kunden/Müller".encode().decode("latin-1") + "/\xff")
    assert pool.places() == [("GET /kunden/{id}/{id}", "app", "abandoned")]


DJANGO = """
import asyncio, json, sys
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path, re_path
from mooring.contrib import asgi, wsgi
from mooring.pools import PoolTracker, Watch

watch = Watch(threaded=False)
tracker = PoolTracker("shop", watch=watch)

def orders(request, **_):
    tracker.track()
    return HttpResponse("")

urlpatterns = [path("orders/<int:number>/", orders), re_path(r"^years/(?P<year>[0-9]{4})/$", orders)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
django.setup()
import httpx
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

paths = ["/orders/17/", "/years/2026/"]
with httpx.Client(transport=httpx.WSGITransport(wsgi.PoolsMiddleware(get_wsgi_application()))) as client:
    codes = [client.get(f"http://shop{each}").status_code for each in paths]

async def over_asgi():
    app = asgi.PoolsMiddleware(get_asgi_application())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return [(await client.get(f"http://shop{each}")).status_code for each in paths]

codes += asyncio.run(over_asgi())
watch.look()
watch.look()
print(json.dumps([codes, [[leak.scope, leak.function, leak.kind] for leak in tracker.leaks()]]))
"""


def test_routes_of_django() -> None:
    """Django's routes are found in its own table, over WSGI and over ASGI."""
    done = subprocess.run([sys.executable, "-c", DJANGO], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    codes, leaks = json.loads(done.stdout)
    names = ["GET /orders/{number}/", "GET /years/{year}/"] * 2
    assert codes == [200] * 4
    assert leaks == [[name, "orders", "abandoned"] for name in names]


def test_file_of_a_server_in_c_passes_as_it_is() -> None:
    """A wrapper that nothing can refer to weakly, as some servers have, is no error of the application's."""

    class Wrapper:
        __slots__ = ()

    wrapped = Wrapper()
    assert begun(lambda _environ, _start: wrapped, **{"wsgi.file_wrapper": Wrapper}) is wrapped
