"""What every request passes before a route: proxy, base path, Host, bodies, HEAD, headers, access log."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import time
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mooring.api.errors import Refused, problem
from mooring.settings import ServerSettings

access = logging.getLogger("mooring.access")

LARGEST_BODY = 1024 * 1024
TOO_LARGE = "A body may have 1 MB."
SENT_WITHIN = 30.0
"""Seconds that a client has for its body, so that nobody is waited for without end."""
TOO_SLOW = f"The body did not come within {SENT_WITHIN:g} s."
MOST_DRAINED = 64 * LARGEST_BODY
DRAINED_WITHIN = 5.0
_PUSH_TOKEN = re.compile(r"(/push/)[^/?]+")
_SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "cache-control": "no-store",
}
"""Set where the answer does not say otherwise. A page widens its own content-security-policy."""


@dataclass(frozen=True)
class Doorway:
    """Who may stand in front of the server and under which names it answers."""

    base_path: str
    hosts: frozenset[str]
    proxies: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def of(cls, server: ServerSettings) -> Doorway:
        """Return the doorway that the settings describe."""
        own = {"localhost", socket.gethostname().lower(), server.host.lower()}
        named = {name.lower() for name in server.host_names}
        proxies = tuple(ip_network(entry, strict=False) for entry in server.trusted_proxies)
        return cls("" if server.base_path == "/" else server.base_path, frozenset(own | named), proxies)

    def trusts(self, address: str) -> bool:
        """Whether what this peer says of others is believed."""
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(ip, "ipv4_mapped", None) or ip
        return any(mapped in network for network in self.proxies)

    def serves(self, host: str) -> bool:
        """Whether a Host header names this server.

        A page that was loaded from another name and whose name now resolves to this machine (DNS
        rebinding) names itself here. Addresses cannot be rebound, so any address will do.
        """
        name = host_name(host)
        return name in self.hosts or name.endswith(".localhost") or _is_address(name)


def host_name(host: str) -> str:
    """Return a Host header without its port, without the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Edge:
    """Sets what routes see of the request (scheme, client, base path), and what all answers carry."""

    def __init__(self, app: ASGIApp, doorway: Doorway) -> None:
        self._app = app
        self._door = doorway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, seen = time.perf_counter(), [0]
        scope = dict(scope)  # the server keeps its own, by which it leaves out the body of an answer to HEAD
        host = self._believe(scope)
        sending = _finished(send, seen)
        try:
            await self._pass(scope, host, receive, sending)
        finally:
            _log(scope, seen[0], time.perf_counter() - began)

    async def _pass(self, scope: Scope, host: str | None, receive: Receive, send: Send) -> None:
        if host is not None and not self._door.serves(host):
            detail = (
                f"This server is not called {host_name(host)[:100]!r}. "
                "If it is, add the name to server.host_names in mooring.toml."
            )
            await problem(421, detail)(scope, receive, send)
            return
        _take_base_path(scope, self._door.base_path)
        if scope["method"] == "HEAD" and "/push/" not in scope["path"]:
            scope["method"] = "GET"  # a push by HEAD would change something; it stays, and is refused
            scope["head"] = True
        await self._limited(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = Headers(scope=scope).get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:20]) > LARGEST_BODY:
            await _drain(receive)
            await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)(scope, receive, send)
            return
        await self._app(scope, _Incoming(receive), send)

    def _believe(self, scope: Scope) -> str | None:
        """Take what a trusted proxy says of the client. Return the Host to check; None: it vouches."""
        headers = Headers(scope=scope)
        peer = (scope.get("client") or ("", 0))[0]
        if not self._door.trusts(peer):
            return headers.get("host", "")
        scope["vouched"] = True
        proto = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        if proto in ("http", "https"):
            scope["scheme"] = proto
        client = self._client(headers.getlist("x-forwarded-for"))
        if client:
            scope["client"] = (client, 0)
        return None

    def _client(self, forwarded: Sequence[str]) -> str | None:
        """Return the nearest address that no trusted proxy has: what stands further left can be made up."""
        hops = [hop.strip() for line in forwarded for hop in line.split(",")]
        outside = (hop for hop in reversed(hops) if _is_address(hop) and not self._door.trusts(hop))
        return next(outside, None)


class _Incoming:
    """A body as it comes: whoever sends too much of it, or too slowly, is refused."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._came = 0
        self._until: float | None = None
        self._is_whole = False

    async def __call__(self) -> Message:
        if self._is_whole:  # what comes now is that the client goes, whenever that is
            return await self._receive()
        self._until = self._until or asyncio.get_running_loop().time() + SENT_WITHIN
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW, headers={"Connection": "close"}) from None
        self._is_whole = not message.get("more_body", False)
        self._came += len(message.get("body", b""))
        if self._came > LARGEST_BODY:
            await _drain(self._receive)
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
        return message


def _take_base_path(scope: MutableMapping[str, Any], base: str) -> None:
    """Let routes see paths below the base path, whether or not the proxy has cut it off."""
    path = scope["path"]
    scope["root_path"] = base
    if path == base:
        scope["path"] = f"{base}/"
    elif base and not path.startswith(f"{base}/"):
        scope["path"] = base + path


async def _drain(receive: Receive) -> None:
    """Throw away what is left of a body, within limits: who is still sending would not see the answer."""
    thrown, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAINED_WITHIN):
            while more and thrown < MOST_DRAINED:
                message = await receive()
                thrown += len(message.get("body", b""))
                more = message.get("more_body", False)


def _finished(send: Send, seen: list[int]) -> Send:
    """Return a send that adds the headers of every answer and notes its status."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen[0] = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _SECURITY.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _log(scope: Scope, status: int, seconds: float) -> None:
    """Write one line. Query strings may hold codes and addresses with passwords, so they are left out."""
    if not access.isEnabledFor(logging.INFO):
        return
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = _PUSH_TOKEN.sub(r"\1***", raw.partition(b"?")[0].decode("latin-1"))
    client = (scope.get("client") or ("-", 0))[0]
    method = "HEAD" if scope.get("head") else scope["method"]
    access.info("%s %s %s %d %.1f ms", client, method, path, status, seconds * 1000)
