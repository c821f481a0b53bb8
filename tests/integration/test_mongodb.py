"""MongoDB: what a protocol stand-in tells, and the same of a real server where one is named.

The stand-in proves how pymongo is used, and nothing of mongod. The tests with `uri` run against a real
server too where MOORING_TEST_MONGODB_URI names one, with a user who may read and may ask for serverStatus.
"""

from __future__ import annotations

import os
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._mongodb import Login, cause
from mooring.probes._mongodb_state import role_of
from mooring.probes._registry import Kinds
from mooring.probes.mongodb import MongoDB as Kind
from mooring.targets import TargetReader
from mooring.testing.leaks import no_leaks
from tests.servers.mongodb import (
    INSIDER,
    PASSWORD,
    READER,
    USER,
    MongoDBStandIn,
    StartMongoDBStandIn,
)
from tests.servers.nameserver import NameServer
from tests.servers.process import eventually, free_port
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
READER_OF_TARGETS = TargetReader(Kinds())
REAL = "MOORING_TEST_MONGODB_URI"


async def check(url: str, nameservers: tuple[str, ...] = (), **settings: Any) -> CheckResult:
    """Check an address once."""
    target = READER_OF_TARGETS.read(
        {"kind": "mongodb", "name": "mongodb", "url": url, "timeout": 5, **settings}
    )
    async with Network(nameservers=nameservers) as net:
        return await Runner(net).run(target, Trigger.CLI)


def told(result: CheckResult) -> tuple[Stage | None, Reason, str]:
    """Return stage, reason and code of a failure."""
    assert result.failure is not None
    return result.failure.stage, result.failure.reason, result.failure.code


@pytest.fixture(params=["stand-in", "real server"])
def uri(request: pytest.FixtureRequest, mongodb_stand_in: MongoDBStandIn) -> str:
    """The address of the stand-in, and of a real server where there is one."""
    if request.param == "stand-in":
        return mongodb_stand_in.url()
    real = os.environ.get(REAL)
    if not real:
        pytest.skip(f"{REAL} names no real MongoDB")
    return real


def with_login(uri: str, login: str) -> str:
    """Return an address with another login."""
    parts = urlsplit(uri)
    return parts._replace(netloc=f"{login}{parts.netloc.rpartition('@')[2]}").geturl()


async def test_good_server_tells_its_role_and_head_room(uri: str) -> None:
    """A check that passes says what it talked to, and how full that is."""
    result = await check(uri)
    assert (result.status.works, result.failure) == (True, None)
    details, numbers = result.observation.details, result.observation.numbers
    assert details["role"] in ("standalone", "primary", "secondary", "mongos")
    assert details["server_version"].count(".") == 2
    assert 1 <= numbers["connections_used"] < numbers["connections_max"]
    assert numbers["databases_visible"] >= 1
    assert numbers["uptime_seconds"] > 0
    passed = [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED]
    assert passed[-4:] == [Stage.PROTOCOL, Stage.AUTH, Stage.PERMISSION, Stage.FUNCTION]


async def test_wrong_password_is_told_at_auth(uri: str) -> None:
    """Code 18, the service's own, and no network fault."""
    result = await check(with_login(uri, f"{USER}:not-the-password@"))
    assert told(result) == (Stage.AUTH, Reason.AUTH, "18")
    assert "not-the-password" not in repr(result)


@pytest.mark.parametrize("speculates", [True, False], ids=["with the hello", "after it"])
async def test_deadline_holds_where_a_login_takes_much_hashing(
    start_mongodb_stand_in: StartMongoDBStandIn, speculates: bool
) -> None:
    """The server names the rounds of hashing, and the driver does them while nothing else goes on."""
    with start_mongodb_stand_in(iterations=10_000_000, speculates=speculates) as server:
        began = time.process_time()  # hashing is our own work: what others do meanwhile takes none of it
        result = await check(server.url(), timeout=1)
        assert time.process_time() - began < 1
    assert told(result) == (Stage.AUTH, Reason.PROTOCOL, "SCRAM_ITERATIONS")


@pytest.mark.parametrize("speculates", [True, False], ids=["with the hello", "after it"])
async def test_login_with_more_hashing_than_usual_passes(
    start_mongodb_stand_in: StartMongoDBStandIn, speculates: bool
) -> None:
    """Whoever has raised the number a good deal is let in as before."""
    with start_mongodb_stand_in(iterations=200_000, speculates=speculates) as server:
        assert (await check(server.url())).status is Status.UP


