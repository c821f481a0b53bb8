"""One file per kind, from which `test_contract.py` and `test_faults.py` are made: the folder is the list.

To put a kind under the contract, add `tests/integration/kinds/<kind>.py` with

    DIALS = True        # it connects to a TCP port, so that the fault proxy can stand in between

    @contextmanager
    def good(request: pytest.FixtureRequest) -> Iterator[Example]:
        server = request.getfixturevalue("redis")       # any fixture of tests/servers
        yield Example(
            settings={"url": server.url()},             # flat keys of a target that is up
            broken={"url": server.url(password="wrong")},   # ... and of one that fails
            port=server.port,                           # the port in settings["url"]; None without DIALS
            sessions=server.sessions,                   # clients on the server's books, ours not counted
            secret="the password in settings",          # nothing may ever show it
            server=server,                              # a ServerProcess, to be paused and resumed
        )

    FAULTS = (              # every way in which a real server fails, and exactly what is told of it
        Fault(
            "the password is wrong",
            (Stage.AUTH, Reason.AUTH, "WRONGPASS"),
            asking("redis", lambda server: {"url": server.url(password="wrong")}),
            hint="Compare user and password with its ACL.",
        ),
    )

Where no real server can be had, `STAND_IN = "a sentence that says what it is"`. A passive kind, of which
nothing can be asked, has none of these. Nothing else enumerates kinds. From FAULTS
docs/reference/faults.md is written, so a fault is named in the words of a user. Those of TLS are
in `tests/integration/tls_faults.py`, with arrangements for them in `over_tls.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.servers.played import patient, saying
from tests.servers.process import ServerProcess

Arrangement: TypeAlias = Callable[[pytest.FixtureRequest], AbstractContextManager[Mapping[str, Any]]]
"""Brings a fault about for as long as it is entered, and gives the settings of a target that meets it."""


@dataclass(frozen=True)
class Fault:
    """One way in which a real server fails, and what is told of it: exactly that, nothing near it."""

    what: str
    """The fault in a user's words, as a clause: "the password is wrong". Unique within the kind."""
    told: tuple[Stage | None, Reason, str]
    """Where, why, and the code."""
    arrange: Arrangement
    hint: str | None
    """What a person is told to do, word for word."""
    fix: str | None = None
    """The line that can be pasted, where there is one."""
    timeout: float = 5
    """Seconds that the check may take: less where nothing will answer."""


def asking(fixture: str, settings: Callable[[Any], Mapping[str, Any]]) -> Arrangement:
    """Return the arrangement of a fault that a shared server answers with, left as it is."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        yield settings(request.getfixturevalue(fixture))

    return arrange


def asking_paused(fixture: str) -> Arrangement:
    """Return the arrangement of a shared server that hangs: it accepts, and answers nothing."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        server = request.getfixturevalue(fixture)
        with server.paused():
            yield {"url": server.url()}

    return arrange


def asking_played(
    words: bytes, settings: Callable[[int], Mapping[str, Any]], *, after: bytes = b"", then: str = "hold"
) -> Arrangement:
    """Return the arrangement of a server on a port that says this, as no real one can be made to.

    `after` and `then` are those of `saying`.
    """

    @contextmanager
    def arrange(_: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        with saying(words, after=after, then=then) as port:
            yield settings(port)

    return arrange


def asking_patient(words: bytes, after: bytes, settings: Callable[[int], Mapping[str, Any]]) -> Arrangement:
    """Return the arrangement of a server that says this to each client that said `after`."""

    @contextmanager
    def arrange(_: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        with patient(words, after=after) as port:
            yield settings(port)

    return arrange


def asking_cut(settings: Callable[[int], Mapping[str, Any]]) -> Arrangement:
    """Return the arrangement of a port with TLS that hangs up on plain text without a word."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        certificates = request.getfixturevalue("certificates")
        with request.getfixturevalue("start_openssl")(certificates.good) as port:
            yield settings(port)

    return arrange


@dataclass(frozen=True)
class Example:
    """What the contract suite needs of one kind. `good()` is entered once per test."""

    settings: Mapping[str, Any]
    """The kind's settings (without `name` and `kind`) of a target whose check is up."""
    broken: Mapping[str, Any]
    """Settings whose check fails after it got as far as it can: a wrong password, an unknown path."""
    port: int | None = None
    """The TCP port of `settings["url"]`, which is replaced by the fault proxy's."""
    sessions: Callable[[], int] | None = None
    """Counts the clients on the server's own books; None where the server keeps none."""
    secret: str | None = None
    """The secret in `settings`, which `secrets()` has to yield and nothing may show; None: there is none."""
    server: ServerProcess | None = None
    """The server, which the suite pauses for a moment; None without DIALS."""

    def through(self, port: int) -> dict[str, Any]:
        """Return the settings with another port."""
        return {**self.settings, "url": str(self.settings["url"]).replace(f":{self.port}", f":{port}", 1)}

    def at_host(self, host: str) -> dict[str, Any]:
        """Return the settings with another host."""
        url = urlsplit(str(self.settings["url"]))
        login, at, _ = url.netloc.rpartition("@")
        return {**self.settings, "url": url._replace(netloc=f"{login}{at}{host}:{self.port}").geturl()}
