"""What the pools of all services may take of a server, beside what a watched target knows of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from mooring.core.health import Health
from mooring.core.pool_view import Comparison, PoolSum
from mooring.core.target import Target

_SAME = frozenset({"localhost", "127.0.0.1", "::1"})


class _Place(NamedTuple):
    host: str
    port: int | None


class _Told(NamedTuple):
    """Under which names a kind's results tell of its sessions, and its usual port."""

    used: str
    most: str
    port: int


_KINDS: Mapping[str, _Told] = {
    "postgresql": _Told("sessions_used", "sessions_max", 5432),
    "mysql": _Told("sessions_used", "sessions_max", 3306),
    "pgbouncer": _Told("clients_used", "clients_max", 6432),
}


class Part(NamedTuple):
    """What of a pool counts for the server behind it."""

    service: str
    address: str | None
    host: str
    """The machine of the process that says so: only there its localhost is this server."""
    sum: PoolSum


class Servers:
    """The watched servers, with what the pools of all services take of them."""

    def __init__(
        self, parts: Iterable[Part], targets: Iterable[Target], healths: Mapping[int, Health], host: str
    ) -> None:
        self._healths = healths
        self._host = host
        self._parts: dict[str, list[Part]] = {}
        for part in parts:
            place = self._place(part.address, part.host)
            if place is not None and part.sum.instances:
                self._parts.setdefault(place.host, []).append(part)
        self._servers: dict[str, list[tuple[int, Comparison]]] = {}
        for (_, place), server in self._newest(targets).items():
            port = place.port or _KINDS[server.ref.kind].port
            self._servers.setdefault(place.host, []).append((port, self._of(server, place.host, port)))

    def behind(self, address: str | None, host: str) -> tuple[Comparison, ...]:
        """Return the servers that an address on some machine leads to, as far as the two addresses say."""
        place = self._place(address, host)
        if place is None:
            return ()
        return tuple(
            each
            for port, each in self._servers.get(place.host, ())
            if (place.port or _KINDS[each.kind].port) == port
        )

    def _newest(self, targets: Iterable[Target]) -> dict[tuple[str, _Place], Target]:
        """Return one target a server: of several databases on it, the one that was checked last."""
        newest: dict[tuple[str, _Place], Target] = {}
        for target in targets:
            kind = target.probe.kind
            place = self._place(target.probe.address, self._host) if kind in _KINDS else None
            if place is None:
                continue
            known = newest.get((kind, place))
            if known is None or self._checked(target) > self._checked(known):
                newest[kind, place] = target
        return newest

    def _place(self, address: str | None, host: str) -> _Place | None:
        """Return where an address on some machine leads."""
        place = _place(address)
        if place is None or place.host not in _SAME | {self._host.lower()}:
            return place
        on = host.lower() if place.host in _SAME else self._host.lower()
        return place._replace(host="localhost" if on == self._host.lower() else on)

    def _checked(self, target: Target) -> float:
        at = self._told(target)[0]
        return at.timestamp() if at is not None else 0.0

    def _told(self, target: Target) -> tuple[datetime | None, Mapping[str, float]]:
        """Return when a target last told of its sessions, and its numbers."""
        last = self._healths.get(target.id or 0, Health()).last
        if last is None or _KINDS[target.probe.kind].most not in last.observation.numbers:
            return None, {}
        return last.started_at, last.observation.numbers

    def _of(self, server: Target, host: str, port: int) -> Comparison:
        ref, names = server.ref, _KINDS[server.probe.kind]
        parts = [
            part
            for part in self._parts.get(host, ())
            if (place := self._place(part.address, part.host)) is not None
            and (place.port or names.port) == port
        ]
        at, numbers = self._told(server)
        limits = [part.sum.limit for part in parts]
        return Comparison(
            address=ref.address.partition("/")[0],
            target_id=ref.id or 0,
            target=ref.name,
            kind=ref.kind,
            services=sorted({part.service for part in parts}),
            limit=sum(limit or 0 for limit in limits) if limits and None not in limits else None,
            used=sum(part.sum.used for part in parts),
            allowed=_whole(numbers.get(names.most)),
            sessions=_whole(numbers.get(names.used)),
            checked_at=at,
        )


def _place(address: str | None) -> _Place | None:
    """Return where an address leads; None for a socket's path and for several hosts."""
    authority = (address or "").partition("/")[0]
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        port = port.removeprefix(":")
    elif authority.count(":") > 1:  # an IPv6 address without brackets
        host, port = authority, ""
    else:
        host, _, port = authority.partition(":")
    if not host or "," in authority or (port and not port.isdecimal()):
        return None
    return _Place(host.lower().rstrip("."), int(port) if port else None)


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
