"""PgBouncer against a real one in front of the real PostgreSQL; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_played
from tests.servers.pgbouncer import STATS, USER, PgBouncer, StartPgBouncer
from tests.servers.process import poll_until
from tests.servers.tls import Certificates

DIALS = True
DRIVER_ERRORS = ("asyncpg", "asyncpg.exceptions")
BARE = {"url": "pgbouncer://stats@host"}
_LOGIN = (
    "The password is wrong, or the pooler knows no such user: "
    "compare with auth_file (userlist.txt) or auth_query."
)
_BUSY = "Find what holds the servers for long, such as open transactions, or raise pool_size."
_UNDO = "Somebody did this on the console, and has to undo it there."
_TOO_LARGE = "Have the query return one row, such as by LIMIT 1; or what answers is no such database."
_NO_POOLER = "PostgreSQL itself may answer, whose kind is postgresql: use the port that PgBouncer listens on."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's pooler, by a user who may only look."""
    server: PgBouncer = request.getfixturevalue("pgbouncer")
    yield Example(
        settings={"url": server.url()},
        broken={"url": server.url((STATS[0], "wrong-password"))},
        port=server.port,
        sessions=server.sessions,
        secret=STATS[1],
        server=server,
    )


def _on(commands: tuple[str, ...] = (), ask: Any = None, **settings: Any) -> Arrangement:
    """Return the arrangement of a pooler with these settings, after these commands on its console."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartPgBouncer = request.getfixturevalue("start_pgbouncer")
        with start(**settings) as server:
            for command in commands:
                server.ask(command)
            yield {"url": server.url(), **(ask or {})}

    return arrange


def _secured(certificate: str, mode: str, ask: Callable[[PgBouncer, Certificates], Any]) -> Arrangement:
    """Return the arrangement of a pooler that knows TLS."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartPgBouncer = request.getfixturevalue("start_pgbouncer")
        certificates: Certificates = request.getfixturevalue("certificates")
        with start(certificate=getattr(certificates, certificate), client_tls_sslmode=mode) as server:
            yield ask(server, certificates)

    return arrange


@contextmanager
def somebody_waits(server: PgBouncer) -> Iterator[None]:
    """Have a client hold the one server of `orders` in a transaction, and another wait for it."""
    with ExitStack() as stack:
        holder, waiter = (stack.enter_context(server.client()) for _ in range(2))
        holder.execute("SELECT 1")
        thread = Thread(target=waiter.execute, args=("SELECT 1",))
        thread.start()
        stack.callback(thread.join)
        stack.callback(holder.rollback)
        poll_until(lambda: any(int(pool["cl_waiting"]) for pool in server.ask("SHOW POOLS")), "waiting")
        yield


def _waiting(**ask: Any) -> Arrangement:
    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartPgBouncer = request.getfixturevalue("start_pgbouncer")
        with start(default_pool_size=1) as server, somebody_waits(server):
            yield {"url": server.url(), **ask}

    return arrange


