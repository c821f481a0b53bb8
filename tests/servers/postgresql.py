"""A real PostgreSQL.

`postgresql` is one server for the whole session: make your own databases and roles in it, and never
stop, pause or reconfigure it. `start_postgresql(...)` starts one that a test may mistreat.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import psycopg
import pytest

from tests.servers.process import ServerProcess, binary, private_folder
from tests.servers.tls import Certificate, Certificates

PACKAGE = "postgresql-15"
ACCOUNT = "postgres"
PASSWORD = "s3cret-of-the-superuser"
ROLE_PASSWORD = "pw-of-role"
_STRICT = """\
host all postgres 127.0.0.1/32 scram-sha-256
hostssl all secure 127.0.0.1/32 scram-sha-256
hostssl all known 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
host all banned 127.0.0.1/32 reject
hostnogssenc all kerberos 127.0.0.1/32 gss
"""
_QUESTION = "tests-asking"
_FOLDERS = sorted((str(p) for p in Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)


def unprivileged(folder: Path) -> list[str]:
    """Return how a command begins that PostgreSQL may run under, since it refuses uid 0; `folder` is its own.

    A user namespace of one uid lets root's files be its own. Where there may be none, as in most
    containers, the account of Debian's package has to do, and to own the files.
    """
    if os.geteuid() != 0:
        return []
    namespace = [binary("unshare", "util-linux"), "--user", "--map-user=1000", "--map-group=1000", "--"]
    if _works((*namespace, "true")):
        return namespace
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, ACCOUNT, ACCOUNT)
    return [
        binary("setpriv", "util-linux"),
        f"--reuid={ACCOUNT}",
        f"--regid={ACCOUNT}",
        "--clear-groups",
        "--",
    ]


@cache
def _works(command: tuple[str, ...]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class PostgreSQL(ServerProcess):
    """One server. `settings` go to its configuration; with `tls` it offers TLS with that certificate.

    `signal` is "standby" or "recovery": as what it starts.
    """

    stop_signal = signal.SIGINT  # "fast": do not wait until the clients have gone

    def __init__(
        self,
        folder: Path,
        template: Path,
        *,
        certificate: Certificate | None = None,
        client_ca: str | None = None,
        hba: str | None = None,
        settings: dict[str, Any] | None = None,
        signal: str | None = None,
    ) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        shutil.copytree(template, self.data)
        if signal is not None:
            (self.data / f"{signal}.signal").touch()
        self.settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            **(settings or {}),
        }
        if certificate is not None:
            self.settings |= {
                "ssl": "on",
                "ssl_cert_file": self._own(certificate.cert),
                "ssl_key_file": self._own(certificate.key),
            }
        if client_ca is not None:
            self.settings["ssl_ca_file"] = self._own(client_ca)
        if hba is not None:
            (self.data / "pg_hba.conf").write_text(hba)

    def _own(self, path: str) -> str:
        """Copy a file into the server's folder, where it may read it."""
        return shutil.copy(path, self.folder)

    def command(self) -> list[str]:
        options = [word for key, value in self.settings.items() for word in ("-c", f"{key}={value}")]
        postgres = binary("postgres", PACKAGE, *_FOLDERS)
        return [*unprivileged(self.folder), postgres, "-D", str(self.data), "-p", str(self.port), *options]

    def ready(self) -> bool:
        return self.sql("SELECT 1") == [(1,)]

    def url(
        self,
        user: str = "postgres",
        password: str | None = PASSWORD,
        database: str = "postgres",
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        scheme: str = "postgresql",
        **query: str,
    ) -> str:
        """Return an address of this server."""
        login = quote(user, safe="") + ("" if password is None else f":{quote(password, safe='')}")
        tail = f"?{urlencode(query)}" if query else ""
        return f"{scheme}://{login}@{host}:{port or self.port}/{quote(database, safe='')}{tail}"

    def sql(self, statement: str, *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the superuser, outside any transaction, and return its rows."""
        url = self.url(database=database, application_name=_QUESTION)
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def sessions(self, user: str = "%") -> int:
        """Return how many clients the server has on its books.

        None of our own questions is counted: one that we have left may still stand there for a moment.
        """
        [[count]] = self.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            f" AND application_name <> '{_QUESTION}' AND coalesce(usename, '') LIKE '{user}'"
        )
        return int(count)

    @contextmanager
    def database(self, name: str | None = None) -> Iterator[str]:
        """Make a database, by default with a name of its own, gone afterwards, and yield its name."""
        name = name or f"test_{secrets.token_hex(6)}"
        self.sql(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextmanager
    def role(
        self, options: str = "LOGIN", password: str = ROLE_PASSWORD, *, name: str | None = None
    ) -> Iterator[str]:
        """Make a role, by default with a name of its own, gone afterwards, and yield its name."""
        name = name or f"role_{secrets.token_hex(6)}"
        self.sql(f"CREATE ROLE {name} {options} PASSWORD '{password}'")
        try:
            yield name
        finally:
            self.sql(f"DROP OWNED BY {name}")
            self.sql(f"DROP ROLE {name}")


StartPostgreSQL: TypeAlias = Callable[..., Any]
"""`with start_postgresql(certificate=certificates.good, settings={"max_connections": 10}) as server:`"""


@contextmanager
def new_template() -> Iterator[Path]:
    """Make a fresh data folder, to be copied for each server."""
    initdb = binary("initdb", PACKAGE, *_FOLDERS)
    with private_folder() as folder:
        pwfile = folder / "pw"
        pwfile.write_text(PASSWORD)
        subprocess.run(
            [
                *unprivileged(folder),
                *(initdb, "-D", str(folder / "data"), "-U", "postgres", "-A", "scram-sha-256"),
                *(f"--pwfile={pwfile}", "--no-sync", "--no-locale", "-E", "UTF8"),
            ],
            check=True,
            capture_output=True,
        )
        yield folder / "data"


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[Path]:
    """A fresh data folder, made once."""
    with new_template() as template:
        yield template


@pytest.fixture(scope="session")
def start_postgresql(postgresql_template: Path) -> StartPostgreSQL:
    """A context manager that starts a server of the test's own; arguments are those of PostgreSQL."""

    @contextmanager
    def start(template: Path = postgresql_template, **options: Any) -> Iterator[PostgreSQL]:
        with private_folder() as folder, PostgreSQL(folder, template, **options) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def strict_postgresql(start_postgresql: StartPostgreSQL, certificates: Certificates) -> Iterator[PostgreSQL]:
    """A shared server with TLS that is strict about who logs in how: only ask it.

    Logins, all with ROLE_PASSWORD: `secure` over TLS alone, `known` with a client certificate,
    `banned` and `kerberos` never, and others from nowhere.
    """
    with start_postgresql(certificate=certificates.good, client_ca=certificates.ca, hba=_STRICT) as server:
        for name in ("secure", "known", "banned", "kerberos", "stranger"):
            server.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{ROLE_PASSWORD}'")
        yield server


@pytest.fixture(scope="session")
def postgresql(start_postgresql: StartPostgreSQL) -> Iterator[PostgreSQL]:
    """The session's shared server. Never stop, pause or reconfigure it."""
    with start_postgresql() as server:
        yield server
