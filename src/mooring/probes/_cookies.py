"""Cookies, for as long as one check takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from mooring.core.clock import Clock
from mooring.net.http import Response
from mooring.net.http_request import Place, Request

MOST = 100
SHORTEST_SECRET = 8
"""Shorter values, such as "true" or "dark", are no session: masked they would hide ordinary words."""


@dataclass(frozen=True, slots=True)
class _Cookie:
    value: str
    place: Place
    path: str
    secure: bool

    def goes_to(self, place: Place) -> bool:
        path = place.target.partition("?")[0]
        below = path == self.path or path.startswith(self.path.rstrip("/") + "/")
        return below and self.place.trusts(place) and (place.secure or not self.secure)


class Jar:
    """Cookies by name and path. Each goes back to the host, scheme and port that set it, nowhere else."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cookies: dict[tuple[str, str, str], _Cookie] = {}

    def keep(self, place: Place, response: Response) -> None:
        """Keep what an answer sets, and forget what it ends."""
        for key, value in response.headers:
            if key == b"set-cookie":
                self._set(place, value.decode("latin-1"))

    def named(self, *places: Place) -> dict[str, str]:
        """Return the cookies that the hosts of these places have set, by name."""
        return {
            name: each.value.strip('"')
            for (name, _, _), each in self._cookies.items()
            if any(each.place.trusts(place) for place in places)
        }

    def dressed(self, request: Request) -> Request:
        """Return the request with the cookies that belong to where it goes, behind those it has."""
        there = [(key[0], each) for key, each in self._cookies.items() if each.goes_to(request.place)]
        if not there:
            return request
        own = [value for name, value in request.secrets if name.lower() == "cookie"]
        rest = tuple(pair for pair in request.secrets if pair[0].lower() != "cookie")
        there.sort(key=lambda pair: -len(pair[1].path))
        text = "; ".join([*own, *[f"{name}={cookie.value}" for name, cookie in there]])
        return replace(request, secrets=(*rest, ("Cookie", text)))

    @property
    def secrets(self) -> list[str]:
        """The values that may be sessions."""
        return [each.value for each in self._cookies.values() if len(each.value) >= SHORTEST_SECRET]

    def _set(self, place: Place, text: str) -> None:
        pair, *rest = text.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or not (name + value).isprintable():
            return
        said = {key.strip().lower(): each.strip() for key, _, each in (part.partition("=") for part in rest)}
        path = said.get("path", "")
        if not path.startswith("/"):
            path = place.target.partition("?")[0].rpartition("/")[0] or "/"
        key = (name, path, f"{place.scheme}://{place.authority}")
        if self._ended(said):
            self._cookies.pop(key, None)
        elif len(self._cookies) < MOST:
            self._cookies[key] = _Cookie(value, place, path, "secure" in said)

    def _ended(self, said: Mapping[str, str]) -> bool:
        age = said.get("max-age", "")
        if age.lstrip("-").isdecimal():
            return int(age) <= 0
        try:
            return parsedate_to_datetime(said["expires"]) <= self._clock.now()
        except (KeyError, ValueError, TypeError):  # TypeError: a date without a zone
            return False
