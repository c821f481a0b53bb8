"""The kind dns against a name server of our own."""

from __future__ import annotations

from typing import Any

import dns.rcode
import pytest

import mooring
from mooring.core.failure import InputError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from mooring.probes.dns import DNS
from mooring.testing.leaks import no_leaks
from tests.servers.nameserver import NameServer, silent_port
from tests.servers.process import free_port

pytestmark = pytest.mark.integration

RECORDS = {
    "A": (["192.0.2.7", "192.0.2.8"], "192.0.2.8"),
    "AAAA": (["2001:db8::7"], "2001:0DB8:0::7"),
    "CNAME": (["web.example."], "Web.Example"),
    "MX": (["10 mx1.example.", "20 mx2.example."], "20 mx2.example"),
    "TXT": (['"v=spf1 " "-all"', '"Other"'], "v=spf1 -all"),
    "NS": (["ns1.example."], "ns1.example."),
    "SRV": (["0 5 5432 db.example."], "0 5 5432 db.example"),
    "SOA": (
        ["ns1.example. ops.example. 7 3600 600 86400 60"],
        "ns1.example ops.example 7 3600 600 86400 60",
    ),
    "PTR": (["host.example."], "host.example"),
    "CAA": (['0 issue "ca.example"'], '0 issue "ca.example"'),
}


async def check(server: NameServer | int, name: str = "shop.example", **settings: Any) -> CheckResult:
    """Ask a name server once."""
    port = server if isinstance(server, int) else server.port
    return await mooring.check(f"dns://127.0.0.1:{port}/{name}", **{"timeout": 5, **settings})


def told(result: CheckResult) -> tuple[Reason, Stage | None, str, str]:
    """Return reason, stage, code and message of a failure."""
    assert result.failure is not None
    return result.failure.reason, result.failure.stage, result.failure.code, result.failure.message


@pytest.mark.parametrize("kind", RECORDS)
async def test_record_of_every_type_is_read_and_compared(name_server: NameServer, kind: str) -> None:
    """Values come as people write them, and are compared without regard to how they are spelled."""
    values, expected = RECORDS[kind]
    name_server.records["shop.example", kind] = values
    result = await check(name_server, type=kind, expect=[expected])
    assert (result.status, result.failure) == (Status.UP, None)
    assert len(result.observation.details["answers"]) == len(values)
    assert result.observation.numbers == {"answers": len(values), "ttl_seconds": 300}
    assert result.observation.details["address"] == name_server.address
    ran = [stage.stage for stage in result.stages if stage.status is StageStatus.PASSED]
    assert ran == [Stage.DNS, Stage.PROTOCOL, Stage.FUNCTION]


async def test_type_may_stand_in_the_address(name_server: NameServer) -> None:
    """dns://server/name?type=mx asks for that type."""
    name_server.records["shop.example", "MX"] = ["10 mx.example."]
    result = await check(name_server, "shop.example?type=mx")
    assert result.observation.details["answers"] == ["10 mx.example"]


async def test_missing_value_is_told(name_server: NameServer) -> None:
    """A value that is not among the answers fails, and says what the answers are."""
    name_server.records["shop.example", "A"] = ["192.0.2.7"]
    assert told(await check(name_server, expect=["192.0.2.7", "192.0.2.9"])) == (
        Reason.ASSERTION,
        Stage.FUNCTION,
        "UNEXPECTED_ANSWER",
        "'192.0.2.9' is not among the answers: 192.0.2.7",
    )


async def test_texts_are_compared_to_the_letter(name_server: NameServer) -> None:
    """The case of a TXT record matters."""
    name_server.records["shop.example", "TXT"] = ['"Token=AbC"']
    assert (await check(name_server, type="TXT", expect=["Token=AbC"])).status is Status.UP
    assert told(await check(name_server, type="TXT", expect=["token=abc"]))[2] == "UNEXPECTED_ANSWER"


@pytest.mark.parametrize(
    ("rcode", "expected"),
    [
        (dns.rcode.NXDOMAIN, (Reason.NOT_FOUND, "NXDOMAIN", "the name shop.example does not exist")),
        (
            dns.rcode.SERVFAIL,
            (Reason.UNAVAILABLE, "SERVFAIL", "the name server failed to answer for shop.example"),
        ),
        (
            dns.rcode.REFUSED,
            (Reason.PERMISSION, "REFUSED", "the name server refuses to answer us for shop.example"),
        ),
        (dns.rcode.NOTIMP, (Reason.PROTOCOL, "NOTIMP", "the name server answers NOTIMP")),
    ],
)
async def test_refusals_are_told_apart(
    name_server: NameServer, rcode: dns.rcode.Rcode, expected: tuple[Reason, str, str]
) -> None:
    """Every way to answer without an answer has its own reason and code."""
    name_server.rcodes["shop.example"] = rcode
    reason, stage, code, message = told(await check(name_server))
    assert (reason, code, message) == expected
    assert stage is Stage.FUNCTION


