"""MongoDB against a protocol stand-in; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking
from tests.integration.over_tls import certified
from tests.servers.mongodb import INSIDER, PASSWORD, READER, USER, MongoDBStandIn, StartMongoDBStandIn
from tests.servers.process import free_port

DIALS = True
STAND_IN = (
    "A protocol stand-in that speaks MongoDB's wire protocol and SCRAM-SHA-256: it proves how the driver is "
    "used, and nothing of mongod."
)
DRIVER_ERRORS = ("pymongo.errors", "bson.errors")
_REJECTED = (
    "The password is wrong, or there is no such user in that database: the server does not tell which. "
    "If the user was created in another database, name that one with ?authSource=."
)
_LACKS = "The user lacks a role: let it read what this target names."
_ELECTION = (
    "The replica set is choosing a primary, which takes some seconds; if it lasts, look at rs.status()."
)
_STOPPING = "The server is being stopped: wait, or start it."
_FOREIGN = "Something else may listen on that port: compare the address with the service's own."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's stand-in, with a collection to be read."""
    server: MongoDBStandIn = request.getfixturevalue("mongodb_stand_in")
    settings = {"url": server.url(database="shop", authSource="admin"), "collection": "orders"}
    yield Example(
        settings=settings,
        broken={**settings, "url": server.url(password="wrong", database="shop", authSource="admin")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


def _reading(database: str, collection: str, user: tuple[str, str] = READER) -> Arrangement:
    """Return the arrangement of a user who reads a collection of the session's stand-in."""
    return asking(
        "mongodb_stand_in",
        lambda server: {"url": server.url(*user, database, authSource="admin"), "collection": collection},
    )


def _being(fails: Mapping[str, int] | None = None, state: str = "primary", **keys: Any) -> Arrangement:
    """Return the arrangement of a stand-in in some state, or one that fails at a command."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartMongoDBStandIn = request.getfixturevalue("start_mongodb_stand_in")
        primary = keys.pop("primary", None)
        more = {} if primary is None else {"primary": primary}
        with start(state=state, fails=dict(fails or {}), **more) as server:
            options = {"replicaSet": keys.pop("replica_set", "rs0"), "authSource": "admin"}
            yield {"url": server.url(database="shop", **options), "collection": "orders", **keys}

    return arrange


def _over_tls(server: MongoDBStandIn) -> Mapping[str, Any]:
    return {"url": server.url(tls="true")}


def _certified(name: str, *, mutual: bool = False) -> Arrangement:
    """Return the arrangement of a stand-in with one of our certificates."""
    return certified("start_mongodb_stand_in", name, _over_tls, mutual=mutual)


def _hashing(rounds: int) -> Arrangement:
    """Return the arrangement of a stand-in whose login takes so many rounds of hashing."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartMongoDBStandIn = request.getfixturevalue("start_mongodb_stand_in")
        with start(iterations=rounds) as server:
            yield {"url": server.url()}

    return arrange


@contextmanager
def _paused(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartMongoDBStandIn = request.getfixturevalue("start_mongodb_stand_in")
    with start() as server, server.paused():
        yield {"url": server.url()}


FAULTS = (
    Fault(
        "no login is given and one is needed",
        (Stage.AUTH, Reason.AUTH, "13"),
        asking("mongodb_stand_in", lambda server: {"url": server.url(user="")}),
        hint="Put user and password into the address, between mongodb:// and the host.",
    ),
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "18"),
        asking("mongodb_stand_in", lambda server: {"url": server.url(password="wrong")}),
        hint=_REJECTED,
        fix=f'db.getSiblingDB("admin").changeUserPassword("{USER}", passwordPrompt())',
    ),
    Fault(
        "the user does not exist",
        (Stage.AUTH, Reason.AUTH, "18"),
        asking("mongodb_stand_in", lambda server: {"url": server.url(user="nobody")}),
        hint=_REJECTED,
        fix='db.getSiblingDB("admin").changeUserPassword("nobody", passwordPrompt())',
    ),
    Fault(
        "the user was created in another database",
        (Stage.AUTH, Reason.AUTH, "18"),
        asking("mongodb_stand_in", lambda server: {"url": server.url(*INSIDER)}),
        hint=_REJECTED,
        fix=f'db.getSiblingDB("admin").changeUserPassword("{INSIDER[0]}", passwordPrompt())',
    ),
    Fault(
        "the server takes no such way to log in",
        (Stage.AUTH, Reason.AUTH, "334"),
        asking("mongodb_stand_in", lambda server: {"url": server.url(authMechanism="SCRAM-SHA-1")}),
        hint="The server does not take this way to log in: name another with ?authMechanism=.",
    ),
    Fault(
        "the server knows no such user and says so",
        (Stage.AUTH, Reason.AUTH, "11"),
        _being({"saslContinue": 11}),
        hint="There is no such user: create it, or name the database where it was created (?authSource=).",
    ),
    Fault(
        "the server wants the password hashed ten million times",
        (Stage.AUTH, Reason.PROTOCOL, "SCRAM_ITERATIONS"),
        _hashing(10_000_000),
        hint="Lower scramSHA256IterationCount and set the password anew; or something else listens on the "
        "port.",
        timeout=2,
    ),
    Fault(
        "the user may not read the collection",
        (Stage.PERMISSION, Reason.PERMISSION, "13"),
        _reading("hidden", "plans"),
        hint=_LACKS,
        fix=f'db.getSiblingDB("admin").grantRolesToUser("{READER[0]}", [{{"role": "read", "db": "hidden"}}])',
    ),
    Fault(
        "the collection does not exist",
        (Stage.PERMISSION, Reason.NOT_FOUND, "26"),
        _reading("shop", "oders"),
        hint="Create the collection, or correct its name and the address's database.",
    ),
    Fault(
        "a secondary answers and a primary is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "WRONG_ROLE"),
        _being(state="secondary", primary="db2.example:27017", role="primary"),
        hint="Name every member in the address; else change this target's role.",
    ),
    Fault(
        "the primary answers and a secondary is expected",
        (Stage.FUNCTION, Reason.ASSERTION, "WRONG_ROLE"),
        _being(role="secondary"),
        hint="Name every member in the address; else change this target's role.",
    ),
    Fault(
        "the replica set has no primary",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "NO_PRIMARY"),
        _being(state="secondary", role="primary"),
        hint="A majority of members has to see each other to choose one: see rs.status().",
    ),
    Fault(
        "the member is recovering",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "NOT_READABLE"),
        _being(state="recovering"),
        hint="Look at rs.status(): how far it is, and whether it is to be a member at all.",
    ),
    Fault(
        "it is a member of another replica set",
        (Stage.FUNCTION, Reason.ASSERTION, "WRONG_REPLICA_SET"),
        _being(replica_set="rs1"),
        hint="Correct replicaSet= in the address, or the host.",
    ),
    Fault(
        "the primary steps down meanwhile",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "189"),
        _being({"find": 189}),
        hint=_ELECTION,
    ),
    Fault(
        "the member is no longer the primary",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "10107"),
        _being({"find": 10107}),
        hint=_ELECTION,
    ),
    Fault(
        "the server is being stopped",
        (Stage.PROTOCOL, Reason.UNAVAILABLE, "91"),
        _being({"hello": 91, "ismaster": 91}),
        hint=_STOPPING,
    ),
    Fault(
        "the server limits how many may connect",
        (Stage.PROTOCOL, Reason.OVERLOADED, "462"),
        _being({"hello": 462, "ismaster": 462}),
        hint="The service has no room for another client.",
    ),
    Fault(
        "reading takes too long",
        (Stage.PERMISSION, Reason.TIMEOUT, "50"),
        _being({"find": 50}),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
    ),
    Fault(
        "the server hangs",
        (Stage.PROTOCOL, Reason.TIMEOUT, "TIMEOUT"),
        _paused,
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    Fault(
        "none of several hosts listens",
        (Stage.TCP, Reason.REFUSED, "ECONNREFUSED"),
        asking(
            "mongodb_stand_in",
            lambda _: {"url": f"mongodb://127.0.0.1:{free_port()},127.0.0.1:{free_port()}/"},
        ),
        hint="The machine is there: is the service running, and is the port right?",
    ),
    tls_faults.cert_expired(_certified("expired")),
    tls_faults.cert_host_mismatch(_certified("wrong_host")),
    tls_faults.cert_unknown_issuer(asking("tls_mongodb_stand_in", _over_tls)),
    tls_faults.client_cert_required(_certified("good", mutual=True)),
    Fault(
        "plain text is spoken to a port with TLS",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("tls_mongodb_stand_in", lambda server: {"url": server.url()}),
        hint="Put tls=true behind the address's ?, or use a port without TLS.",
    ),
    tls_faults.plain_text(
        asking("mongodb_stand_in", _over_tls),
        "TLS is spoken to a port in plain text",
    ),
    Fault(
        "a web server listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_MONGODB"),
        asking("nginx", lambda server: {"url": f"mongodb://127.0.0.1:{server.port}"}),
        hint=_FOREIGN,
    ),
)
