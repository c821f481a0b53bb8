"""Redis: a real server in every way it can fail."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.tls import UNVERIFIED
from mooring.net.trail import Trail
from mooring.probes import _redis
from mooring.probes._registry import Kinds
from mooring.probes.redis import Redis as Kind
from mooring.targets import TargetReader
from mooring.testing.faults import Cut, fault_proxy
from tests.servers.process import eventually, free_port, poll_until
from tests.servers.redis import PASSWORD, READER, Redis, StartRedis
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
READER_OF_TARGETS = TargetReader(Kinds())


async def check(url: str, **settings: Any) -> CheckResult:
    """Check an address once."""
    target = READER_OF_TARGETS.from_url(url, **{"timeout": 5, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


def told(result: CheckResult) -> tuple[Reason, Stage | None, str, str]:
    """Return reason, stage, code and message of a failure."""
    assert result.failure is not None
    return result.failure.reason, result.failure.stage, result.failure.code, result.failure.message


def hint(result: CheckResult) -> str:
    """Return what a person is told to do."""
    assert result.failure is not None
    return result.failure.hint or ""


async def test_good_server_tells_its_role_and_head_room(redis_server: Redis) -> None:
    """A check that passes says what it talked to, and how full that is."""
    result = await check(redis_server.url(), write_key="mooring:check:")
    assert (result.status, result.failure) == (Status.UP, None)
    details, numbers = result.observation.details, result.observation.numbers
    assert details["address"] == f"127.0.0.1:{redis_server.port}"
    assert (details["role"], details["mode"]) == ("master", "standalone")
    assert details["server_version"].count(".") == 2
    assert numbers["clients_used"] >= 1
    assert numbers["clients_max"] == 10000
    assert numbers["memory_used_bytes"] > 0
    assert [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED] == [
        Stage.DNS,
        Stage.TCP,
        Stage.AUTH,
        Stage.PERMISSION,
        Stage.FUNCTION,
    ]
    assert redis_server.ask("KEYS", "mooring:check:*") == []


async def test_tls_is_used_and_verified(redis_server: Redis, certificates: Certificates) -> None:
    """rediss:// verifies the certificate and warns where that is switched off."""
    url = redis_server.url(scheme="rediss")
    good = await check(url, tls={"ca": certificates.ca})
    assert (good.status, good.observation.details["tls_version"]) == (Status.UP, "TLSv1.3")
    assert [s.status for s in good.stages if s.stage is Stage.TLS] == [StageStatus.PASSED]
    reason, stage, code, _ = told(await check(url))
    assert (reason, stage, code) == (Reason.TLS, Stage.TLS, "CERT_UNKNOWN_ISSUER")
    assert (await check(url, tls={"verify": False})).status is Status.DEGRADED


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ({"password": None}, ("NOAUTH", "the server demands a login and none was given")),
        (
            {"password": "wrong"},
            ("WRONGPASS", "WRONGPASS invalid username-password pair or user is disabled."),
        ),
        (
            {"user": "nobody", "password": "wrong"},
            ("WRONGPASS", "WRONGPASS invalid username-password pair or user is disabled."),
        ),
    ],
)
async def test_rejected_login_is_told(
    redis_server: Redis, login: dict[str, Any], expected: tuple[str, str]
) -> None:
    """No login, a wrong password and an unknown user fail at auth, before anything else is tried."""
    result = await check(redis_server.url(**login))
    assert told(result) == (Reason.AUTH, Stage.AUTH, *expected)
    assert result.status is Status.DOWN
    assert hint(result)


async def test_user_without_rights_is_told_from_a_wrong_login(redis_server: Redis) -> None:
    """A user who may log in and not PING fails at permission, with the server's own words."""
    result = await check(redis_server.url(user=READER[0], password=READER[1]))
    reason, stage, code, message = told(result)
    assert (reason, stage, code) == (Reason.PERMISSION, Stage.PERMISSION, "NOPERM")
    assert message.startswith("NOPERM this user has no permissions to run the 'ping' command")
    assert hint(result) == "Allow this user the command and the key."
    assert result.failure is not None
    assert result.failure.fix == f"ACL SETUSER {READER[0]} +ping"


