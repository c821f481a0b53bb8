"""Redis against a real server; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_played
from tests.servers.process import free_port, poll_until
from tests.servers.redis import PASSWORD, READER, Redis, StartRedis
from tests.servers.tls import Certificates

DIALS = True
DRIVER_ERRORS = ("redis.exceptions",)
UNEXPLAINED = dict.fromkeys(
    (
        "ChildDeadlockedError",
        "RedisClusterException",
        "SlotNotCoveredError",
        "CrossSlotTransactionError",
        "InvalidPipelineStack",
        "IncorrectPolicyType",
    ),
    "of clients of a whole cluster, pipelines and forks: a check has one connection to one node",
)
MADE_OF = {"AskError": ["7 127.0.0.1:6379"], "MovedError": ["7 127.0.0.1:6379"]}
_ENDLESS = "Have the query return one row, such as by LIMIT 1; or what answers is no such database."
_REJECTED = "The server answers and rejects the login: compare user and password with its ACL or requirepass."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, written to as well."""
    server: Redis = request.getfixturevalue("redis_server")
    yield Example(
        settings={"url": server.url(), "write_key": "mooring:check:"},
        broken={"url": server.url(password="wrong")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


@contextmanager
def _demanding(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartRedis = request.getfixturevalue("start_redis")
    certificates: Certificates = request.getfixturevalue("certificates")
    with start("tls-auth-clients yes", certificate=certificates.good) as server:
        yield {"url": server.url(scheme="rediss"), "tls": {"ca": certificates.ca}}


@contextmanager
def _narrow(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: Redis = request.getfixturevalue("redis_server")
    server.ask("ACL", "SETUSER", "shop", "on", ">s3cret-of-shop", "~shop:*", "+@all")
    yield {"url": server.url(user="shop", password="s3cret-of-shop"), "write_key": "mooring:check:"}
    server.ask("ACL", "DELUSER", "shop")


@contextmanager
def _without_room(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartRedis = request.getfixturevalue("start_redis")
    with start("maxclients 5") as server:
        clients = [redis.Redis(port=server.port, password=PASSWORD) for _ in range(5)]
        for client in clients:
            client.ping()
        yield {"url": server.url()}
        for client in clients:
            client.close()


@contextmanager
def _replica(request: pytest.FixtureRequest) -> Iterator[Redis]:
    start: StartRedis = request.getfixturevalue("start_redis")
    with start() as master, start(f"replicaof 127.0.0.1 {master.port}") as replica:
        poll_until(lambda: replica.ask("INFO")["master_link_status"] == "up", "replication")
        yield replica


@contextmanager
def _written_to(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    with _replica(request) as replica:
        yield {"url": replica.url(), "write_key": "mooring:check:"}


@contextmanager
def _failed_over(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    with _replica(request) as replica:
        yield {"url": replica.url(), "role": "master"}


@contextmanager
def _cluster(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartRedis = request.getfixturevalue("start_redis")
    with start("cluster-enabled yes", f"cluster-port {free_port()}") as server:
        yield {"url": server.url(), "write_key": "mooring:check:"}


def _played(words: bytes) -> Arrangement:
    return asking_played(words, lambda port: {"url": f"redis://127.0.0.1:{port}"}, after=b"PING")


FAULTS = (
    Fault(
        "no password is given and one is needed",
        (Stage.AUTH, Reason.AUTH, "NOAUTH"),
        asking("redis_server", lambda server: {"url": server.url(password=None)}),
        hint="Put user and password into the address, between redis:// and the host.",
    ),
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "WRONGPASS"),
        asking("redis_server", lambda server: {"url": server.url(password="wrong")}),
        hint=_REJECTED,
        fix="ACL SETUSER default on >NEW_PASSWORD",
    ),
    Fault(
        "the user does not exist",
        (Stage.AUTH, Reason.AUTH, "WRONGPASS"),
        asking("redis_server", lambda server: {"url": server.url(user="nobody", password="any")}),
        hint=_REJECTED,
        fix="ACL SETUSER nobody on >NEW_PASSWORD",
    ),
    Fault(
        "the user may not run PING",
        (Stage.PERMISSION, Reason.PERMISSION, "NOPERM"),
        asking("redis_server", lambda server: {"url": server.url(user=READER[0], password=READER[1])}),
        hint="Allow this user the command and the key.",
        fix=f"ACL SETUSER {READER[0]} +ping",
    ),
    Fault(
        "the user may run none of the commands of a check that writes",
        (Stage.PERMISSION, Reason.PERMISSION, "NOPERM"),
        asking(
            "redis_server",
            lambda server: {"url": server.url(user=READER[0], password=READER[1]), "write_key": "app:"},
        ),
        hint="Allow this user the command and the key.",
        fix=f"ACL SETUSER {READER[0]} +ping +set +get +del",
    ),
    Fault(
        "the user may not use the keys of the check",
        (Stage.FUNCTION, Reason.PERMISSION, "NOPERM"),
        _narrow,
        hint="Allow this user the command and the key.",
        fix="ACL SETUSER shop ~mooring:check:*",
    ),
    Fault(
        "the database number does not exist",
        (Stage.AUTH, Reason.NOT_FOUND, "NO_SUCH_DATABASE"),
        asking("redis_server", lambda server: {"url": server.url(database=16)}),
        hint="Raise `databases`, or use another.",
    ),
    Fault(
        "the server has no room for another client",
        (Stage.AUTH, Reason.OVERLOADED, "MAXCLIENTS"),
        _without_room,
        hint="Raise maxclients, or find who leaks them.",
    ),
    Fault(
        "a write is asked of a replica",
        (Stage.FUNCTION, Reason.ASSERTION, "READONLY"),
        _written_to,
        hint="Write to its master; after a failover the address has to follow.",
    ),
    Fault(
        "the server is a replica and a master is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "WRONG_ROLE"),
        _failed_over,
        hint="After a failover the address has to follow: ask Sentinel, or move the name.",
    ),
    Fault(
        "the cluster serves no slots",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "CLUSTERDOWN"),
        _cluster,
        hint="Slots are not served: CLUSTER NODES tells which, and whose they are.",
    ),
    Fault(
        "the port expects TLS and the address asks for none",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("redis_server", lambda server: {"url": f"redis://:{PASSWORD}@localhost:{server.tls_port}"}),
        hint="Write rediss:// instead of redis://, or use the port without TLS.",
    ),
    tls_faults.plain_text(
        asking("redis_server", lambda server: {"url": f"rediss://127.0.0.1:{server.port}"}),
        "the address asks for TLS and the port speaks none",
    ),
    tls_faults.client_cert_required(_demanding),
    tls_faults.cert_unknown_issuer_sent(
        asking("redis_server", lambda server: {"url": server.url(scheme="rediss")})
    ),
    Fault(
        "something else listens on the port",
        (Stage.AUTH, Reason.PROTOCOL, "NOT_REDIS"),
        asking("nginx", lambda server: {"url": f"redis://127.0.0.1:{server.port}"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "what answers announces more than a check can want (played)",
        (Stage.AUTH, Reason.PROTOCOL, "TOO_LARGE"),
        _played(b"$4000000000\r\n"),
        hint=_ENDLESS,
        timeout=2,
    ),
    Fault(
        "what answers sends small things without end (played)",
        (Stage.AUTH, Reason.PROTOCOL, "TOO_LARGE"),
        _played(b"*1000000000\r\n" + b"$1\r\na\r\n" * 100_000),
        hint=_ENDLESS,
    ),
)