async def test_name_without_such_a_record_is_told(name_server: NameServer) -> None:
    """A name that exists and has no record of the type is told from one that does not exist."""
    name_server.records["shop.example", "A"] = ["192.0.2.7"]
    assert told(await check(name_server, type="AAAA")) == (
        Reason.NOT_FOUND,
        Stage.FUNCTION,
        "NODATA",
        "shop.example exists but has no AAAA record",
    )


async def test_long_answer_is_fetched_over_tcp(name_server: NameServer) -> None:
    """An answer that does not fit into a datagram is asked for again over TCP."""
    name_server.records["shop.example", "A"] = [f"192.0.2.{number}" for number in range(1, 101)]
    result = await check(name_server, expect=["192.0.2.100"])
    assert (result.status, result.observation.numbers["answers"]) == (Status.UP, 100)
    assert result.observation.details["transport"] == "tcp"
    assert [transport for _, _, transport in name_server.asked] == ["udp", "tcp"]


async def test_silent_server_is_a_timeout() -> None:
    """A server that answers nothing ends by the deadline, at protocol."""
    with silent_port() as port:
        assert told(await check(port, timeout=0.3)) == (
            Reason.TIMEOUT,
            Stage.PROTOCOL,
            "TIMEOUT",
            "no answer at protocol within 0.3 s",
        )


async def test_closed_port_is_refused() -> None:
    """Nothing listens there: said at once, although UDP knows no connections."""
    assert told(await check(free_port())) == (
        Reason.REFUSED,
        Stage.PROTOCOL,
        "ECONNREFUSED",
        "no name server listens there",
    )


async def test_first_address_that_is_dead_gives_way_to_the_next(name_server: NameServer) -> None:
    """The name localhost is ::1 and 127.0.0.1; the server listens on the second alone."""
    name_server.records["shop.example", "A"] = ["192.0.2.7"]
    result = await mooring.check(f"dns://localhost:{name_server.port}/shop.example", timeout=5)
    assert (result.status, result.observation.details["address"]) == (Status.UP, name_server.address)


async def test_noise_is_no_dns(name_server: NameServer) -> None:
    """A server that answers something else is a protocol error."""
    name_server.garbled = True
    reason, stage, _, message = told(await check(name_server))
    assert (reason, stage) == (Reason.PROTOCOL, Stage.PROTOCOL)
    assert message.startswith("the answer is no DNS")


async def test_server_may_be_a_setting(name_server: NameServer) -> None:
    """Server and name can be given beside an address, or instead of one."""
    name_server.records["shop.example", "A"] = ["192.0.2.7"]
    result = await mooring.check("dns:///shop.example", timeout=5, server=name_server.address)
    assert result.status is Status.UP


async def test_checks_leave_no_socket(name_server: NameServer) -> None:
    """Answers over both transports, and silence, leave no descriptor."""
    name_server.records["shop.example", "A"] = [f"192.0.2.{number}" for number in range(1, 101)]
    await check(name_server)
    async with no_leaks():
        for _ in range(10):
            await check(name_server)
        name_server.silent = True
        await check(name_server, timeout=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "dns://9.9.9.9"}, "query: is missing; give it, or dns://server/name"),
        ({"url": "dns:///a..b"}, "query: is no name that can be asked for"),
        ({"url": "dns:///a?type=ANY"}, "type: has to be one of A, AAAA, CNAME, MX"),
        ({"url": "dns:///a?tpye=A"}, "url: after the name only ?type= is understood"),
        ({"query": "a.example", "server": "h:99999"}, "the port has to be a number from 1 to 65535"),
    ],
)
def test_settings_that_cannot_be_used_say_why(settings: dict[str, str], message: str) -> None:
    """What is wrong is said before anything is asked."""
    with pytest.raises(ValueError) as caught:
        DNS.model_validate(settings)
    assert message in str(caught.value)


async def test_unknown_type_is_a_mistake() -> None:
    """Only types that are known can be asked for."""
    with pytest.raises(InputError) as caught:
        await mooring.check("dns:///a.example", type="ANY")
    assert [problem.field for problem in caught.value.problems] == ["type"]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("dns:///shop.example", "shop.example A"),
        ("dns://9.9.9.9/shop.example?type=MX", "9.9.9.9/shop.example MX"),
        ("dns://[::1]:5353/shop.example/", "[::1]:5353/shop.example A"),
    ],
)
def test_address_says_what_is_asked_of_whom(url: str, address: str) -> None:
    """Server, name and type make the address."""
    assert DNS(url=url).address == address
