"""The services of a Compose file that are databases, caches and brokers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mooring.discover._found import built
from mooring.discover._groups import NEEDS_LOGIN, SCHEMES, grouped
from mooring.discover._variables import expanded

PORTS = {
    "postgresql": "5432",
    "mysql": "3306",
    "redis": "6379",
    "amqp": "5672",
    "mongodb": "27017",
    "memcached": "11211",
    "mqtt": "1883",
    "nats": "4222",
    "ldap": "389",
    "smtp": "25",
}
_IMAGES = {**SCHEMES, "mosquitto": "mqtt", "eclipse-mosquitto": "mqtt", "openldap": "ldap", "mailhog": "smtp"}
_LOOKS_LIKE = re.compile(r"(?m)^services[ \t]*:")
_PORT = re.compile(
    r"(?:(?P<host>\[[^\]]*\]|[^:]*):)??(?:(?P<published>\d+)(?:-\d+)?:)?(?P<target>\d+)(?:-\d+)?(?:/tcp)?"
)
_REQUIREPASS = re.compile(r"--requirepass[\s=]+(\S+)")


@dataclass(slots=True)
class Service:
    """One service: what it runs, with which variables, and which of its ports are published where."""

    name: str
    image: str = ""
    command: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    ports: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def scheme(self) -> str | None:
        """What the image's name says."""
        image = self.image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()
        return _IMAGES.get(image)

    def address(self) -> tuple[str, tuple[str, ...]] | None:
        """Return the address as this machine reaches it, and what is missing, or None for other services."""
        scheme = self.scheme
        if scheme is None:
            return None
        inside = PORTS[scheme]
        host, port = self.ports.get(inside, (self.name, inside))
        missing = [] if inside in self.ports else [f"a published port (the service listens on {inside})"]
        parts = _login(scheme, self)
        if scheme in NEEDS_LOGIN:
            missing += [part for part in ("user", "password") if not parts.get(part)]
        return built(scheme, host, port, **parts), tuple(missing)


class NotReadError(Exception):
    """A text that looks like a Compose file and cannot be read as one; the words say why."""


def services_of(text: str) -> dict[str, Service] | None:
    """Return the services of a Compose file, or None where the text is none. Raises NotReadError."""
    if not _LOOKS_LIKE.search(text):
        return None
    try:
        import yaml
    except ImportError:
        raise NotReadError("Compose files are not understood here: PyYAML is not installed") from None
    try:
        document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  BaseLoader makes texts, lists and dicts only
    except yaml.YAMLError as error:
        raise NotReadError(f"the Compose file is no valid YAML{_place(error)}") from None
    except (ValueError, RecursionError):
        raise NotReadError("the Compose file is no valid YAML") from None
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        raise NotReadError("the Compose file names no services")
    return {str(name): _service(str(name), _merged(body)) for name, body in services.items()}


def _place(error: Exception) -> str:
    """Return where it is, and not what: YAML's own words repeat the text, in which secrets stand."""
    mark = getattr(error, "problem_mark", None)
    return f": line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""


def _service(name: str, body: Mapping[str, Any]) -> Service:
    command = body.get("command", "")
    return Service(
        name,
        image=_word(body.get("image", "")),
        command=" ".join(map(_word, command)) if isinstance(command, list) else _word(command),
        environment=_environment(body.get("environment")),
        ports=_ports(body.get("ports")),
    )


def _login(scheme: str, service: Service) -> dict[str, str]:
    """Return user, password and database as the official image takes them from its environment."""
    login: dict[str, str] = {}
    for parts in (group.parts for group in grouped(service.environment) if group.scheme == scheme):
        login |= {part: parts[part] for part in ("user", "password", "database") if part in parts}
        if "user" not in parts and "root_password" in parts:
            login |= {"user": "root", "password": parts["root_password"]}
    if scheme == "redis" and (given := _REQUIREPASS.search(service.command)) is not None:
        login["password"] = given[1]
    if scheme == "postgresql" and "password" in login:
        login.setdefault("user", "postgres")  # the image's default
    return {part: value for part, value in login.items() if "${" not in value}


def _environment(given: Any) -> dict[str, str]:
    if isinstance(given, dict):
        pairs = [(str(key), _word(value)) for key, value in _merged(given).items()]
    elif isinstance(given, list):
        pairs = [
            (name, value) for name, equals, value in (_word(each).partition("=") for each in given) if equals
        ]
    else:
        pairs = []
    variables: dict[str, str] = {}
    for name, value in pairs:
        variables[name] = expanded(value.replace("$$", "$"), {})
    return variables


def _ports(given: Any) -> dict[str, tuple[str, str]]:
    """Return the published ports: inner port -> (host, outer port)."""
    published: dict[str, tuple[str, str]] = {}
    for each in given if isinstance(given, list) else []:
        if isinstance(each, dict):
            target, outer, host = (_word(each.get(key, "")) for key in ("target", "published", "host_ip"))
        else:
            match = _PORT.fullmatch(expanded(_word(each), {}))
            target, outer, host = match.group("target", "published", "host") if match else ("", "", "")
        if target and outer:
            here = host in (None, "", "0.0.0.0", "[::]")  # noqa: S104  read, not listened on
            published[target] = ("localhost" if here else host.strip("[]"), outer)
    return published


def _merged(table: Any) -> dict[str, Any]:
    """Return a mapping with what `<<` brings in below it; anchors are shared, so nothing can grow."""
    if not isinstance(table, dict):
        return {}
    inherited = table.get("<<")
    above = inherited if isinstance(inherited, list) else [inherited]
    merged: dict[str, Any] = {}
    for each in above:
        if isinstance(each, dict):
            merged = {**each, **merged}
    return {**merged, **{key: value for key, value in table.items() if key != "<<"}}


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