async def test_missing_login_is_told_at_auth(uri: str) -> None:
    """Hello and ping succeed without a login: only listDatabases tells that one is needed."""
    assert told(await check(with_login(uri, ""))) == (Stage.AUTH, Reason.AUTH, "13")


async def test_missing_collection_is_told(uri: str) -> None:
    """Reading a collection that does not exist gives nothing, and no error: it is looked for."""
    parts = urlsplit(uri)
    source = f"{parts.query}&" if parts.query else "authSource=admin&"
    url = parts._replace(path="/shop", query=f"{source}appName=x").geturl()
    result = await check(url, collection="mooring_there_is_no_such_collection")
    assert told(result) == (Stage.PERMISSION, Reason.NOT_FOUND, "26")


async def test_server_without_logins_is_up_without_one(start_mongodb_stand_in: StartMongoDBStandIn) -> None:
    """Where no login is demanded, none is needed."""
    with start_mongodb_stand_in(login=False) as server:
        result = await check(server.url(user="", database="shop"), collection="orders")
    assert (result.status, result.observation.details["role"]) == (Status.UP, "standalone")


async def test_user_of_another_database_logs_in_there(mongodb_stand_in: MongoDBStandIn) -> None:
    """The address's database is where the user is looked for, unless authSource names another."""
    inside = await check(mongodb_stand_in.url(*INSIDER, "shop"), collection="orders")
    named = await check(mongodb_stand_in.url(*INSIDER, authSource="shop"))
    assert (inside.status, named.status) == (Status.UP, Status.UP)


async def test_empty_collection_is_up(mongodb_stand_in: MongoDBStandIn) -> None:
    """A collection that holds nothing is not one that does not exist."""
    url = mongodb_stand_in.url(*READER, "shop", authSource="admin")
    assert (await check(url, collection="empty")).status is Status.UP


async def test_without_the_right_to_server_status_there_are_no_numbers(
    mongodb_stand_in: MongoDBStandIn,
) -> None:
    """Head-room needs clusterMonitor; who has it not is up all the same."""
    result = await check(mongodb_stand_in.url(*READER))
    assert (result.status, result.observation.warnings) == (Status.UP, ())
    assert result.observation.numbers == {"databases_visible": 1.0}


async def test_few_connections_left_are_warned_about(start_mongodb_stand_in: StartMongoDBStandIn) -> None:
    """From `warn_used` on a check warns, and still passes."""
    with start_mongodb_stand_in(connections=1) as server:
        result = await check(server.url())
    assert result.observation.warnings == ("1 of 1 connections are open",)


async def test_no_primary_is_a_warning_where_any_role_will_do(
    start_mongodb_stand_in: StartMongoDBStandIn,
) -> None:
    """A secondary that can be read works; that nobody can write is said."""
    with start_mongodb_stand_in(state="secondary") as server:
        result = await check(server.url())
    assert (result.status, result.observation.details["role"]) == (Status.DEGRADED, "secondary")
    assert result.observation.warnings == ("the replica set has no primary: nothing can be written",)


async def test_primary_is_found_among_several_hosts(start_mongodb_stand_in: StartMongoDBStandIn) -> None:
    """Every host is greeted and one is logged in to: the primary, or the secondary where that is asked."""
    with (
        start_mongodb_stand_in(state="primary") as first,
        start_mongodb_stand_in(state="secondary", primary=f"127.0.0.1:{first.port}") as second,
    ):
        hosts = f"127.0.0.1:{second.port},127.0.0.1:{first.port}"
        url = f"mongodb://{USER}:{PASSWORD}@{hosts}/?replicaSet=rs0"
        async with no_leaks():
            primary = await check(url, role="primary")
            secondary = await check(url, role="secondary")
        await eventually(lambda: first.sessions() + second.sessions() == 0, "being forgotten")
    assert (primary.status, primary.observation.details["role"]) == (Status.UP, "primary")
    assert primary.observation.details["address"] == f"127.0.0.1:{first.port}"
    assert (secondary.status, secondary.observation.details["role"]) == (Status.UP, "secondary")
    assert secondary.observation.details["address"] == f"127.0.0.1:{second.port}"
    assert primary.observation.details["members"] == {
        f"127.0.0.1:{second.port}": "secondary",
        f"127.0.0.1:{first.port}": "primary",
    }
    assert primary.target.address == hosts


