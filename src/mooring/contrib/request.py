"""The scope of one web request, named by its route."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import ref

from mooring.pools.scope import Scope, here, words

METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "WEBSOCKET"}
)
MOST_PARTS = 12
"""Parts of a path that a name has."""
ID = "{id}"
_WORD = re.compile(r"[A-Za-z][A-Za-z._~-]{0,39}|v\d{1,2}|")
"""What stands in a path for itself. All else may be an id, a name or a secret."""
_PARAMETER = re.compile(r"\{(\w+)(?::[^}]*)?\}|<(?:[^<>]*[:>])?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
"""Of a route as Starlette, Flask and Django write it, and of Django's regular expressions."""

Match = Callable[["Facts"], "str | None"]


class Facts(NamedTuple):
    """What is known of a request. Keeps nothing else of it alive."""

    method: str
    path: str
    template: str | None = None
    """The route's path, from the framework."""
    mount: str = ""
    """The path before it, where an application is mounted in another."""
    parameters: Mapping[str, Any] | None = None
    """What of the path the framework took for parameters."""


class Request(Scope):
    """The scope of a web request. Its name is found when somebody asks: no route is known when it begins.

    Args:
        facts: tells what is known of the request now.
        match: finds the route of a request that has told none.
    """

    __slots__ = ("_facts", "_look", "_match", "_name")

    def __init__(self, facts: Callable[[], Facts], match: Match) -> None:
        self._name: str | None = None
        self._look = facts
        self._match = match
        self._facts: Facts | None = None
        super().__init__(None)
        with suppress(Exception):  # a loop of its own kind: its tasks may take no weak references
            self.owner = ref(here())

    @property
    def name(self) -> str | None:
        """The method and the route, such as `GET /orders/{id}`."""
        if self._name is None and self._facts is not None:
            self._name = name_of(self._facts, self._match)
        return self._name or name_of(self._told(), self._match)

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    def end(self) -> None:
        """Say that the request is over, and keep nothing of it but what its name is made of."""
        if not self.over:
            facts = self._facts = self._told()
            self._look = lambda: facts
            self.over = True

    def _told(self) -> Facts:
        try:
            return self._look()
        except Exception:  # a stranger's route or parameter
            return Facts("OTHER", "")


def name_of(facts: Facts, match: Match) -> str:
    """Return a request's name by its route, or by its path with what may be an id or a secret masked."""
    method = facts.method if facts.method in METHODS else "OTHER"
    try:
        template = facts.template if facts.template is not None else match(facts)
    except Exception:  # a framework's own, which has no such route, or is not set up
        template = None
    if template is None:
        return f"{method} {masked(facts.path, facts.parameters)}"
    return f"{method} {masked(facts.mount, facts.parameters) if facts.mount else ''}{_plain(template)}"


def masked(path: str, parameters: Mapping[str, Any] | None = None) -> str:
    """Return a path with `{id}` for each part that is no plain word, and names for known parameters."""
    given = parameters if isinstance(parameters, Mapping) else {}
    names = {words(value): f"{{{name}}}" for name, value in given.items()}
    parts = [names.get(part) or (part if _WORD.fullmatch(part) else ID) for part in path.split("/")]
    return "/".join(parts[:MOST_PARTS]) or "/"


def django_route(facts: Facts) -> str | None:
    """Return the route that Django's own table of them has for a path; None where Django is not in use."""
    urls: Any = sys.modules.get("django.urls")
    return None if urls is None else f"/{urls.resolve(facts.path).route.lstrip('/^')}"


def _plain(template: str) -> str:
    """Return a route with its parameters as `{name}`."""
    return _PARAMETER.sub(lambda found: f"{{{found[1] or found[2] or found[3]}}}", template).rstrip("$")
