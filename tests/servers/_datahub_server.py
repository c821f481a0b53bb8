"""The process of tests/servers/datahub.py: `python _datahub_server.py PORT [CERT KEY]`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import ssl
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SIGNING_KEY = b"s3cret-of-datahub-that-signs-tokens"
REVOKED = "revoked"
VERSION = "v1.6.0-stand-in"
GRANTS = {
    "mooring": {"MANAGE_POLICIES", "MANAGE_INGESTION"},
    "steward": {"MANAGE_POLICIES"},
    "crawler": {"MANAGE_INGESTION"},
    "__datahub_system": {"MANAGE_POLICIES", "MANAGE_INGESTION"},
}
"""Privileges by user; whoever is not here, such as a reader or the guest, has none."""
FRONT_ENDS = {"frontend", "frontend-noop", "frontend-guest", "gms-gone", "gms-slow", "gms-broken"}
MODES = FRONT_ENDS | {
    "sign-in",
    "noop",
    "guest",
    "bootstrapping",
    "stopping",
    "index-gone",
    "empty-lists",
    "older",
}
PAGE = b"<!doctype html><title>DataHub</title>"


def token(user: str, *, expires: float | None, name: str = "") -> str:
    """Return a token as DataHub makes them: a JWT of HS256 with its claims. `expires` is a time of Unix."""
    claims = {
        "actorType": "USER",
        "actorId": user,
        "type": "PERSONAL",
        "version": "2",
        "jti": name,
        "sub": user,
    }
    if expires is not None:
        claims["exp"] = int(expires)
    signed = f"{_packed({'alg': 'HS256'})}.{_packed(claims)}"
    return f"{signed}.{_signature(signed)}"


def _packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _signature(signed: str) -> str:
    mac = hmac.digest(SIGNING_KEY, signed.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


@dataclass
class Answer:
    """What is sent back."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    location: str = ""


def as_json(value: object, status: int = 200) -> Answer:
    """Return an answer of JSON."""
    return Answer(status, json.dumps(value).encode())


UNAUTHORIZED = as_json({"message": "Unauthorized to perform this action.", "status": "401"}, 401)


def actor_of(mode: str, authorization: str | None) -> str | None:
    """Return who sends this header, None for nobody: DataHub's chain of authenticators, as it is set up."""
    if mode.endswith("noop"):
        return "__datahub_system"
    guest = "guest" if mode.endswith("guest") else None
    if authorization is None or not authorization.startswith(("Bearer ", "bearer ")):
        return guest
    signed, _, signature = authorization[7:].rpartition(".")
    if not hmac.compare_digest(signature, _signature(signed)):
        return guest
    payload = signed.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if claims.get("exp", time.time() + 1) <= time.time():
        return None  # an expired token ends the chain
    return guest if claims["jti"] == REVOKED else claims["actorId"]


