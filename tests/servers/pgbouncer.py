"""A real PgBouncer in front of the real PostgreSQL.

`pgbouncer` is one for the whole session: only ask it. `start_pgbouncer(...)` starts one that a test may
pause, fill or kill; its arguments are lines of its [pgbouncer] section, `pool_size=1` for example.

    ADMIN    may do everything        STATS    may look        USER    may only use databases
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import psycopg
import pytest

from tests.servers.postgresql import PASSWORD, PostgreSQL, unprivileged
from tests.servers.process import ServerProcess, binary, private_folder
from tests.servers.tls import Certificate

PACKAGE = "pgbouncer"
ADMIN = ("postgres", PASSWORD)
STATS = ("stats", "s3cret-of-stats")
USER = ("shop", "s3cret-of-shop")


class PgBouncer(ServerProcess):
    """One pooler, with the databases `orders` and `stock`, both PostgreSQL's own `postgres`."""

    def __init__(
        self,
        folder: Path,
        behind: int,
        *,
        certificate: Certificate | None = None,
        hba: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(folder)
        place = f"host=127.0.0.1 port={behind} dbname=postgres"
        lines = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "auth_type": "scram-sha-256",
            "auth_file": folder / "users",
            "unix_socket_dir": "",
            "pool_mode": "transaction",
            "admin_users": ADMIN[0],
            "stats_users": STATS[0],
            "ignore_startup_parameters": "extra_float_digits",
        }
        if certificate is not None:
            lines |= {
                "client_tls_sslmode": "allow",
                "client_tls_cert_file": self._own(certificate.cert),
                "client_tls_key_file": self._own(certificate.key),
            }
        if hba is not None:
            lines["auth_hba_file"] = folder / "hba"
            (folder / "hba").write_text(hba)
        text = "".join(f"{key} = {value}\n" for key, value in (lines | settings).items())
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\norders = {place}\nstock = {place}\n[pgbouncer]\n{text}"
        )
        (folder / "users").write_text(
            "".join(f'"{user}" "{password}"\n' for user, password in (ADMIN, STATS, USER))
        )

    def _own(self, path: str) -> Path:
        """Copy a file into the server's folder, where it may read it."""
        own = self.folder / Path(path).name
        own.write_bytes(Path(path).read_bytes())
        return own

    def command(self) -> list[str]:
        pgbouncer = binary("pgbouncer", PACKAGE)
        return [*unprivileged(self.folder), pgbouncer, str(self.folder / "pgbouncer.ini")]

    def ready(self) -> bool:
        return self.sessions() >= 0

    def url(
        self, login: tuple[str, str] = STATS, *, host: str = "127.0.0.1", scheme: str = "pgbouncer"
    ) -> str:
        """Return the address of the console."""
        return f"{scheme}://{login[0]}:{quote(login[1], safe='')}@{host}:{self.port}/pgbouncer"

    def ask(self, command: str) -> list[dict[str, Any]]:
        """Run a command on the console as the administrator, and return its rows."""
        with psycopg.connect(
            self.url(ADMIN, scheme="postgresql"), autocommit=True, connect_timeout=5
        ) as console:
            cursor = console.execute(command)  # type: ignore[call-overload]
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []

    def sessions(self) -> int:
        """Return how many clients the pooler has on its books, our own not counted."""
        return len(self.ask("SHOW CLIENTS")) - 1

    def client(self, database: str = "orders") -> psycopg.Connection[Any]:
        """Return a client of a database, as the superuser."""
        address = self.url(ADMIN, scheme="postgresql").removesuffix("pgbouncer") + database
        return psycopg.connect(address, connect_timeout=5)


StartPgBouncer: TypeAlias = Callable[..., AbstractContextManager[PgBouncer]]
"""`with start_pgbouncer(default_pool_size=1) as server:`"""


@pytest.fixture(scope="session")
def start_pgbouncer(postgresql: PostgreSQL) -> StartPgBouncer:
    """Starts a pooler of the test's own in front of the session's PostgreSQL."""

    @contextmanager
    def start(**settings: Any) -> Iterator[PgBouncer]:
        with private_folder() as folder, PgBouncer(folder, postgresql.port, **settings) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def pgbouncer(start_pgbouncer: StartPgBouncer) -> Iterator[PgBouncer]:
    """One pooler for the session; only ask it."""
    with start_pgbouncer() as server:
        yield server
