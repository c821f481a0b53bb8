"""Mooring itself: the installed `mooring serve` as a process of its own, with a database in a file."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias

import httpx
import pytest

from tests.servers.process import ServerProcess, private_folder

NO_TLS = False
"""For `verify` where there is no TLS: reading all authorities costs each client 30 ms of a core."""


class Mooring(ServerProcess):
    """One server on a port and a folder of its own. `options` go to `mooring serve`."""

    def __init__(
        self, folder: Path, *options: str, config: str = "", environ: dict[str, str] | None = None
    ) -> None:
        super().__init__(folder)
        self.options = options
        self.database = folder / "mooring.db"
        self.config = folder / "mooring.toml"
        self.config.write_text(config)
        self._environ = environ or {}

    def command(self) -> list[str]:
        program = str(Path(sys.executable).with_name("mooring"))
        variables = [f"{name}={value}" for name, value in {"MOORING_LOG": "debug", **self._environ}.items()]
        where = ["-c", str(self.config), "--database", f"sqlite:///{self.database}"]
        return ["env", *variables, program, "serve", "--port", str(self.port), *where, *self.options]

    def ready(self) -> bool:
        return httpx.get(f"{self.url}/readyz", timeout=5, verify=NO_TLS).status_code == 200

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """The first admin's token, as the first start kept it."""
        return (self.folder / "mooring.token").read_text().strip()

    @property
    def sign_in_address(self) -> str:
        """The one-time address that the first start printed."""
        found = re.findall(r"http\S+/sign-in\?code=\S+", self.log)
        assert len(found) == 1, self.log
        return str(found[0])

    def client(self, **options: Any) -> httpx.Client:
        """Return a client that is the first admin."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, verify=NO_TLS, **options)

    @contextmanager
    def lent(self) -> Iterator[Self]:
        """Lend the server to one test of many: what it adds is removed after, and what it ended started."""
        yield self
        if not self.running:
            self.start()
        with self.client() as client:
            for target in client.get("/api/v1/targets", params={"limit": 500}).json()["items"]:
                if target["origin"] == "api":
                    _removed(client.delete(f"/api/v1/targets/{target['id']}"))
            for token in client.get("/api/v1/tokens").json()["items"]:
                if token["name"] != "first":
                    _removed(client.delete(f"/api/v1/tokens/{token['id']}"))


def _removed(answer: httpx.Response) -> None:
    assert answer.status_code == httpx.codes.NO_CONTENT, answer.text


StartMooring: TypeAlias = Callable[..., AbstractContextManager[Mooring]]
"""`with start_mooring("--base-path", "/mooring", config=...) as server:`"""


@pytest.fixture
def start_mooring() -> StartMooring:
    """Starts a server that the test may mistreat."""

    @contextmanager
    def start(*options: str, **settings: Any) -> Iterator[Mooring]:
        with private_folder() as folder, Mooring(folder, *options, **settings) as server:
            yield server

    return start
