"""A real Redis, in the clear and over TLS.

`redis_server` is one server for the whole session: only ask it. `start_redis()` starts one that a
test may fill, pause, make a replica or kill.

    default   PASSWORD, everything        reader   READER, may only GET keys below app:
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import redis

from tests.servers.process import ServerProcess, binary, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

PASSWORD = "s3cret-of-redis"
READER = ("reader", "s3cret-of-reader")

_CONFIG = """
port {port}
bind 127.0.0.1
dir {folder}
save ""
appendonly no
daemonize no
repl-diskless-sync-delay 0
requirepass {password}
masterauth {password}
user {reader} on >{reader_password} ~app:* &* -@all +get +info
"""
_TLS = """
tls-port {port}
tls-cert-file {cert}
tls-key-file {key}
tls-ca-cert-file {ca}
tls-auth-clients no
"""


class Redis(ServerProcess):
    """One server. `options` are lines of its configuration, such as `maxclients 5`."""

    def __init__(
        self, folder: Path, *options: str, certificate: Certificate | None = None, ca: str = ""
    ) -> None:
        super().__init__(folder)
        self.tls_port = free_port()
        self.password: str | None = PASSWORD
        text = _CONFIG.format(
            port=self.port, folder=folder, password=PASSWORD, reader=READER[0], reader_password=READER[1]
        )
        if certificate is not None:
            text += _TLS.format(port=self.tls_port, cert=certificate.cert, key=certificate.key, ca=ca)
        (folder / "redis.conf").write_text(text + "\n".join(options))

    def command(self) -> list[str]:
        return [binary("redis-server", "redis-server"), str(self.folder / "redis.conf")]

    def ready(self) -> bool:
        return self.ask("PING") is True

    def ask(self, *command: Any) -> Any:
        """Run one command as the administrator."""
        with closing(redis.Redis(port=self.port, password=self.password, socket_timeout=5)) as client:
            return client.execute_command(*command)

    def url(
        self,
        *,
        user: str = "",
        password: str | None = PASSWORD,
        database: int = 0,
        scheme: str = "redis",
    ) -> str:
        """Return an address of this server; without a password no login is tried."""
        login = "" if password is None else f"{user}:{password}@"
        host = "127.0.0.1" if scheme == "redis" else "localhost"
        port = self.port if scheme == "redis" else self.tls_port
        return f"{scheme}://{login}{host}:{port}/{database}"

    def sessions(self) -> int:
        """Return how many clients the server has on its books, our own question not counted."""
        return len(self.ask("CLIENT", "LIST", "TYPE", "normal").splitlines()) - 1


StartRedis: TypeAlias = Callable[..., AbstractContextManager[Redis]]
"""`with start_redis("maxclients 5") as server:`"""


@pytest.fixture(scope="session")
def start_redis(certificates: Certificates) -> StartRedis:
    """Starts a server that the test may mistreat."""

    @contextmanager
    def start(*options: str, certificate: Certificate | None = None) -> Iterator[Redis]:
        ca = certificates.ca
        with private_folder() as folder, Redis(folder, *options, certificate=certificate, ca=ca) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def redis_server(start_redis: StartRedis, certificates: Certificates) -> Iterator[Redis]:
    """One server for the session; only ask it."""
    with start_redis(certificate=certificates.good) as server:
        yield server