async def test_host_that_is_gone_is_a_warning(mongodb_stand_in: MongoDBStandIn) -> None:
    """One host of several that does not answer degrades; which one and why is said."""
    gone = f"127.0.0.1:{free_port()}"
    result = await check(f"mongodb://{USER}:{PASSWORD}@{gone},127.0.0.1:{mongodb_stand_in.port}/")
    assert result.status is Status.DEGRADED
    assert result.observation.warnings == (f"{gone} fails at tcp: ECONNREFUSED",)


async def test_srv_records_list_the_hosts(
    tls_mongodb_stand_in: MongoDBStandIn, name_server: NameServer, certificates: Certificates
) -> None:
    """mongodb+srv:// means the hosts of its records, over TLS."""
    port = tls_mongodb_stand_in.port
    name_server.records = {
        ("_mongodb._tcp.cluster.shop.example", "SRV"): [f"0 0 {port} db1.shop.example."],
        ("db1.shop.example", "A"): ["127.0.0.1"],
    }
    tls = {"ca": certificates.ca, "server_name": "localhost"}
    url = f"mongodb+srv://{USER}:{PASSWORD}@cluster.shop.example/"
    result = await check(url, (name_server.address,), tls=tls)
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details["address"] == f"127.0.0.1:{port}"
    assert result.target.address == "cluster.shop.example"


@pytest.mark.parametrize(
    ("name", "record", "code"),
    [
        ("cluster.shop.example", None, "NXDOMAIN"),
        ("cluster.shop.example", "0 0 27017 db.elsewhere.example.", "FOREIGN_HOST"),
        ("shop.example", "0 0 27017 elsewhere.example.", "FOREIGN_HOST"),
        ("shop.example", "0 0 27017 shop.example.", "FOREIGN_HOST"),
        ("shop.example", "0 0 27017 db.shop.example.", "NXDOMAIN"),
        ("shop", "0 0 27017 db.elsewhere.", "FOREIGN_HOST"),
    ],
)
async def test_srv_records_that_cannot_be_used_are_told_at_dns(
    name_server: NameServer, name: str, record: str | None, code: str
) -> None:
    """No record, and one that leads out of the domain: whoever forged it would get the login."""
    if record is not None:
        name_server.records[f"_mongodb._tcp.{name}", "SRV"] = [record]
    result = await check(f"mongodb+srv://{USER}:pw@{name}/", (name_server.address,))
    assert told(result) == (Stage.DNS, Reason.DNS, code)


async def test_client_certificate_is_shown(
    start_mongodb_stand_in: StartMongoDBStandIn, certificates: Certificates
) -> None:
    """A server that demands a certificate is up with one."""
    own = {"cert": certificates.client.cert, "key": certificates.client.key}
    with start_mongodb_stand_in(certificate=certificates.good, client_ca=certificates.ca) as server:
        result = await check(server.url(), tls={"ca": certificates.ca, **own})
    assert (result.status, result.observation.details["tls_version"]) == (Status.UP, "TLSv1.3")


