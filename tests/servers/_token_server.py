"""The process of tests/servers/token_server.py: `python _token_server.py PORT`."""

from __future__ import annotations

import json
import secrets
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from graphql import GraphQLError, build_schema, graphql_sync

LOGINS = {"app": "s3cret-of-app", "reader": "s3cret-of-reader"}
ORDERS = {"7": {"id": 7, "state": "open"}}
SCHEMA = build_schema(
    "type Query { me: Person! orders: [Order!]! broken: String }  type Person { name: String! }"
    " type Order { id: Int! }  type Mutation { login(user: String!, password: String!): String! }"
)


def error(text: str, code: str) -> GraphQLError:
    """Return an error as most servers give it."""
    return GraphQLError(text, extensions={"code": code})


class Root:
    """What the fields of the schema are."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def me(self, info: Any) -> dict[str, str]:
        """Who asks."""
        return {"name": self._user()}

    def orders(self, info: Any) -> list[dict[str, Any]]:
        """What only one user may see."""
        if self._user() != "app":
            raise error("not for you", "FORBIDDEN")
        return list(ORDERS.values())

    def broken(self, info: Any) -> str:
        """What never works."""
        raise error("the database is gone", "INTERNAL_SERVER_ERROR")

    def login(self, info: Any, user: str, password: str) -> str:
        """A token."""
        if LOGINS.get(user) != password:
            raise error("who are you?", "UNAUTHENTICATED")
        return self.api.server.session_of(user)

    def _user(self) -> str:
        if self.api.user is None:
            raise error("log in first", "UNAUTHENTICATED")
        return self.api.user


class Server(ThreadingHTTPServer):
    """Keeps the sessions."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Api)
        self.sessions: dict[str, str] = {}
        self.forms: set[str] = set()

    def session_of(self, user: str) -> str:
        """Return a new token."""
        token = f"tok-{secrets.token_urlsafe(24)}"
        self.sessions[token] = user
        return token


