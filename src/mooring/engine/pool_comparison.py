"""What the pools of all services may take of a server, beside what a watched target knows of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mooring.core.health import Health
from mooring.core.pool_view import Comparison, PoolView
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


def compared(
    views: Sequence[PoolView], targets: Iterable[Target], healths: Mapping[int, Health]
) -> list[PoolView]:
    """Return the pools, each with the watched servers that are behind it."""
    servers = _servers(targets, healths)
    found = {server.ref.id: _with(server, views, healths) for server in servers}
    return [
        view._replace(
            comparison=tuple(
                each for server in servers if _is(server, view) and (each := found[server.ref.id])
            )
        )
        for view in views
    ]


def _servers(targets: Iterable[Target], healths: Mapping[int, Health]) -> list[Target]:
    """Return one target a server: of several databases on it, the one that was checked last."""
    newest: dict[tuple[str, _Place], Target] = {}
    for target in targets:
        kind = target.ref.kind
        place = _place(target.ref.address) if kind in _KINDS else None
        if place is None:
            continue
        known = newest.get((kind, place))
        if known is None or _checked(target, healths) > _checked(known, healths):
            newest[kind, place] = target
    return list(newest.values())


def _checked(target: Target, healths: Mapping[int, Health]) -> float:
    last = healths.get(target.id or 0, Health()).last
    told = _KINDS[target.ref.kind]
    knows = last is not None and told.most in last.observation.numbers
    return last.started_at.timestamp() if last is not None and knows else 0.0


def _with(server: Target, views: Sequence[PoolView], healths: Mapping[int, Health]) -> Comparison:
    sharing = [view for view in views if _is(server, view) and view.sum.instances]
    ref, told = server.ref, _KINDS[server.ref.kind]
    last = healths.get(server.id or 0, Health()).last
    numbers = last.observation.numbers if last is not None else {}
    limits = [view.sum.limit for view in sharing]
    return Comparison(
        address=ref.address.partition("/")[0],
        target_id=ref.id or 0,
        target=ref.name,
        kind=ref.kind,
        services=sorted({view.service for view in sharing}),
        limit=sum(limit or 0 for limit in limits) if limits and None not in limits else None,
        used=sum(view.sum.used for view in sharing),
        allowed=_whole(numbers.get(told.most)),
        sessions=_whole(numbers.get(told.used)),
        checked_at=last.started_at if last is not None and told.most in numbers else None,
    )


def _is(server: Target, view: PoolView) -> bool:
    """Whether a pool's connections lead to a server, as far as their addresses say."""
    behind = _place(view.address or "")
    known = _place(server.ref.address)
    if behind is None or known is None or behind.host != known.host:
        return False
    return (behind.port or _KINDS[server.ref.kind].port) == known.port


def _place(address: str) -> _Place | None:
    """Return where an address leads; None for a socket's path and for several hosts."""
    authority = address.partition("/")[0]
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        port = port.removeprefix(":")
    elif authority.count(":") > 1:  # an IPv6 address without brackets
        host, port = authority, ""
    else:
        host, _, port = authority.partition(":")
    if not host or "," in address or (port and not port.isdecimal()):
        return None
    host = host.lower().rstrip(".")
    return _Place("localhost" if host in _SAME else host, int(port) if port else None)


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
