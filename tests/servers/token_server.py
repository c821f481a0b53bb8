"""A real API, in a process of its own, that people log in to: by token, by cookie, by GraphQL.

`token_server` is one server for the whole session: only ask it. The logins are APP, which may see the
orders, and READER, which may not.

    /login         POST JSON in, access_token out     /orders, /orders/7   behind it; 403 for READER
    /token         POST a form in, as OAuth           /me                  behind it, by cookie too
    /polite-login  a rejected login told with 200     /graphql             me, orders, broken, login
    /form          for people: hidden field, cookie   /echo, /odd, /slow   what else there is
    /cookie        a session by cookie, at once
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.servers.process import ServerProcess, private_folder

APP = ("app", "s3cret-of-app")
READER = ("reader", "s3cret-of-reader")
_PROGRAM = Path(__file__).with_name("_token_server.py")


class TokenServer(ServerProcess):
    """One server."""

    def command(self) -> list[str]:
        return [sys.executable, str(_PROGRAM), str(self.port)]

    def ready(self) -> bool:
        with urlopen(self.url("/form"), timeout=5) as answer:
            return bool(answer.status == 200)

    def url(self, path: str = "/") -> str:
        """Return an address of this server."""
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture(scope="session")
def token_server() -> Iterator[TokenServer]:
    """One server for the session; only ask it."""
    with private_folder() as folder, TokenServer(folder) as server:
        yield server