async def test_session_can_be_held_and_pinged(mongodb_stand_in: MongoDBStandIn) -> None:
    """A link opens once and pings; leaving takes it off the server's books."""
    probe = Kind(url=mongodb_stand_in.url())
    await eventually(lambda: mongodb_stand_in.sessions() == 0, "the server's forgetting others")
    async with no_leaks(), Network() as net, probe.session(Trail(net, timeout=5)) as session:
        await probe.ping(session)
        await probe.ping(session)
        await eventually(lambda: mongodb_stand_in.sessions() == 1, "one session on its books")
    await eventually(lambda: mongodb_stand_in.sessions() == 0, "being forgotten")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "mongodb://"}, "url: names no host"),
        ({"url": "mongodb://a,,b"}, "url: names no host"),
        ({"url": "mongodb://u@h"}, "url: a user without a password"),
        ({"url": "mongodb://:pw@h"}, "url: a login without a user"),
        ({"url": "mongodb://h/?authMechanism=PLAIN"}, "url: a login without a user"),
        (
            {"url": "mongodb://u:p@h/?authMechanism=GSSAPI"},
            "authMechanism has to be one of SCRAM-SHA-256",
        ),
        ({"url": "mongodb://u:p@h/?authMechanism=MONGODB-X509"}, "takes no password"),
        ({"url": "mongodb+srv://h:27017"}, "takes one name without a port"),
        ({"url": "mongodb+srv://a,b"}, "takes one name without a port"),
        ({"url": "mongodb://h:x,i"}, "the port has to be a number"),
        (
            {"url": "mongodb://h/?replicaset=a&authsorce=b"},
            "authsorce; did you mean authsource?",
        ),
        ({"url": "mongodb://h/?tls=maybe"}, "url: tls has to be true or false"),
        ({"url": "mongodb://h/?tls=false", "tls": {}}, "tls: is of no use, since the address says tls=false"),
        ({"url": "mongodb://h", "collection": "c"}, "collection: needs a database"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    """What is wrong is said by its field, with what would be right."""
    with pytest.raises(ValueError) as caught:
        Kind.model_validate(settings)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mongodb://u:pw@h", "h:27017"),
        ("mongodb://u:pw@a,b:1,[::1]:2/db?replicaSet=rs0", "a:27017,b:1,[::1]:2/db"),
        ("mongodb+srv://u:pw@cluster.example/db?retryWrites=true&w=majority", "cluster.example/db"),
    ],
)
def test_address_shows_no_login(url: str, address: str) -> None:
    """The address tells hosts and database, and never a login; several hosts hide their password too."""
    probe = Kind(url=url)
    assert probe.address == address
    assert "pw" in set(probe.secrets())


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("mongodb://h", None),
        ("mongodb://h/?ssl=true", TLSSettings()),
        ("mongodb+srv://h", TLSSettings()),
        ("mongodb+srv://h/?tls=false", None),
        ("mongodb://h/?tls=true&tlsCAFile=/ca.pem", TLSSettings(ca="/ca.pem")),
        ("mongodb://h/?tls=true&tlsCertificateKeyFile=/c.pem", TLSSettings(cert="/c.pem")),
        ("mongodb://h/?tls=true&tlsAllowInvalidHostnames=true", TLSSettings(verify="ca")),
        ("mongodb://h/?tls=true&tlsInsecure=true", TLSSettings(verify=False)),
    ],
)
def test_address_says_how_tls_is_spoken(url: str, tls: TLSSettings | None) -> None:
    """The options that drivers know mean here what they mean there."""
    assert Kind(url=url).parts.encryption(None) == tls


@pytest.mark.parametrize(
    ("hello", "role"),
    [
        ({"msg": "isdbgrid", "ismaster": True}, "mongos"),
        ({"ismaster": True}, "standalone"),
        ({"isreplicaset": True}, "uninitialised"),
        ({"setName": "rs0", "isWritablePrimary": True}, "primary"),
        ({"setName": "rs0", "secondary": True}, "secondary"),
        ({"setName": "rs0", "arbiterOnly": True}, "arbiter"),
        ({"setName": "rs0"}, "recovering"),
    ],
)
def test_role_is_read_from_hello(hello: dict[str, Any], role: str) -> None:
    """What a member is stands in its first answer."""
    assert role_of(hello) == role


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (11, Reason.AUTH),
        (13, Reason.PERMISSION),
        (18, Reason.AUTH),
        (50, Reason.TIMEOUT),
        (91, Reason.UNAVAILABLE),
        (189, Reason.UNAVAILABLE),
        (8000, Reason.AUTH),
        (10107, Reason.UNAVAILABLE),
        (12345, Reason.ASSERTION),
        (None, Reason.PROTOCOL),
    ],
)
def test_codes_have_their_reasons(code: int | None, reason: Reason) -> None:
    """The documented codes mean what they say."""
    assert cause(code, {}, "text", Login("u", "admin", "")).reason is reason


def test_names_in_a_fix_are_quoted() -> None:
    """A user's name cannot end the string that it stands in."""
    fix = cause(13, {}, "", Login('a"b', "admin", "d'\"")).fix
    assert fix == ('db.getSiblingDB("admin").grantRolesToUser("a\\"b", [{"role": "read", "db": "d\'\\""}])')