async def test_user_without_info_is_up_without_numbers(redis_server: Redis) -> None:
    """Who may not ask for INFO is still tested; only the head-room stays unknown."""
    redis_server.ask("ACL", "SETUSER", "plain", "on", ">plainpw", "~*", "+ping")
    result = await check(redis_server.url(user="plain", password="plainpw"))
    assert (result.status, dict(result.observation.numbers)) == (Status.UP, {})


async def test_user_who_may_not_write_is_told(redis_server: Redis) -> None:
    """With write_key a key outside the user's pattern is a missing right."""
    redis_server.ask("ACL", "SETUSER", "narrow", "on", ">narrowpw", "resetkeys", "~app:*", "+@all")
    url = redis_server.url(user="narrow", password="narrowpw")
    assert (await check(url, write_key="app:check:")).status is Status.UP
    denied = await check(url, write_key="other:")
    assert told(denied)[:3] == (Reason.PERMISSION, Stage.FUNCTION, "NOPERM")
    assert denied.failure is not None
    assert denied.failure.fix == "ACL SETUSER narrow ~other:*"
    redis_server.ask(*denied.failure.fix.split())
    assert (await check(url, write_key="other:")).status is Status.UP


async def test_prefix_of_keys_that_means_more_in_a_rule_gives_none(redis_server: Redis) -> None:
    """A prefix with what an access rule reads as a pattern is not put into one."""
    redis_server.ask("ACL", "SETUSER", "narrow", "on", ">narrowpw", "resetkeys", "~app:*", "+@all")
    url = redis_server.url(user="narrow", password="narrowpw")
    denied = await check(url, write_key="*:")
    assert denied.failure is not None
    assert (denied.failure.code, denied.failure.fix) == ("NOPERM", None)


async def test_database_that_does_not_exist_is_told(redis_server: Redis) -> None:
    """A number past `databases` is not found, at auth."""
    assert (await check(redis_server.url(database=15))).status is Status.UP
    assert told(await check(redis_server.url(database=16))) == (
        Reason.NOT_FOUND,
        Stage.AUTH,
        "NO_SUCH_DATABASE",
        "DB index is out of range",
    )


async def test_too_many_clients_are_told(start_redis: StartRedis) -> None:
    """A server without room is overloaded, with a login and without one; before that it warns."""
    with start_redis("maxclients 5") as server:
        clients = [redis.Redis(port=server.port, password=PASSWORD) for _ in range(5)]
        try:
            for client in clients[:4]:
                client.ping()
            near = await check(server.url())
            assert near.status is Status.DEGRADED
            assert near.observation.warnings == ("5 of 5 clients are connected",)
            clients[4].ping()
            for url in (server.url(), server.url(password=None)):
                result = await check(url)
                reason, stage, code, message = told(result)
                assert (reason, stage, code) == (Reason.OVERLOADED, Stage.AUTH, "MAXCLIENTS")
                assert message == "max number of clients reached"
                assert result.failure is not None
                assert not result.failure.reason.permanent
        finally:
            for client in clients:
                client.close()


async def test_full_memory_warns_and_refuses_writes(start_redis: StartRedis) -> None:
    """A server that may not evict warns when it fills up, and says OOM when it has."""
    with start_redis("maxmemory 3mb", "maxmemory-policy noeviction") as server:
        fill = "for i=1,1000 do redis.pcall('SET', 'k'..i, string.rep('x', 10000)) end"
        server.ask("EVAL", f"#!lua flags=allow-oom\n{fill}", "0")
        reading = await check(server.url())
        assert reading.status is Status.DEGRADED
        assert reading.observation.warnings[0].endswith("of maxmemory is used, and nothing may be evicted")
        result = await check(server.url(), write_key="mooring:check:")
        assert told(result) == (
            Reason.ASSERTION,
            Stage.FUNCTION,
            "OOM",
            "the server takes no writes: its memory is full",
        )
        assert "maxmemory" in hint(result)
        server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        assert (await check(server.url(), write_key="mooring:check:")).status is Status.UP


