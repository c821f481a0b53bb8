"""A real MariaDB.

`mariadb` is one server for the whole session: make your own databases and users in it, and never
stop, pause or reconfigure it. `start_mariadb(...)` starts one that a test may mistreat.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import pymysql
import pytest

from tests.servers.process import ServerProcess, binary, private_folder
from tests.servers.tls import Certificate, Certificates

PACKAGE = "mariadb-server"
PASSWORD = "s3cret-of-root"
USER_PASSWORD = "pw-of-user"
_ROOT = "root@'127.0.0.1'"
# --init-file takes one statement per line
_INIT = f"""\
CREATE OR REPLACE USER {_ROOT} IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON *.* TO {_ROOT} WITH GRANT OPTION;
"""


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


class MariaDB(ServerProcess):
    """One server. `settings` are its options without dashes; with `tls` it offers TLS."""

    def __init__(
        self,
        folder: Path,
        template: Path,
        *,
        certificate: Certificate | None = None,
        client_ca: str | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(folder)
        shutil.copytree(template, folder / "data")
        (folder / "init.sql").write_text(_INIT)
        self.settings = {
            "datadir": folder / "data",
            "bind-address": "127.0.0.1",
            "socket": folder / "s.sock",
            "pid-file": folder / "pid",
            "tmpdir": folder,  # a server that starts removes all temporary tables it finds in there
            "init-file": folder / "init.sql",
            "innodb-buffer-pool-size": "16M",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-log-file-size": "4M",
            "performance-schema": "OFF",
            **(settings or {}),
        }
        if certificate is not None:
            self.settings |= {"ssl-cert": certificate.cert, "ssl-key": certificate.key}
        if client_ca is not None:
            self.settings["ssl-ca"] = client_ca

    def command(self) -> list[str]:
        options = [f"--{key}={value}" for key, value in self.settings.items()]
        mariadbd = binary("mariadbd", PACKAGE)
        flags = ["--skip-name-resolve", *(["--skip-log-bin"] if "log-bin" not in self.settings else [])]
        return [mariadbd, "--no-defaults", *_as_root(), f"--port={self.port}", *options, *flags]

    def ready(self) -> bool:
        return self.sql("SELECT 1") == [(1,)]

    def url(
        self,
        user: str = "root",
        password: str | None = PASSWORD,
        database: str = "mysql",
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        scheme: str = "mysql",
        **query: str,
    ) -> str:
        """Return an address of this server."""
        login = quote(user, safe="") + ("" if password is None else f":{quote(password, safe='')}")
        tail = f"?{urlencode(query)}" if query else ""
        return f"{scheme}://{login}@{host}:{port or self.port}/{quote(database, safe='')}{tail}"

    def sql(self, statement: str, *, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement as root and return its rows."""
        connection = pymysql.connect(user="root", database=database, autocommit=True, defer_connect=True)
        with socket.socket(socket.AF_UNIX) as sock:  # PyMySQL leaves its own open where the server is gone
            sock.settimeout(5)
            sock.connect(str(self.folder / "s.sock"))
            connection.connect(sock)
            with closing(connection), connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())

    def sessions(self, user: str = "%") -> int:
        """Return how many clients the server has on its books, our own question not counted."""
        [[count]] = self.sql(
            "SELECT count(*) FROM information_schema.processlist WHERE id <> connection_id()"
            f" AND command <> 'Daemon' AND user LIKE '{user}'"
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
            self.sql(f"DROP DATABASE IF EXISTS {name}")

    @contextmanager
    def user(
        self,
        options: str = "",
        password: str = USER_PASSWORD,
        host: str = "127.0.0.1",
        *,
        name: str | None = None,
    ) -> Iterator[str]:
        """Make a user, by default with a name of its own, without grants, gone afterwards; yield its name."""
        name = name or f"user_{secrets.token_hex(6)}"
        self.sql(f"CREATE USER {name}@'{host}' IDENTIFIED BY '{password}' {options}")
        try:
            yield name
        finally:
            self.sql(f"DROP USER {name}@'{host}'")


StartMariaDB: TypeAlias = Callable[..., Any]
"""`with start_mariadb(certificate=certificates.good, settings={"max-connections": 10}) as server:`"""


@contextmanager
def new_template() -> Iterator[Path]:
    """Make a fresh data folder, to be copied for each server."""
    install = binary("mariadb-install-db", PACKAGE)
    with private_folder() as folder:
        subprocess.run(
            [
                *(install, "--no-defaults", f"--datadir={folder / 'data'}", "--skip-test-db", *_as_root()),
                *("--auth-root-authentication-method=normal", "--innodb-log-file-size=4M"),
                f"--tmpdir={folder}",
            ],
            check=True,
            capture_output=True,
        )
        yield folder / "data"


@pytest.fixture(scope="session")
def mariadb_template() -> Iterator[Path]:
    """A fresh data folder, made once."""
    with new_template() as template:
        yield template


@pytest.fixture(scope="session")
def start_mariadb(mariadb_template: Path) -> StartMariaDB:
    """A context manager that starts a server of the test's own; arguments are those of MariaDB."""

    @contextmanager
    def start(**options: Any) -> Iterator[MariaDB]:
        with private_folder() as folder, MariaDB(folder, mariadb_template, **options) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def strict_mariadb(start_mariadb: StartMariaDB, certificates: Certificates) -> Iterator[MariaDB]:
    """A shared server with TLS that is read-only and lets no expired password in: make users in it."""
    settings = {"disconnect-on-expired-password": "ON", "read-only": "ON"}
    with start_mariadb(certificate=certificates.good, client_ca=certificates.ca, settings=settings) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(start_mariadb: StartMariaDB) -> Iterator[MariaDB]:
    """The session's shared server. Never stop, pause or reconfigure it."""
    with start_mariadb() as server:
        yield server
