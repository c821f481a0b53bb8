"""The servers that the other tests stand on can be started, frozen, stopped and killed."""

from __future__ import annotations

import socket

import psycopg
import pymysql
import pytest

from tests.servers.mariadb import StartMariaDB
from tests.servers.postgresql import StartPostgreSQL
from tests.servers.process import free_port
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration


def test_a_free_port_is_given_to_nobody_else() -> None:
    """Before its server has it, no other search finds it free; the server itself can listen on it at once."""
    port = free_port()
    with socket.socket() as another, pytest.raises(OSError, match="Address already in use"):
        another.bind(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname() == ("127.0.0.1", port)


@pytest.mark.parametrize("worker", [0, 1, 2])
def test_workers_share_no_port(monkeypatch: pytest.MonkeyPatch, worker: int) -> None:
    """Of three workers, each is given ports that no other can be given, used or not."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{worker}")
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    assert {free_port() % 3 for _ in range(20)} == {worker}


def test_postgresql_restarts_on_its_port(start_postgresql: StartPostgreSQL) -> None:
    """A stopped or killed PostgreSQL comes back on the same port with its data."""
    with start_postgresql() as server:
        server.sql("CREATE TABLE kept (n int)")
        server.stop()
        with pytest.raises(psycopg.OperationalError, match="refused"):
            server.sql("SELECT 1")
        server.start()
        server.kill()
        server.start()
        assert server.sql("SELECT count(*) FROM kept") == [(0,)]


def test_postgresql_paused_accepts_and_keeps_silent(start_postgresql: StartPostgreSQL) -> None:
    """A paused PostgreSQL accepts a connection, sends nothing, and goes on when it is resumed."""
    with start_postgresql() as server:
        server.pause()
        with socket.create_connection(("127.0.0.1", server.port), timeout=0.2) as client:
            client.sendall(bytes.fromhex("0000000804d2162f"))
            with pytest.raises(TimeoutError):
                client.recv(1)
            server.resume()
            client.settimeout(5)
            assert client.recv(1) == b"N"


def test_postgresql_speaks_tls(start_postgresql: StartPostgreSQL, certificates: Certificates) -> None:
    """PostgreSQL with a certificate passes full verification."""
    with start_postgresql(certificate=certificates.good) as server:
        url = server.url(sslmode="verify-full", sslrootcert=certificates.ca)
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            ).fetchone()
    assert row == ("TLSv1.3",)


def test_mariadb_restarts_on_its_port(start_mariadb: StartMariaDB) -> None:
    """A stopped or killed MariaDB comes back on the same port with its data."""
    with start_mariadb() as server, server.database() as name:
        server.sql(f"CREATE TABLE {name}.kept (n int)")
        server.stop()
        with pytest.raises(FileNotFoundError):
            server.sql("SELECT 1")
        server.start()
        server.kill()
        server.start()
        assert server.sql(f"SELECT count(*) FROM {name}.kept") == [(0,)]


def test_mariadb_speaks_tls(start_mariadb: StartMariaDB, certificates: Certificates) -> None:
    """MariaDB with a certificate passes full verification."""
    with start_mariadb(certificate=certificates.good) as server, server.user() as user:
        connection = pymysql.connect(
            host="127.0.0.1",
            port=server.port,
            user=user,
            password="pw-of-user",
            ssl_ca=certificates.ca,
            ssl_verify_identity=True,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
            assert cursor.fetchall() == (("Ssl_version", "TLSv1.3"),)