async def test_replica_is_told_from_its_master(start_redis: StartRedis) -> None:
    """A replica says so, refuses writes, fails an expected master, and warns when its link is down."""
    with start_redis() as master, start_redis(f"replicaof 127.0.0.1 {master.port}") as replica:
        poll_until(lambda: replica.ask("INFO")["master_link_status"] == "up", "replication")
        good = await check(replica.url(), role="replica")
        assert (good.status, good.observation.details["role"]) == (Status.UP, "replica")
        assert good.observation.details["master_link"] == "up"
        assert good.observation.numbers["master_silent_seconds"] >= 0
        writing = await check(replica.url(), write_key="mooring:check:")
        assert told(writing)[:3] == (Reason.ASSERTION, Stage.FUNCTION, "READONLY")
        assert told(writing)[3] == "this server is a replica and takes no writes"
        expecting = await check(replica.url(), role="master")
        assert told(expecting) == (
            Reason.ASSERTION,
            Stage.FUNCTION,
            "WRONG_ROLE",
            "the server is a replica, expected a master",
        )
        master.kill()
        poll_until(lambda: replica.ask("INFO")["master_link_status"] == "down", "the link's end")
        lonely = await check(replica.url())
        assert lonely.status is Status.DEGRADED
        assert lonely.observation.warnings == ("the link to its master is down: what it answers grows old",)
        replica.ask("CONFIG", "SET", "replica-serve-stale-data", "no")
        result = await check(replica.url())
        reason, stage, code, message = told(result)
        assert (reason, stage, code) == (Reason.UNAVAILABLE, Stage.FUNCTION, "MASTERDOWN")
        assert message.startswith("MASTERDOWN Link with MASTER is down")


async def test_server_that_cannot_save_is_told(start_redis: StartRedis) -> None:
    """After a failed background save a server says MISCONF; where it may go on all the same, it warns."""
    with start_redis("save 3600 1", "enable-protected-configs yes") as server:
        server.ask("SET", "k", "v")
        server.ask("CONFIG", "SET", "dir", "/proc")  # nobody can write there
        server.ask("BGSAVE")
        poll_until(lambda: server.ask("INFO")["rdb_last_bgsave_status"] == "err", "a failed save")
        result = await check(server.url())
        reason, stage, code, message = told(result)
        assert (reason, stage, code) == (Reason.ASSERTION, Stage.FUNCTION, "MISCONF")
        assert message.startswith("MISCONF Redis is configured to save RDB snapshots")
        server.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
        writing = await check(server.url(), write_key="mooring:check:")
        assert writing.status is Status.DEGRADED
        assert writing.observation.warnings == ("the last background save failed",)


async def test_cluster_that_is_down_is_told(start_redis: StartRedis) -> None:
    """A node of a cluster without slots answers, and serves no key."""
    # Its bus would else be at its port + 10,000, where outgoing connections have theirs.
    with start_redis("cluster-enabled yes", f"cluster-port {free_port()}") as server:
        result = await check(server.url(), write_key="mooring:check:")
    reason, stage, code, message = told(result)
    assert (reason, stage, code) == (Reason.UNAVAILABLE, Stage.FUNCTION, "CLUSTERDOWN")
    assert message == "CLUSTERDOWN Hash slot not served"


async def test_server_that_loads_its_data_is_told(start_redis: StartRedis) -> None:
    """While it reads its data from disk a server says LOADING: unavailable, for now."""
    with start_redis("key-load-delay 10000", "loading-process-events-interval-bytes 1024") as server:
        words = "local w = '' for j=1,16 do w = w .. redis.sha1hex(i..':'..j) end"  # not to be packed
        server.ask("EVAL", f"for i=1,1500 do {words} redis.call('SET', 'k'..i, w) end", "0")
        server.ask("SAVE")
        server.kill()
        server.spawn()
        poll_until(lambda: _is_loading(server), "loading")
        result = await check(server.url())
    reason, stage, code, message = told(result)
    assert (reason, stage, code) == (Reason.UNAVAILABLE, Stage.FUNCTION, "LOADING")
    assert message == "LOADING Redis is loading the dataset in memory"


def _is_loading(server: Redis) -> bool:
    try:
        return bool(server.ask("PING") and False)
    except redis.exceptions.BusyLoadingError:
        return True
    except redis.exceptions.ConnectionError:
        return False


async def test_something_else_on_the_port_is_told(nginx: Any) -> None:
    """A server that is no Redis is a protocol error, not a login or a network one."""
    reason, stage, code, _ = told(await check(f"redis://127.0.0.1:{nginx.port}"))
    assert (reason, stage, code) == (Reason.PROTOCOL, Stage.AUTH, "NOT_REDIS")


