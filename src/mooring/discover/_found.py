"""One address that was found, and what can be said of it before it is tested."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

from pydantic import SecretStr, ValidationError

from mooring.core.failure import InputError
from mooring.probes._registry import Kinds
from mooring.probes._url import FRAMEWORKS, Url

LONGEST_NAME = 200
MOST_NAMED = 10
"""Places that a note names."""
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://[^\s'\"<>`|]{1,4096}")
_WHOLE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://[^\s'\"]{1,4096}")
SPELLINGS = {
    "pgsql": "postgresql",
    "postgis": "postgresql",
    "timescale": "postgresql",
    "psql": "postgresql",
    "mysql2": "mysql",
    "mysqlgis": "mysql",
    "mysql-connector": "mysql",
    "spatialite": "sqlite",
    "rediscache": "redis",
    "hiredis": "redis",
    "valkey": "redis",
    "valkeys": "rediss",
    "pyamqp": "amqp",
    "librabbitmq": "amqp",
}
"""Schemes that frameworks write and no kind is called by: Django's, Celery's, Rails'."""
PREFIXES = (*FRAMEWORKS, "cache+")
NOT_CONNECTIONS = frozenset(
    {
        "file",
        "data",
        "memory",
        "rpc",
        "filesystem",
        "locmem",
        "locmemcache",
        "dummy",
        "dummycache",
        "git",
        "ssh",
    }
)

_PLACEHOLDER = re.compile(r"\$\{([^{}:?-]+)[^{}]*\}|<([^<>/@]+)>")


@dataclass(frozen=True, slots=True)
class Found:
    """An address that was found. It can be tested where nothing is `missing` and there is no `note`.

    `kind` is None where this version has none for it. `source` says where it stood: a variable, a
    line, a Compose service.
    """

    name: str
    url: SecretStr
    kind: str | None
    missing: tuple[str, ...]
    source: str
    note: str | None = None


def plain_address(text: str) -> str | None:
    """Return an address in the spelling that the kinds know, or None where it is no connection's."""
    text = text.strip().rstrip(",;")
    for prefix in PREFIXES:
        text = text.removeprefix(prefix)
    if not _WHOLE.fullmatch(text):
        return None
    scheme, _, rest = text.partition("://")
    family, plus, driver = scheme.lower().partition("+")
    if family in NOT_CONNECTIONS:
        return None
    return f"{SPELLINGS.get(family, family)}{plus}{driver}://{rest}"


def built(
    scheme: str, host: str, port: str = "", user: str = "", password: str = "", database: str = ""
) -> str:
    """Return an address of its parts, each encoded so that no character of it can act."""
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    place = f"[{host}]" if ":" in host and not host.startswith("[") else host
    number = f":{port}" if port.isdecimal() else ""
    return f"{scheme}://{login}{'@' if login else ''}{place}{number}" + (
        f"/{quote(database, safe='')}" if database else ""
    )


def judged(kinds: Kinds, name: str, url: str, source: str, missing: Iterable[str] = ()) -> Found:
    """Return what can be said of an address: its kind, what is missing, why it could not be tested."""
    absent = [*missing, *(braced or angled for braced, angled in _PLACEHOLDER.findall(url))]
    scheme = url.partition("://")[0]
    found = Found(name, SecretStr(url), None, tuple(dict.fromkeys(absent)), source)
    try:
        kind = kinds.of_scheme(scheme)
    except InputError:
        return replace(found, note=f"{scheme} is not supported yet")
    found = replace(found, kind=kind.kind_name())
    try:
        kind.from_url(url)
    except ValidationError as error:
        said = "; ".join(
            each["msg"].removeprefix("Value error, ") for each in error.errors(include_input=False)
        )
        return found if found.missing else replace(found, note=said)
    except ValueError as error:
        return found if found.missing else replace(found, note=str(error))
    return found


def name_of(url: str) -> str:
    """Return a name for an address that came without one: where it leads."""
    try:
        parts = Url.parse(url)
    except ValueError:
        return url.partition("://")[0]
    return (parts.authority() or parts.name or parts.scheme)[:LONGEST_NAME]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a text holds: its addresses, and in sentences for people what of it was passed over."""

    found: tuple[Found, ...]
    notes: tuple[str, ...]


def looked(found: Iterable[Found], notes: Iterable[str] = ()) -> Looked:
    """Return each address once, under a name of its own, and tell which stood there again."""
    by_url: dict[str, Found] = {}
    again = [
        each.source
        for each in found
        if by_url.setdefault(each.url.get_secret_value().rstrip("/"), each) is not each
    ]
    repeated = [_repeated(again)] if again else []
    return Looked(tuple(_named(by_url.values())), (*notes, *repeated))


def _repeated(places: list[str]) -> str:
    shown = ", ".join(places[:MOST_NAMED]) + (", …" if len(places) > MOST_NAMED else "")
    if len(places) == 1:
        return f"1 address stood there before and is listed once: {shown}."
    return f"{len(places)} addresses stood there before and are listed once: {shown}."


def _named(found: Iterable[Found]) -> Iterator[Found]:
    taken: set[str] = set()
    for each in found:
        name, number = each.name, 2
        while name in taken:
            name, number = f"{each.name}-{number}", number + 1
        taken.add(name)
        yield replace(each, name=name)
