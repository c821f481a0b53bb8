"""A request as it is written, with gaps for what earlier answers hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from pydantic import SecretStr

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.http_request import Place, Request, demand_headers
from mooring.net.tls import TLSSettings
from mooring.probes import _graphql as graphql
from mooring.probes._base import looks_secret
from mooring.probes._graphql import GraphQL
from mooring.probes._http import authenticates, split_headers
from mooring.probes._saved import filled, in_body, in_url, names_in, without
from mooring.probes._url import Url

JSON = "application/json"
_NOT_SENDABLE = Prose(
    "Look at what the step before saves: is it what is meant, and in letters that can stand there?"
)
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Draft:
    """What one request will be. `names` are the saved values that it needs; without any it is `fixed`."""

    url: str = field(repr=False)
    method: str
    public: Pairs
    secret: Pairs = field(repr=False)
    body: str | None = field(repr=False)
    content_type: str
    tls: TLSSettings

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The saved values that it needs, each with the first setting that says so. Raises ValueError."""
        found: dict[str, str] = {}
        texts = (
            ("url", self.url),
            *[("token" if name == "Authorization" else "headers", value) for name, value in self.secret],
            ("body", self.body or ""),
        )
        for setting, text in texts:
            try:
                for name in names_in(text):
                    found.setdefault(name, setting)
            except ValueError as error:
                raise ValueError(f"{setting}: {error}") from None
        return found

    @cached_property
    def fixed(self) -> Request:
        """The request as it is written; what `filled` gives where nothing has to be filled in."""
        body = None if self.body is None else self.body.encode()
        return Request(Place.parse(self.url), self.method, self.public, self.secret, body, self.tls)

    @cached_property
    def shown(self) -> str:
        """Its address without login and query, references as they are written."""
        return self.fixed.shown.replace("%7B%7B", "{{").replace("%7D%7D", "}}")

    @cached_property
    def path(self) -> str:
        """Its path, references as they are written."""
        return self.shown.partition("://")[2].partition("/")[2].join(("/", ""))

    @property
    def logged_in(self) -> bool:
        """Whether it carries a login, or what a step before gave it."""
        return bool(self.names) or authenticates(self.secret)

    def filled(self, saved: Mapping[str, str]) -> Request:
        """Return the request with the values in their places. Raises CheckError where one does not fit."""
        if not self.names:
            return self.fixed
        secret = tuple((name, filled(value, saved)) for name, value in self.secret)
        body = None if self.body is None else filled(self.body, saved, in_body(self.content_type)).encode()
        try:
            demand_headers(secret)
            place = Place.parse(filled(self.url, saved, in_url))
        except ValueError as error:
            text = f"what was saved cannot be sent: {error}"
            raise CheckError(
                Reason.ASSERTION, text, code="NOT_SENDABLE", hint=_NOT_SENDABLE, stage=Stage.FUNCTION
            ) from None
        return replace(self.fixed, place=place, secrets=secret, body=body)

    def secrets(self) -> Iterator[str]:
        """Yield what its body hides: values under names such as password."""
        yield from _hidden(_parsed(self.body or ""))


def draft(
    url: str,
    method: str,
    headers: Mapping[str, str | SecretStr],
    token: SecretStr | None,
    body: SecretStr | None,
    question: GraphQL | None,
    tls: TLSSettings,
) -> Draft:
    """Return what these settings ask for. Raises ValueError that begins with the setting's name."""
    _demand_host(url)
    text = None if body is None else body.get_secret_value()
    public, secret = split_headers(headers, Url.parse(url), token)
    given = {name.lower(): value for name, value in (*public, *secret)}
    if question is not None:
        text, method = _demand_json(question.body()), "POST"
        public = (*public, *[("Accept", graphql.ACCEPT)] * ("accept" not in given))
    kind = given.get("content-type", JSON if _is_json(text or "") else "")
    if kind and "content-type" not in given:
        public = (*public, ("Content-Type", kind))
    gaps = tuple(pair for pair in public if "{{" in pair[1])
    made = Draft(url, method, tuple(p for p in public if p not in gaps), (*secret, *gaps), text, kind, tls)
    _ = made.names
    try:
        _ = made.fixed
    except ValueError as error:
        raise ValueError(f"url: {error}") from None
    return made


def _demand_host(url: str) -> None:
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    if "{{" in authority:
        raise ValueError("url: a saved value may stand in path and query, not in the host or the login")


def _demand_json(text: str) -> str:
    if not _is_json(text):
        raise ValueError("graphql: variables is no JSON object")
    return text


def _is_json(text: str) -> bool:
    return isinstance(_parsed(text), (dict, list)) and text.lstrip()[:1] in ("{", "[")


def _parsed(text: str) -> Any:
    """Return a body's JSON, else the pairs of a form."""
    try:
        return json.loads(without(text))
    except (ValueError, RecursionError):
        return dict(parse_qsl(text)) if "=" in text and "\n" not in text else None


def _hidden(value: Any, secret: bool = False) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _hidden(item, secret or looks_secret(str(key)))
    elif isinstance(value, list):
        for item in value:
            yield from _hidden(item, secret)
    elif secret and isinstance(value, str) and value != "0":
        yield value
