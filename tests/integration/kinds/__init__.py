"""One file per kind, from which `test_contract.py` makes its tests: the folder is the list.

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

A passive kind, of which nothing can be asked, has no `good`. Nothing else enumerates kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.servers.process import ServerProcess


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
