"""From text or an environment to addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mooring.discover import _compose
from mooring.discover._found import ADDRESS, Found, distinct, judged, name_of, plain_address
from mooring.discover._groups import groups
from mooring.discover._variables import LINE, variables_of
from mooring.probes._registry import Kinds

MOST_CHARACTERS = 10_000_000

_NAMED = re.compile(r"\s*(?P<name>[^=:/#'\"\n]{1,200}?)\s*=\s*(?P<url>\S+)\s*")
_TAIL = re.compile(r"_?(DATABASE_|DB_)?(URL|URI|DSN|ADDRESS|ADDR|CONNECTION_STRING)$")
_NOT_ASKED = re.compile(r"(?i)(^|_)proxy$|(^|_)webhook(_|$)")
"""Addresses that are asked through, or that set something off: a webhook's is itself a secret."""


def discover(text: str, kinds: Kinds | None = None) -> list[Found]:
    """Return the addresses in a text, each once. Never raises: what cannot be understood is passed over.

    Understood are a list (one address a line, or `name = address`), a .env file and a Compose file.
    A Compose file is understood where PyYAML is installed (the extra `server`).
    """
    kinds, text = kinds or Kinds(), text[:MOST_CHARACTERS]
    services = _compose.services_of(text)
    if services is not None:
        return distinct(_of_services(services, kinds))
    return distinct([*_of_lines(text, kinds), *_of_variables(variables_of(text), kinds)])


def from_environ(environ: Mapping[str, str], kinds: Kinds | None = None) -> list[Found]:
    """Return the addresses in an environment, each once: whole ones, and those made by several variables."""
    return distinct(_of_variables(environ, kinds or Kinds()))


def _of_lines(text: str, kinds: Kinds) -> Iterator[Found]:
    """Find the addresses that are no variable's value."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or LINE.match(line):
            continue
        named = _NAMED.fullmatch(line)
        if named is not None and (url := plain_address(named["url"])) is not None:
            yield judged(kinds, named["name"].strip(), url, f"line {number}")
            continue
        for match in ADDRESS.finditer(line):
            if (url := plain_address(match[0])) is not None:
                yield judged(kinds, name_of(url), url, f"line {number}")


def _of_variables(variables: Mapping[str, str], kinds: Kinds, source: str = "") -> Iterator[Found]:
    for name, value in variables.items():
        url = None if _NOT_ASKED.search(name) else plain_address(value)
        if url is not None:
            yield judged(kinds, _spoken(name), url, source + name)
    for group in groups(variables):
        url, missing = group.address() or ("", ())
        name = _spoken(group.stem) if group.stem != "PG" else "postgresql"
        yield judged(kinds, name, url, f"{source}{group.stem}{'' if group.stem == 'PG' else '_'}*", missing)


def _of_services(services: Mapping[str, _compose.Service], kinds: Kinds) -> Iterator[Found]:
    for name, service in services.items():
        place = f"service {name}"
        address = service.address()
        if address is None:
            yield from _of_variables(service.environment, kinds, f"{place}: ")
        else:
            url, missing = address
            yield judged(kinds, name, url, place, missing)


def _spoken(variable: str) -> str:
    """Return a name for what a variable holds: ORDERS_DATABASE_URL is orders."""
    stem = _TAIL.sub("", variable.upper())
    if not stem:
        stem = variable.upper().rpartition("_")[0] or variable.upper()
    elif variable != variable.upper() and variable.upper() == stem:
        return variable
    return stem.lower().replace("_", "-")
