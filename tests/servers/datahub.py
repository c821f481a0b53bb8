"""A stand-in for DataHub, in a process of its own, with a part of its GraphQL schema that we wrote.

`datahub` is one server for the whole session: only ask it. At its root it is GMS; below a path it is

    /frontend         the front end before GMS         /gms-gone, /gms-slow, /gms-broken   ... which it misses
    /noop             GMS that looks at no token       /guest          GMS that takes a wrong one as a guest
    /frontend-noop, /frontend-guest                    ... both behind the front end
    /bootstrapping    GMS that is not ready            /stopping       GMS that answers no GraphQL any more
    /index-gone       GMS without a search index       /empty-lists    that lists nothing where it refuses
    /older            GMS without ingestion sources    /sign-in        a proxy that sends all to its login

    mooring   everything   steward   Manage Policies   crawler   Manage Metadata Ingestion   reader   nothing
"""

from __future__ import annotations

import json
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias
from urllib.request import urlopen

import pytest

from tests.servers._datahub_server import REVOKED, token
from tests.servers.process import ServerProcess, private_folder
from tests.servers.tls import Certificate, Certificates

DAY = 86400
TOKEN = token("mooring", expires=None)
REVOKED_TOKEN = token("mooring", expires=None, name=REVOKED)
SCHEMA = Path(__file__).with_name("datahub.graphql")
_PROGRAM = Path(__file__).with_name("_datahub_server.py")


def token_of(user: str, days: float | None = None) -> str:
    """Return a token of this user that lasts for days from now, or for ever."""
    return token(user, expires=None if days is None else time.time() + days * DAY)


class DataHub(ServerProcess):
    """One server; with a certificate it speaks TLS only."""

    def __init__(self, folder: Path, certificate: Certificate | None = None) -> None:
        super().__init__(folder)
        self._certificate = certificate

    def command(self) -> list[str]:
        files = [] if self._certificate is None else [self._certificate.cert, self._certificate.key]
        return [sys.executable, str(_PROGRAM), str(self.port), *files]

    def ready(self) -> bool:
        return self.sessions() >= 0

    def url(self, path: str = "", token: str | None = TOKEN, scheme: str = "") -> str:
        """Return an address of this server; without a token no login is tried."""
        scheme = scheme or ("datahub+http" if self._certificate is None else "datahub+https")
        return f"{scheme}://{'' if token is None else f'{token}@'}127.0.0.1:{self.port}{path}"

    def sessions(self) -> int:
        """Return how many connections the server has on its books, our own question not counted."""
        secure = self._certificate is not None
        context = ssl._create_unverified_context() if secure else None
        address = f"{'https' if secure else 'http'}://127.0.0.1:{self.port}/books"
        with urlopen(address, timeout=5, context=context) as answer:
            return int(json.load(answer)) - 1


StartDataHub: TypeAlias = Callable[..., AbstractContextManager[DataHub]]
"""`with start_datahub(certificates.expired) as server:`"""


@pytest.fixture(scope="session")
def start_datahub() -> StartDataHub:
    """Starts a stand-in that the test may mistreat; with a certificate it speaks TLS."""

    @contextmanager
    def start(certificate: Certificate | None = None) -> Iterator[DataHub]:
        with private_folder() as folder, DataHub(folder, certificate) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def datahub(start_datahub: StartDataHub) -> Iterator[DataHub]:
    """One stand-in for the session; only ask it."""
    with start_datahub() as server:
        yield server


@pytest.fixture(scope="session")
def datahub_over_tls(start_datahub: StartDataHub, certificates: Certificates) -> Iterator[DataHub]:
    """One stand-in for the session that speaks TLS; only ask it."""
    with start_datahub(certificates.good) as server:
        yield server
