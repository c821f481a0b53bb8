"""The stored targets, through a running server or in the database itself: one set of verbs for both."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from mooring.cli.client import LOOPBACK, ServerClient
from mooring.cli.given import config_path
from mooring.config import beside, load
from mooring.core.failure import InputError, MissingError
from mooring.core.health import Health
from mooring.core.target import Origin, Target
from mooring.export.json import health_json
from mooring.references import References
from mooring.targets import keys_of

if TYPE_CHECKING:  # a server's client needs no store
    from mooring.app import App

Json = Mapping[str, Any]
ANSWER_ONLY = frozenset({"id", "origin", "version", "changed_at", "address", "health"})
"""What an answer adds to a target's keys."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What `apply` does, by name. `unsure` are changed too: their secrets cannot be compared."""

    add: Sequence[str] = ()
    change: Sequence[str] = ()
    unsure: Sequence[str] = ()
    remove: Sequence[str] = ()
    keep: Sequence[str] = ()


class Targets(Protocol):
    """What can be done with stored targets. Targets are as the API answers them."""

    async def all(self) -> Sequence[Json]: ...

    async def add(self, keys: Json) -> Json: ...

    async def edit(self, target_id: int, changes: Json) -> Json: ...

    async def remove(self, target_id: int) -> None: ...

    async def apply(self, wanted: Sequence[Target], *, prune: bool, plan: bool) -> Planned: ...


async def find(targets: Targets, words: Sequence[str]) -> list[Json]:
    """Return the targets of these names, else ids. Raises MissingError that names all others."""
    everything = await targets.all()
    by_name = {target["name"]: target for target in everything}
    by_id = {str(target["id"]): target for target in everything}
    found = {word: by_name.get(word) or by_id.get(word) for word in words}
    missing = [word for word, target in found.items() if target is None]
    if missing:
        raise MissingError(f"there is no target named {', '.join(map(repr, missing))}")
    return [target for target in found.values() if target is not None]


@asynccontextmanager
async def opened(args: argparse.Namespace) -> AsyncIterator[Targets]:
    """Open what the command line names: a server with --server or MOORING_SERVER, else the database."""
    server = args.server or (None if args.database else os.environ.get("MOORING_SERVER"))
    if server:
        yield ThroughServer(
            ServerClient(server, args.token or os.environ.get("MOORING_TOKEN") or _kept(args, server))
        )
        return
    from mooring.app import App

    settings = load(config_path(args), os.environ, database=args.database)
    async with App(settings, watch=False) as app:
        yield InDatabase(app)


def _kept(args: argparse.Namespace, server: str) -> str | None:
    """Return the admin token that a server on this machine kept at its first start, where we may read it."""
    if urlsplit(server).hostname not in LOOPBACK:
        return None
    try:
        settings = load(config_path(args), os.environ, database=args.database)
        return settings.token_file.read_text(encoding="utf-8").strip()
    except (InputError, OSError, ValueError):
        return None


class InDatabase:
    """The targets of a database. A server that runs on it notices what is changed here."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def all(self) -> Sequence[Json]:
        """Return every target with its health."""
        return [self._answer(target) for target in self._app.catalogue.targets.values()]

    async def add(self, keys: Json) -> Json:
        """Store a new target. References are resolved and relative paths taken from here."""
        return self._answer(await self._app.catalogue.add(_resolved(keys)))

    async def edit(self, target_id: int, changes: Json) -> Json:
        """Change some keys."""
        return self._answer(await self._app.catalogue.edit(target_id, changes))

    async def remove(self, target_id: int) -> None:
        """Forget a target."""
        await self._app.catalogue.remove(target_id)

    async def apply(self, wanted: Sequence[Target], *, prune: bool, plan: bool) -> Planned:
        """Make the stored targets the wanted ones in one transaction; with `plan` only say what it means."""
        names = {target.name for target in wanted}
        catalogue = self._app.catalogue

        def mine(target: Target) -> bool:
            return prune or target.name in names

        if plan:
            made = catalogue.plan(wanted, Origin.API, mine)
        else:
            made = await catalogue.apply(wanted, Origin.API, mine)
        return Planned(
            add=[each.name for each in made.add],
            change=[each.name for each in made.change],
            remove=[each.name for each in made.remove],
            keep=[each.name for each in made.keep],
        )

    def revealed(self, target_id: int) -> Json:
        """Return a target's keys with its secrets."""
        return keys_of(self._app.catalogue.get(target_id), reveal=True)

    def _answer(self, target: Target) -> Json:
        health = self._app.catalogue.health.get(target.id or 0, Health())
        own = {"id": target.id, "origin": target.origin.value, "version": target.version}
        return {**own, "address": target.ref.address, **keys_of(target), "health": health_json(health)}


class ThroughServer:
    """The targets of a running server. `apply` is one request per target."""

    def __init__(self, client: ServerClient) -> None:
        self._client = client

    async def all(self) -> Sequence[Json]:
        """Return every target with its health."""
        return list(self._client.pages("/targets"))

    async def add(self, keys: Json) -> Json:
        """Store a new target."""
        answer: Json = self._client.call("POST", "/targets", keys)
        return answer

    async def edit(self, target_id: int, changes: Json) -> Json:
        """Change some keys."""
        answer: Json = self._client.call("PATCH", f"/targets/{target_id}", changes)
        return answer

    async def remove(self, target_id: int) -> None:
        """Forget a target."""
        self._client.call("DELETE", f"/targets/{target_id}")

    async def apply(self, wanted: Sequence[Target], *, prune: bool, plan: bool) -> Planned:
        """Make the stored targets the wanted ones; with `plan` only say what that means."""
        there = {t["name"]: t for t in await self.all() if t["origin"] == Origin.API.value}
        planned = _planned(wanted, there, prune=prune)
        if plan:
            return planned
        by_name = {target.name: target for target in wanted}
        for name in planned.remove:
            await self.remove(there[name]["id"])
        for name in (*planned.change, *planned.unsure):
            keys = keys_of(by_name[name], reveal=True)
            gone = dict.fromkeys(there[name].keys() - keys.keys() - ANSWER_ONLY)
            await self.edit(there[name]["id"], gone | keys)
        for name in planned.add:
            await self.add(keys_of(by_name[name], reveal=True))
        return planned


def _planned(wanted: Sequence[Target], there: Mapping[str, Json], *, prune: bool) -> Planned:
    groups: dict[str, list[str]] = {"add": [], "change": [], "unsure": [], "keep": []}
    for target in wanted:
        stored = there.get(target.name)
        if stored is None:
            groups["add"].append(target.name)
        elif _given(stored) != _given(keys_of(target)):
            groups["change"].append(target.name)
        else:
            groups["unsure" if any(target.probe.secrets()) else "keep"].append(target.name)
    gone = sorted(there.keys() - {target.name for target in wanted}) if prune else ()
    return Planned(**groups, remove=gone)


def _given(keys: Json) -> Json:
    """Return the keys that say something: an answer also tells those that are not set, as null."""
    return {key: value for key, value in keys.items() if key not in ANSWER_ONLY and value is not None}


def _resolved(keys: Json) -> Json:
    references = References(os.environ)
    here = Path("here")
    made = {key: beside(here, key, references.resolve(value, key)) for key, value in keys.items()}
    if references.problems:
        raise InputError(references.problems)
    return made
