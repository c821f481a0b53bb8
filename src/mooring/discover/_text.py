"""From text or an environment to addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mooring.discover import _compose
from mooring.discover._found import ADDRESS, MOST_NAMED, Found, Looked, judged, looked, name_of, plain_address
from mooring.discover._groups import groups, used_by
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
    return list(look(text, kinds).found)


def look(text: str, kinds: Kinds | None = None) -> Looked:
    """Return the addresses in a text, and in words what was passed over; else as `discover`."""
    kinds, text = kinds or Kinds(), text[:MOST_CHARACTERS]
    notes: list[str] = []
    try:
        services = _compose.services_of(text)
    except _compose.NotReadError as error:
        services = None
        notes.append(f"{_sentence(str(error))}, so its lines were read one by one.")
    if services is not None:
        return looked(_of_services(services, kinds), _silent_services(services, kinds))
    variables = variables_of(text)
    lines, bare = _of_lines(text, kinds)
    of_variables = list(_of_variables(variables, kinds))
    return looked([*lines, *of_variables], [*notes, *_silent_lines(bare, variables, kinds)])


def from_environ(environ: Mapping[str, str], kinds: Kinds | None = None) -> list[Found]:
    """Return the addresses in an environment, each once: whole ones, and those made by several variables."""
    return list(looked(_of_variables(environ, kinds or Kinds())).found)


def _silent_lines(bare: int, variables: Mapping[str, str], kinds: Kinds) -> Iterator[str]:
    spoken = used_by(variables) | {each.source for each in _of_variables(variables, kinds)}
    silent = sum(name not in spoken for name in variables)
    if bare:
        yield f"{_counted(bare, 'line')} held no address to test."
    if silent:
        yield f"{_counted(silent, 'variable')} held no address to test."


def _silent_services(services: Mapping[str, _compose.Service], kinds: Kinds) -> Iterator[str]:
    silent = [name for name, each in services.items() if not any(_of_services({name: each}, kinds))]
    if silent:
        yield (
            f"{_counted(len(silent), 'service')} held no address to test: {', '.join(silent[:MOST_NAMED])}"
            + (", …" if len(silent) > MOST_NAMED else ".")
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _of_lines(text: str, kinds: Kinds) -> tuple[list[Found], int]:
    """Find the addresses that are no variable's value, and count the lines in which there is none."""
    found: list[Found] = []
    bare = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#") or LINE.fullmatch(line):
            continue
        here = list(_of_line(line, f"line {number}", kinds))
        found += here
        bare += not here
    return found, bare


def _of_line(line: str, place: str, kinds: Kinds) -> Iterator[Found]:
    named = _NAMED.fullmatch(line)
    if named is not None and (url := plain_address(named["url"])) is not None:
        yield judged(kinds, named["name"].strip(), url, place)
        return
    for match in ADDRESS.finditer(line):
        if (url := plain_address(match[0])) is not None:
            yield judged(kinds, name_of(url), url, place)


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
