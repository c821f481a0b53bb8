"""WSGI middleware: names leases by route, and tells of requests that ended with one open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any
from weakref import finalize

from mooring.contrib.request import Facts, Request, django_route
from mooring.pools.scope import SCOPE

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_INNER = ("__self__", "wsgi_app", "app", "application")
"""Where middleware keeps the application that it wraps."""
_DEEPEST = 20


class PoolsMiddleware:
    """Names the leases of each request by its route.

    A lease that is still open when the server has closed the response is told as abandoned, with the
    line that took it. What the application returns is passed on as it is where it is a list or a file of
    the server's, and else by an iterator that gives out the same.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Run the application in a scope of its own."""
        request = Request(partial(_facts, environ), self._route)
        token = SCOPE.set(request)
        body: Iterable[bytes] | None = None
        try:
            body = self.app(environ, start_response)
        finally:
            SCOPE.reset(token)
            if body is None:
                request.end()
        return _followed(body, request, environ.get("wsgi.file_wrapper"))

    def _route(self, facts: Facts) -> str | None:
        """Return the route of a path: Flask has forgotten the request's own when it has answered."""
        table = _table(self.app)
        if table is None:
            return django_route(facts)
        rule, _ = table.bind("").match(facts.path, facts.method, return_rule=True)
        return str(rule.rule)


class _Body:
    """Gives out what the application returned, in the request's scope, which ends with `close`."""

    __slots__ = ("_body", "_chunks", "_request")

    def __init__(self, body: Iterable[bytes], request: Request) -> None:
        self._body = body
        self._request = request
        self._chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        token = SCOPE.set(self._request)
        try:
            if self._chunks is None:
                self._chunks = iter(self._body)
            return next(self._chunks)
        finally:
            SCOPE.reset(token)

    def close(self) -> None:
        """Close what the application returned, as the server has to."""
        token = SCOPE.set(self._request)
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            SCOPE.reset(token)
            self._request.end()

    def __del__(self) -> None:
        self._request.end()


def _followed(body: Iterable[bytes], request: Request, file_wrapper: Any) -> Iterable[bytes]:
    """Return what the server gets, such that the end of the request is seen."""
    if isinstance(body, (list, tuple)):  # servers ask for its length
        request.end()
        return body
    if isinstance(file_wrapper, type) and isinstance(body, file_wrapper):  # the server sends the file itself
        try:
            finalize(body, request.end)
        except TypeError:  # one in C, of which nobody hears when it ends
            request.end()
        return body
    return _Body(body, request)


def _facts(environ: dict[str, Any]) -> Facts:
    # PEP 3333 hands the bytes of the path over as if they were Latin-1.
    path = str(environ.get("PATH_INFO") or "").encode("latin-1", "replace").decode("utf-8", "replace")
    return Facts(method=str(environ.get("REQUEST_METHOD")), path=path)


def _table(app: Any) -> Any:
    """Return Flask's table of routes, however much middleware stands before it; None where there is none."""
    for _ in range(_DEEPEST):
        if app is None or hasattr(app, "url_map"):
            break
        app = next((inner for name in _INNER if (inner := getattr(app, name, None)) is not None), None)
    return getattr(app, "url_map", None)