async def test_tls_to_a_plain_port_is_told(redis_server: Redis) -> None:
    """rediss:// to the port without TLS fails at tls."""
    result = await check(f"rediss://:{PASSWORD}@127.0.0.1:{redis_server.port}", timeout=1)
    reason, stage, code, _ = told(result)  # Redis waits for the rest of what it takes for a command
    assert (reason, stage, code) == (Reason.TLS, Stage.TLS, "PLAIN_TEXT")


async def test_session_that_is_cut_says_so_at_the_next_ping(redis_server: Redis) -> None:
    """A session for links ends once its connection does, and is not silently opened again."""
    probe = Kind(url=redis_server.url())
    async with Network() as net, fault_proxy(redis_server.port) as proxy:
        through = redis_server.url().replace(str(redis_server.port), str(proxy.port))
        probe = Kind.model_validate({"url": through})
        async with probe.session(Trail(net, timeout=5)) as session:
            await probe.ping(session)
            await proxy.cut()
            for _ in range(2):
                with pytest.raises(redis.exceptions.ConnectionError):
                    await probe.ping(session)
    await eventually(lambda: redis_server.sessions() == 0, "the server's forgetting us")


async def test_cut_in_the_login_leaves_no_connection(redis_server: Redis) -> None:
    """A connection that ends while logging in is a network failure at auth."""
    async with fault_proxy(redis_server.port, Cut()) as proxy:
        result = await check(f"redis://:{PASSWORD}@127.0.0.1:{proxy.port}")
    reason, stage, code, _ = told(result)
    assert (reason, stage) == (Reason.NETWORK, Stage.AUTH)
    assert code in {"CONNECTION_LOST", "ECONNRESET", "EOF"}


def test_authentication_is_told_before_its_base_class() -> None:
    """redis-py's AuthenticationError is a ConnectionError; it is a rejected login all the same."""
    error = redis.exceptions.AuthenticationError("invalid username-password pair", status_code="WRONGPASS")
    assert isinstance(error, redis.exceptions.ConnectionError)
    cause = _redis.explain(error, "shop")
    assert cause is not None
    assert (cause.reason, cause.code) == (Reason.AUTH, "WRONGPASS")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://", "a redis address names a host: redis://user:password@host:port/0"),
        ("redis://user@h", "a user without a password; a password alone is redis://:password@host"),
        ("redis://h/orders", "the database is a number: redis://host/0"),
        ("rediss://h/0?ssl_cert_reqs=maybe", "ssl_cert_reqs has to be required, optional or none"),
    ],
)
def test_address_that_cannot_be_used_says_why(url: str, message: str) -> None:
    """What is wrong with an address is said before anything is connected."""
    with pytest.raises(ValueError) as caught:
        Kind(url=url)
    assert message in str(caught.value)


async def test_words_of_celery_and_django_are_understood(
    redis_server: Redis, certificates: Certificates
) -> None:
    """Celery demands ssl_cert_reqs, and Django writes the password behind the question mark."""
    login = f"password={PASSWORD}&client_class=django_redis.client.DefaultClient"
    assert (await check(f"redis://127.0.0.1:{redis_server.port}/1?{login}")).status is Status.UP
    tls = f"rediss://:{PASSWORD}@127.0.0.1:{redis_server.tls_port}/0"
    trusted = await check(f"{tls}?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs={certificates.ca}")
    assert trusted.status is Status.UP
    unverified = await check(f"{tls}?ssl_cert_reqs=none")
    assert unverified.observation.warnings == (UNVERIFIED,)
    rejected = await check(f"redis://127.0.0.1:{redis_server.port}?password=wr0ng-pw")
    assert told(rejected)[2] == "WRONGPASS"
    assert "wr0ng-pw" not in repr(rejected)


def test_tls_settings_without_tls_are_refused() -> None:
    """TLS settings beside redis:// would be silently in the clear."""
    with pytest.raises(ValueError) as caught:
        Kind(url="redis://h", tls={"ca": "/ca.pem"})
    assert "tls: is of no use without TLS; write rediss:// instead of redis://" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://:pw@h", "h:6379"),
        ("redis://:pw@h:1/3", "h:1/3"),
        ("rediss://u:pw@[::1]/?db=4", "[::1]:6379/4"),
        ("valkey://h/0/", "h:6379"),
    ],
)
def test_address_shows_no_login(url: str, address: str) -> None:
    """The address tells host, port and database, and never a login."""
    assert Kind(url=url).address == address