@contextmanager
def _full(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartPgBouncer = request.getfixturevalue("start_pgbouncer")
    with start(max_client_conn=3) as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(server.client())
        yield {"url": server.url()}


@contextmanager
def _hba(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartPgBouncer = request.getfixturevalue("start_pgbouncer")
    lines = "host all postgres 127.0.0.1/32 scram-sha-256\n"
    with start(auth_type="hba", hba=lines) as server:
        yield {"url": server.url()}


def _played(words: bytes) -> Arrangement:
    return asking_played(
        words, lambda port: {"url": f"pgbouncer://stats@127.0.0.1:{port}/?sslmode=disable"}, after=b"stats"
    )


FAULTS = (
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "LOGIN_FAILED"),
        asking("pgbouncer", lambda server: {"url": server.url((STATS[0], "wrong-password"))}),
        hint=_LOGIN,
    ),
    Fault(
        "the pooler knows no such user",
        (Stage.AUTH, Reason.AUTH, "LOGIN_FAILED"),
        asking("pgbouncer", lambda server: {"url": server.url(("nobody", "any-password"))}),
        hint=_LOGIN,
    ),
    Fault(
        "the user may not look into the console",
        (Stage.PERMISSION, Reason.PERMISSION, "NOT_ALLOWED"),
        asking("pgbouncer", lambda server: {"url": server.url(USER)}),
        hint=f"Add {USER[0]} to stats_users in pgbouncer.ini, after those that it names already, and RELOAD.",
    ),
    Fault(
        "no line of auth_hba_file lets the user in",
        (Stage.AUTH, Reason.AUTH, "LOGIN_REJECTED"),
        _hba,
        hint="No line of auth_hba_file lets this user in from here: add one, and RELOAD.",
    ),
    Fault(
        "a database is paused",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "PAUSED"),
        _on(("PAUSE stock",)),
        hint=_UNDO,
        fix='RESUME "stock";',
    ),
    Fault(
        "a database is disabled",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "DISABLED"),
        _on(("DISABLE stock",), {"databases": ["stock"]}),
        hint=_UNDO,
        fix='ENABLE "stock";',
    ),
    Fault(
        "the pooler has no such database",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_SUCH_DATABASE"),
        asking("pgbouncer", lambda server: {"url": server.url(), "databases": ["orders", "nowhere"]}),
        hint="Add it to [databases], or correct its name; one of * shows up once it was used.",
    ),
    Fault(
        "more clients wait for a server than may",
        (Stage.FUNCTION, Reason.ASSERTION, "CLIENTS_WAITING"),
        _waiting(most_waiting=0),
        hint=_BUSY,
        fix="SHOW SERVERS;",
    ),
    Fault(
        "a client waits for a server longer than it may",
        (Stage.FUNCTION, Reason.ASSERTION, "LONG_WAIT"),
        _waiting(most_wait=0),
        hint=_BUSY,
        fix="SHOW SERVERS;",
    ),
    Fault(
        "the pooler has no room for another client",
        (Stage.FUNCTION, Reason.OVERLOADED, "CLIENTS_FULL"),
        _full,
        hint="Raise max_client_conn, or find who holds the clients: SHOW CLIENTS.",
    ),
    Fault(
        "the pooler offers no TLS and it is required",
        (Stage.TLS, Reason.TLS, "TLS_NOT_OFFERED"),
        asking("pgbouncer", lambda server: {"url": f"{server.url()}?sslmode=require"}),
        hint="Switch TLS on in the server, or ask for none with sslmode=disable in the address.",
    ),
    Fault(
        "the pooler takes no login without TLS",
        (Stage.AUTH, Reason.TLS, "TLS_REQUIRED"),
        _secured("good", "require", lambda server, _: {"url": f"{server.url()}?sslmode=disable"}),
        hint="The pooler takes no login without TLS: ask for it with sslmode=require in the address.",
    ),
    tls_faults.cert_unknown_issuer(
        _secured("good", "allow", lambda server, _: {"url": server.url(), "tls": {}})
    ),
    tls_faults.cert_expired(
        _secured("expired", "allow", lambda server, known: {"url": server.url(), "tls": {"ca": known.ca}})
    ),
    Fault(
        "PostgreSQL itself listens on the port",
        (Stage.AUTH, Reason.PROTOCOL, "NOT_PGBOUNCER"),
        asking(
            "postgresql",
            lambda server: {"url": server.url(database="", scheme="pgbouncer")},
        ),
        hint=_NO_POOLER,
    ),
    Fault(
        "something else listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_POSTGRESQL"),
        asking("nginx", lambda server: {"url": f"pgbouncer://stats@127.0.0.1:{server.port}"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "what answers announces more than a check can want (played)",
        (Stage.AUTH, Reason.PROTOCOL, "TOO_LARGE"),
        _played(b"R\0\0\0\x08\0\0\0\0" + b"E\x3f\xff\xff\xff"),
        hint=_TOO_LARGE,
        timeout=2,
    ),
    Fault(
        "what answers sends small things without end (played)",
        (Stage.AUTH, Reason.PROTOCOL, "TOO_LARGE"),
        _played(b"R\0\0\0\x08\0\0\0\0" + b"S\0\0\0\x08a\0b\0" * 100_000),
        hint=_TOO_LARGE,
        timeout=2,
    ),
    Fault(
        "what answers wants the password hashed ten million times (played)",
        (Stage.AUTH, Reason.PROTOCOL, "SCRAM_ITERATIONS"),
        _played(b"R\0\0\0\x23\0\0\0\x0br=abc,s=c2FsdA==,i=10000000"),
        hint="Lower scram_iterations and set the password anew; or something else listens on the port.",
        timeout=2,
    ),
)
