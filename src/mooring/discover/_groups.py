"""Variables that only together make an address: PGHOST and PGUSER, POSTGRES_*, DB_ENGINE and DB_HOST, ..."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mooring.discover._found import built

SCHEMES = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "pgsql": "postgresql",
    "postgis": "postgresql",
    "pg": "postgresql",
    "timescaledb": "postgresql",
    "mysql": "mysql",
    "mysql2": "mysql",
    "mariadb": "mysql",
    "redis": "redis",
    "valkey": "redis",
    "rabbitmq": "amqp",
    "amqp": "amqp",
    "mongo": "mongodb",
    "mongodb": "mongodb",
    "memcached": "memcached",
    "mqtt": "mqtt",
    "nats": "nats",
    "ldap": "ldap",
    "smtp": "smtp",
}
"""Words of variables and of images, and the scheme that they mean."""
NEEDS_LOGIN = frozenset({"postgresql", "mysql", "amqp"})

_PARTS = {
    "host": "HOST HOSTNAME SERVER ADDR ADDRESS SERVICE_HOST",
    "port": "PORT SERVICE_PORT",
    "user": "USER USERNAME LOGIN DEFAULT_USER INITDB_ROOT_USERNAME",
    "password": "PASSWORD PASS DEFAULT_PASS INITDB_ROOT_PASSWORD",
    "root_password": "ROOT_PASSWORD",
    "database": "DB DATABASE DBNAME NAME INITDB_DATABASE VHOST",
    "engine": "ENGINE CONNECTION DRIVER TYPE ADAPTER DIALECT",
}
_PART_OF = {suffix: part for part, suffixes in _PARTS.items() for suffix in suffixes.split()}
_LONGEST_FIRST = sorted(_PART_OF, key=len, reverse=True)
_LIBPQ = {
    "PGHOST": "host",
    "PGHOSTADDR": "host",
    "PGPORT": "port",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGDATABASE": "database",
}
_DOCKER_LINK = re.compile(r"_PORT_\d+_TCP")
"""REDIS_PORT_6379_TCP_ADDR and its like only repeat REDIS_SERVICE_HOST."""
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/]+):(?P<port>\d+)")


@dataclass(slots=True)
class Group:
    """The parts that share a stem, such as ORDERS_DB."""

    stem: str
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def scheme(self) -> str | None:
        """What the engine's variable says, else what a word of the stem says."""
        engine = self.parts.get("engine", "").lower()
        for word in [*reversed(re.split(r"[^a-z0-9]+", engine)), *reversed(self.stem.lower().split("_"))]:
            if word in SCHEMES:
                return SCHEMES[word]
        return None

    def address(self) -> tuple[str, tuple[str, ...]] | None:
        """Return the address and what is missing of it, or None where this is no connection."""
        scheme, parts = self.scheme, self.parts
        known = self.stem.lower() in SCHEMES or self.stem == "PG"
        if (
            scheme is None
            or "://" in parts.get("host", "")
            or not ("host" in parts or (known and len(parts) > 1))
        ):
            return None
        host, port = parts.get("host", ""), parts.get("port", "")
        if (both := _HOST.fullmatch(host)) is not None:
            host, port = both["host"], both["port"]
        user, password = parts.get("user", ""), parts.get("password", "")
        if not user and "root_password" in parts:
            user, password = "root", parts["root_password"]
        wanted = {"host": host}
        if scheme in NEEDS_LOGIN:
            wanted |= {"user": user, "password": password}
        missing = tuple(part for part, value in wanted.items() if not value)
        return built(scheme, host, port, user, password, parts.get("database", "")), missing


def groups(variables: Mapping[str, str]) -> Iterator[Group]:
    """Yield the groups of an environment that make an address."""
    return (group for group in grouped(variables) if group.address() is not None)


def used_by(variables: Mapping[str, str]) -> set[str]:
    """Return the variables that give a part of an address that they make together."""
    stems = {group.stem for group in groups(variables)}
    return {name for name in variables if _split(name)[1] is not None and _split(name)[0] in stems}


def grouped(variables: Mapping[str, str]) -> list[Group]:
    """Return the variables that give a part of an address, by stem; unknown references are left out."""
    found: dict[str, Group] = {}
    for name, value in variables.items():
        stem, part = _split(name)
        if part is not None and value and value.isprintable() and "${" not in value:
            found.setdefault(stem, Group(stem)).parts.setdefault(part, value)
    return list(found.values())


def _split(name: str) -> tuple[str, str | None]:
    """Return the stem of a variable and the part that it gives."""
    if name in _LIBPQ:
        return "PG", _LIBPQ[name]
    upper = name.upper()
    if _DOCKER_LINK.search(upper):
        return upper, None
    for suffix in _LONGEST_FIRST:
        if upper.endswith(f"_{suffix}"):
            return upper.removesuffix(f"_{suffix}"), _PART_OF[suffix]
    return upper, None