def front_end(mode: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    """Answer as the front end does, which passes on what is below /api."""
    inner = path.removeprefix("/api/gms") if path.startswith("/api/gms/") else None
    if path in ("/api/graphql", "/api/v2/graphql"):
        inner = "/api/graphql"
    if inner is not None:
        if "authorization" not in headers:
            return Answer(401)
        return proxied(mode, method, inner, headers, body)
    if path == "/config":
        config = {"application": "datahub-frontend", "appVersion": VERSION}
        return as_json({"status": "ok", "config": config})
    if path in ("/health", "/admin"):
        return Answer(200, b"GOOD", "text/plain")
    return Answer(200, PAGE, "text/html; charset=utf-8")


def proxied(mode: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    """Pass a request on to GMS, or say that it cannot be."""
    if mode == "gms-gone":
        return Answer(502, b"Proxy connection failed: Connection refused", "text/plain")
    if mode == "gms-slow":
        return Answer(504, b"Proxy request timed out.", "text/plain")
    if mode == "gms-broken":
        return Answer(500, b"Proxy error: unexpected", "text/plain")
    return gms(mode, method, path, headers, body)


def gms(mode: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    """Answer as GMS does."""
    if path == "/config":
        versions = {"acryldata/datahub": {"version": VERSION, "commit": "none"}}
        return as_json({"noCode": "true", "versions": versions, "datahub": {"serverType": "stand-in"}})
    if path == "/health":
        return Answer(503 if mode == "bootstrapping" else 200)
    if path != "/api/graphql":
        return Answer(404)
    return graphql(mode, method, headers.get("authorization"), body)


def graphql(mode: str, method: str, authorization: str | None, body: bytes) -> Answer:
    """Answer as the servlet of GMS does that speaks GraphQL."""
    if mode == "stopping":
        return Answer(503)
    actor = actor_of(mode, authorization)
    if actor is None:
        return UNAUTHORIZED
    if method != "POST":
        return Answer(405)
    try:
        asked = json.loads(body)
        return as_json(answered(mode, actor, asked["query"], asked.get("variables")))
    except (ValueError, LookupError):
        return Answer(400)


@cache
def schema(*, older: bool) -> Any:
    """Return our schema; the older one knows no ingestion sources."""
    from graphql import build_schema

    text = Path(__file__).with_name("datahub.graphql").read_text()
    lines = [line for line in text.splitlines() if not (older and "  listIngestionSources(" in line)]
    return build_schema("\n".join(lines))


def answered(mode: str, actor: str, document: str, variables: dict[str, Any] | None) -> dict[str, Any]:
    """Run a GraphQL document and return the answer's JSON."""
    from graphql import graphql_sync

    result = graphql_sync(
        schema(older=mode == "older"), document, Root(mode, actor), variable_values=variables
    )
    return dict(result.formatted)


class Root:
    """The top of the graph, for one user. Its methods are the schema's fields."""

    def __init__(self, mode: str, actor: str) -> None:
        self._mode = mode
        self._actor = actor
        self._may = GRANTS.get(actor, set())

    def me(self, _: Any) -> Any:
        privileges = {
            "managePolicies": "MANAGE_POLICIES" in self._may,
            "manageIngestion": "MANAGE_INGESTION" in self._may,
        }
        user = {"urn": f"urn:li:corpuser:{self._actor}", "username": self._actor}
        return {"corpUser": user, "platformPrivileges": privileges}

    def appConfig(self, _: Any) -> Any:  # noqa: N802 - DataHub's name
        enabled = not self._mode.endswith("noop")
        return {"appVersion": VERSION, "authConfig": {"tokenAuthEnabled": enabled}}

    def listPolicies(self, _: Any, **__: Any) -> Any:  # noqa: N802
        words = "Unauthorized to perform this action. Please contact your DataHub administrator."
        return self._listed("MANAGE_POLICIES", 12, words)

    def listIngestionSources(self, _: Any, **__: Any) -> Any:  # noqa: N802
        words = "You are not authorized to list ingestion sources. Please contact your DataHub administrator."
        return self._listed("MANAGE_INGESTION", 3, words)

    def searchAcrossEntities(self, _: Any, **asked: Any) -> Any:  # noqa: N802
        if self._mode == "index-gone":
            raise refusal(500, "SERVER_ERROR", "An unknown error occurred.")
        return {"total": 42 if asked["input"]["query"] == "*" else 0}

    def createPolicy(self, _: Any, **asked: Any) -> str:  # noqa: N802
        if "MANAGE_POLICIES" not in self._may:
            raise refusal(403, "UNAUTHORIZED", "Unauthorized to perform this action.")
        for user in asked["input"]["actors"]["users"]:
            granted = GRANTS.setdefault(user.removeprefix("urn:li:corpuser:"), set())
            granted.update(asked["input"]["privileges"])
        return "urn:li:dataHubPolicy:of-the-test"

    def _listed(self, privilege: str, total: int, words: str) -> Any:
        if privilege in self._may:
            return {"total": total}
        if self._mode == "empty-lists":
            return {"total": 0}
        raise refusal(403, "UNAUTHORIZED", words)


def refusal(code: int, kind: str, words: str) -> Exception:
    """Return an error as DataHub tells it."""
    from graphql import GraphQLError

    extensions = {"code": code, "type": kind, "classification": "DataFetchingException"}
    return GraphQLError(words, extensions=extensions)


class Server:
    """Answers one request on each connection."""

    def __init__(self) -> None:
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request, answer, close."""
        self._open += 1
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
                await self._exchange(reader, writer)
        finally:
            self._open -= 1
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = self._answer(method, path.partition("?")[0], headers, body)
        lines = [
            f"HTTP/1.1 {answer.status} -",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}",
            "Connection: close",
            *([f"Location: {answer.location}"] if answer.location else []),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
        await writer.drain()

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path == "/books":
            return as_json(self._open)
        mode = path.split("/")[1]
        if mode == "sign-in":
            return Answer(302, location="https://login.example/start?from=datahub")
        if mode not in MODES:
            return gms("", method, path, headers, body)
        answer = front_end if mode in FRONT_ENDS else gms
        return answer(mode, method, path.removeprefix(f"/{mode}"), headers, body)


async def main(port: int, *files: str) -> None:
    """Serve until killed."""
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    schema(older=False)
    async with await asyncio.start_server(Server().serve, "127.0.0.1", port, ssl=context):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
