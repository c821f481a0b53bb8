"""A protocol stand-in for MongoDB, since no real one can be had from the package indexes we may use.

It speaks OP_MSG and SCRAM-SHA-256 in a process of its own, so that it can be killed and paused. It proves how
we use pymongo: greeting, login, rights, replica states, error codes, TLS, time-outs. It proves nothing of
mongod. The same tests run against a real server where MOORING_TEST_MONGODB_URI names one.

`mongodb_stand_in` is one for the whole session: only ask it. `start_mongodb_stand_in(state="secondary")`
starts one that a test may mistreat.

    mon      PASSWORD, reads everything, may ask for serverStatus
    reader   READER, reads `shop` alone             orders_user   in the database `shop`, not in `admin`
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import bson
import pytest

from tests.servers.process import ServerProcess, private_folder
from tests.servers.tls import Certificate, Certificates

USER, PASSWORD = "mon", "s3cret-of-mongodb"
READER = ("reader", "s3cret-of-reader")
INSIDER = ("orders_user", "s3cret-of-insider")
DATA = {"admin": {}, "shop": {"orders": [{"_id": 1}], "empty": []}, "hidden": {"plans": [{"_id": 1}]}}
USERS = {
    USER: {"password": PASSWORD, "reads": list(DATA), "monitors": True},
    READER[0]: {"password": READER[1], "reads": ["shop"], "monitors": False},
    INSIDER[0]: {"password": INSIDER[1], "reads": ["shop"], "monitors": False, "source": "shop"},
}
_PROGRAM = Path(__file__).with_name("_mongodb_stand_in.py")


class MongoDBStandIn(ServerProcess):
    """One stand-in. `settings` are those of `_mongodb_stand_in.py`."""

    def __init__(
        self, folder: Path, certificate: Certificate | None = None, client_ca: str = "", **settings: Any
    ) -> None:
        super().__init__(folder)
        self._certificate, self._client_ca = certificate, client_ca
        files = [certificate.cert, certificate.key] if certificate else []
        known = {
            "state": "standalone",
            "login": True,
            "users": USERS,
            "data": DATA,
            "fails": {},
            "connections": 1000,
            "iterations": 15_000,
            "speculates": True,
            "me": f"127.0.0.1:{self.port}",
            "hosts": [f"127.0.0.1:{self.port}"],
            "primary": f"127.0.0.1:{self.port}" if settings.get("state") == "primary" else "",
            "certificate": files,
            "client_ca": client_ca,
        }
        assert settings.keys() <= known.keys()
        (folder / "settings.json").write_text(json.dumps({**known, **settings}))

    def command(self) -> list[str]:
        return [sys.executable, str(_PROGRAM), str(self.port), str(self.folder / "settings.json")]

    def ready(self) -> bool:
        return bool(self.ask("ping")["ok"])

    def url(
        self, user: str = USER, password: str = PASSWORD, database: str = "", **options: str | bool
    ) -> str:
        """Return an address of this server; without a user no login is tried."""
        login = f"{user}:{password}@" if user else ""
        asked = "&".join(f"{name}={value}" for name, value in options.items())
        host = "localhost" if self._certificate else "127.0.0.1"
        return f"mongodb://{login}{host}:{self.port}/{database}{'?' if asked else ''}{asked}"

    def sessions(self) -> int:
        """Return how many clients the server has on its books, our own question not counted."""
        return int(self.ask("books")["open"]) - 1

    def ask(self, command: str) -> dict[str, Any]:
        """Ask something that needs no login, over a connection of our own."""
        body = struct.pack("<iB", 0, 0) + bson.encode({command: 1, "$db": "admin"})
        with self._connected() as client:
            client.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
            head = client.recv(21, socket.MSG_WAITALL) if self._certificate is None else client.recv(21)
            (length,) = struct.unpack("<i", head[:4])
            answer: dict[str, Any] = bson.decode(client.recv(length - len(head)))
        return answer

    def _connected(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        if self._certificate is None:
            return plain
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self._client_ca:
            context.load_cert_chain(self._certificate.cert, self._certificate.key)
        return context.wrap_socket(plain)


StartMongoDBStandIn: TypeAlias = Callable[..., AbstractContextManager[MongoDBStandIn]]
"""`with start_mongodb_stand_in(state="primary") as server:`"""


@pytest.fixture(scope="session")
def start_mongodb_stand_in() -> StartMongoDBStandIn:
    """Starts a stand-in that the test may mistreat."""

    @contextmanager
    def start(**settings: Any) -> Iterator[MongoDBStandIn]:
        with private_folder() as folder, MongoDBStandIn(folder, **settings) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def mongodb_stand_in(start_mongodb_stand_in: StartMongoDBStandIn) -> Iterator[MongoDBStandIn]:
    """One stand-in for the session; only ask it."""
    with start_mongodb_stand_in() as server:
        yield server


@pytest.fixture(scope="session")
def tls_mongodb_stand_in(
    start_mongodb_stand_in: StartMongoDBStandIn, certificates: Certificates
) -> Iterator[MongoDBStandIn]:
    """One stand-in over TLS for the session; only ask it."""
    with start_mongodb_stand_in(certificate=certificates.good) as server:
        yield server