class Api(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    body = b""
    wbufsize = -1  # head and body in one packet: else the kernel holds the second one back

    @property
    def cookies(self) -> dict[str, str]:
        """What cookies came."""
        pairs = (each.strip().partition("=") for each in (self.headers["Cookie"] or "").split(";"))
        return {name: value for name, _, value in pairs}

    @property
    def user(self) -> str | None:
        """Who asks: by token or by cookie."""
        given = self.headers["Authorization"] or ""
        token = given.removeprefix("Bearer ") if given.startswith("Bearer ") else self.cookies.get("session")
        return self.server.sessions.get(token or "")

    def do_GET(self) -> None:
        """Route."""
        path = urlsplit(self.path).path
        if path == "/login" and self.command == "GET":
            return self.answer(405, {"error": "POST, please"})
        if path == "/form" and self.command == "GET":
            return self.form()
        if path == "/slow":
            threading.Event().wait()
        route = getattr(self, "at_" + path.strip("/").replace("-", "_").replace("/", "_"), None)
        if route is not None:
            return route()
        if path.startswith("/orders/"):
            return self.order(path.removeprefix("/orders/"))
        return self.answer(404, {"error": "no such thing"})

    def do_POST(self) -> None:
        """Route, with a body."""
        self.body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.do_GET()

    # Logins

    def at_login(self) -> None:
        """JSON in, token out; as the usual framework would, it wants to be told that it is JSON."""
        if self.headers["Content-Type"] != "application/json":
            return self.answer(415, {"error": "JSON, please"})
        given = json.loads(self.body)
        if LOGINS.get(given.get("user")) != given.get("password"):
            return self.answer(401, {"error": "who are you?"})
        token = self.server.session_of(given["user"])
        return self.answer(200, {"access_token": token, "order": 7, "roles": ["a"]}, {"X-Token": token})

    def at_cookie(self) -> None:
        """JSON in, a session's cookie out, and one that has ended."""
        self.send_response(HTTPStatus.NO_CONTENT)
        for cookie in (f"session={self.server.session_of('app')}", "old=gone; Max-Age=0"):
            self.send_header("Set-Cookie", cookie)
        self.end_headers()

    def at_polite_login(self) -> None:
        """Tell a rejected login with 200."""
        self.answer(200, {"error": "who are you?"})

    def at_token(self) -> None:
        """As OAuth does: a form in, and a rejected login told with 400."""
        given = {key: value[0] for key, value in parse_qs(self.body.decode()).items()}
        if LOGINS.get(given.get("username", "")) != given.get("password"):
            return self.answer(400, {"error": "invalid_grant", "error_description": "wrong password"})
        return self.answer(200, {"access_token": self.server.session_of(given["username"])})

    def form(self) -> None:
        """A form for people, with a hidden field that has to come back with the cookie."""
        mark = secrets.token_hex(8)
        self.server.forms.add(mark)
        page = f'<!doctype html><form><input name="csrf" value="{mark}"></form>'
        self.answer(200, page, {"Set-Cookie": f"form={mark}; Path=/form; HttpOnly"})

    def at_form(self) -> None:
        """The form comes back: redirect, and a cookie."""
        given = {key: value[0] for key, value in parse_qs(self.body.decode()).items()}
        known = given.get("csrf") in self.server.forms and self.cookies.get("form") == given.get("csrf")
        if not known or LOGINS.get(given.get("user", "")) != given.get("password"):
            return self.answer(403, "no")
        cookie = f"session={self.server.session_of(given['user'])}; Path=/; HttpOnly; Max-Age=60"
        return self.answer(302, "", {"Location": "/me", "Set-Cookie": cookie})

    # What is behind them

    def at_me(self) -> None:
        """Who asks."""
        self.answer(*((200, {"name": self.user}) if self.user else (401, {"error": "log in"})))

    def at_orders(self) -> None:
        """What only one user may see."""
        if self.user is None:
            return self.answer(401, {"error": "log in"})
        return self.answer(*((200, list(ORDERS.values())) if self.user == "app" else (403, {})))

    def order(self, number: str) -> None:
        """One of these."""
        if self.user is None:
            return self.answer(401, {"error": "log in"})
        return self.answer(*((200, ORDERS[number]) if number in ORDERS else (404, {"number": number})))

    def at_echo(self) -> None:
        """Say everything back, as careless services do."""
        self.answer(200, {"head": str(self.headers), "body": self.body.decode(), "path": self.path})

    def at_odd(self) -> None:
        """What cannot be put into a header."""
        self.answer(200, {"lines": "a\nb", "kanji": "鍵", "none": None, "all": {}})

    def at_graphql(self) -> None:
        """A real GraphQL service."""
        given = json.loads(self.body)
        found = graphql_sync(
            SCHEMA,
            given["query"],
            Root(self),
            variable_values=given.get("variables"),
            operation_name=given.get("operationName"),
        )
        made = found.formatted
        for each in made.get("errors", ()):
            each.setdefault("extensions", {}).setdefault("code", "GRAPHQL_VALIDATION_FAILED")
        wants = "graphql-response" in (self.headers["Accept"] or "")
        kind = "application/graphql-response+json" if wants else "application/json"
        self.answer(400 if found.data is None and wants else 200, made, {"Content-Type": kind})

    def at_strict(self) -> None:
        """Answer by the new content type, with an error that has no code."""
        kind = "application/graphql-response+json; charset=utf-8"
        self.answer(200, {"errors": [{"message": "no", "path": ["a", 0]}, {}]}, {"Content-Type": kind})

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Send an answer: a page, or JSON."""
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        kind = "text/html" if isinstance(body, str) else "application/json"
        self.send_response(HTTPStatus(status))
        for name, value in ({"Content-Type": kind} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    Server(int(sys.argv[1])).serve_forever()
