"""Names to addresses."""

from __future__ import annotations

import asyncio

import dns.rcode
import pytest

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.dial import resolve
from mooring.net.network import Network
from mooring.net.resolve import LONGEST_LIFE, Resolver
from mooring.net.trail import Trail
from mooring.testing.clock import FakeClock
from mooring.testing.leaks import no_leaks
from tests.servers.nameserver import NameServer, silent_port


async def failure_of(resolver: Resolver, name: str) -> tuple[Reason, str | None, str]:
    """Return the reason, code and message with which looking up a name fails."""
    with pytest.raises(CheckError) as caught:
        await resolver.addresses(name)
    return caught.value.cause.reason, caught.value.cause.code, str(caught.value)


async def test_name_is_resolved_to_both_families(name_server: NameServer) -> None:
    """All addresses of a name are found, each once."""
    name_server.records["db.example", "A"] = ["127.0.0.1", "127.0.0.2"]
    name_server.records["db.example", "AAAA"] = ["::1"]
    resolver = Resolver(FakeClock(), (name_server.address,))
    assert sorted(await resolver.addresses("db.example")) == ["127.0.0.1", "127.0.0.2", "::1"]
    await resolver.close()


async def test_answer_is_kept_a_minute_at_most(name_server: NameServer) -> None:
    """A record that wants to be kept for longer is asked for again after a minute, of c-ares too."""
    name_server.records["db.example", "A"] = ["127.0.0.1"]
    clock = FakeClock()
    resolver = Resolver(clock, (name_server.address,))
    await resolver.addresses("db.example")
    await clock.advance(LONGEST_LIFE - 1)
    name_server.records["db.example", "A"] = ["127.0.0.2"]
    assert await resolver.addresses("db.example") == ("127.0.0.1",)
    assert name_server.count("db.example") == 1
    await clock.advance(2)
    assert await resolver.addresses("db.example") == ("127.0.0.2",)
    await resolver.close()


async def test_many_who_ask_at_once_make_one_question(name_server: NameServer) -> None:
    """A hundred checks of one host ask the name server once."""
    name_server.records["db.example", "A"] = ["127.0.0.1"]
    resolver = Resolver(FakeClock(), (name_server.address,))
    answers = await asyncio.gather(*(resolver.addresses("db.example") for _ in range(100)))
    assert set(answers) == {("127.0.0.1",)}
    assert name_server.count("db.example") == 1
    await resolver.close()


async def test_one_who_gives_up_does_not_take_the_others_along(name_server: NameServer) -> None:
    """Cancelling one waiter leaves the question open for the other."""
    name_server.records["db.example", "A"] = ["127.0.0.1"]
    resolver = Resolver(FakeClock(), (name_server.address,))
    first = asyncio.create_task(resolver.addresses("db.example"))
    second = asyncio.create_task(resolver.addresses("db.example"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == ("127.0.0.1",)
    assert first.cancelled()
    await resolver.close()


@pytest.mark.parametrize(
    ("rcode", "code", "message"),
    [
        (dns.rcode.NXDOMAIN, "NXDOMAIN", "the name db.example does not exist"),
        (dns.rcode.SERVFAIL, "SERVFAIL", "the name server failed to answer for db.example"),
        (dns.rcode.REFUSED, "REFUSED", "the name server refuses to answer for db.example"),
    ],
)
async def test_failing_answers_are_told_apart(
    name_server: NameServer, rcode: dns.rcode.Rcode, code: str, message: str
) -> None:
    """Each way of a name server to fail has its own code and words."""
    name_server.rcodes["db.example"] = rcode
    resolver = Resolver(FakeClock(), (name_server.address,))
    assert await failure_of(resolver, "db.example") == (Reason.DNS, code, message)
    await resolver.close()


async def test_name_without_an_address_is_told(name_server: NameServer) -> None:
    """A name that has only other records has no address."""
    name_server.records["db.example", "MX"] = ["10 mx.example."]
    resolver = Resolver(FakeClock(), (name_server.address,))
    reason, code, message = await failure_of(resolver, "db.example")
    assert (reason, code, message) == (Reason.DNS, "NODATA", "the name db.example exists but has no address")
    await resolver.close()


async def test_failure_is_not_kept(name_server: NameServer) -> None:
    """A name that begins to exist is found at the next look."""
    resolver = Resolver(FakeClock(), (name_server.address,))
    await failure_of(resolver, "new.example")
    name_server.records["new.example", "A"] = ["127.0.0.1"]
    assert await resolver.addresses("new.example") == ("127.0.0.1",)
    await resolver.close()


async def test_silent_name_server_is_told_by_the_deadline() -> None:
    """A name server that never answers fails the dns stage before the check's own deadline."""
    with silent_port() as port:
        async with Network(nameservers=(f"127.0.0.1:{port}",)) as net:
            trail = Trail(net, timeout=0.2)
            with pytest.raises(CheckError) as caught:
                await resolve(trail, "db.example")
    assert (caught.value.cause.reason, caught.value.cause.code) == (Reason.DNS, "TIMEOUT")
    assert str(caught.value) == "no name server answered for db.example"
    assert "/etc/resolv.conf" in (caught.value.cause.hint or "")
    assert trail.failed is Stage.DNS


async def asked() -> None:
    """Let the loop turn until a question that was just begun is on its way."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_closing_ends_who_still_waits() -> None:
    """Closing fails open questions instead of cancelling whoever asked them, and leaves nothing."""
    with silent_port() as port:
        warm = Network(nameservers=(f"127.0.0.1:{port}",))  # c-ares keeps one thread for the whole process
        asyncio.create_task(warm.addresses("db.example")).add_done_callback(lambda done: done.exception())
        await asked()
        await warm.close()
        async with no_leaks():
            resolver = Resolver(FakeClock(), (f"127.0.0.1:{port}",))
            waiting = asyncio.create_task(failure_of(resolver, "db.example"))
            await asked()
            await resolver.close()
            assert (await waiting)[1] == "CANCELLED"


async def test_renewed_channels_are_closed_too(name_server: NameServer) -> None:
    """An hour of minutes leaves no channel, descriptor or thread behind."""
    name_server.records["db.example", "A"] = ["127.0.0.1"]
    clock = FakeClock()
    resolver = Resolver(clock, (name_server.address,))
    await resolver.addresses("db.example")
    async with no_leaks():
        for _ in range(60):
            await clock.advance(LONGEST_LIFE + 1)
            await resolver.addresses("db.example")
        assert name_server.count("db.example") == 61
        await resolver.close()


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "a b", "x" * 64 + ".example", "x." * 200, "a\x00b", "\u00fc" * 64]
)
async def test_impossible_name_is_refused(name: str) -> None:
    """What can be no name is said to be none, and is never shown raw."""
    resolver = Resolver(FakeClock())
    reason, code, message = await failure_of(resolver, name)
    assert (reason, code) == (Reason.DNS, "BADNAME")
    assert message.isprintable()
    assert len(message) < 320
    await resolver.close()


async def test_literal_address_asks_nobody() -> None:
    """An address is its own answer, whatever name server there is."""
    resolver = Resolver(FakeClock(), ("127.0.0.1:1",))
    for address in ("127.0.0.1", "::1", "fe80::1%lo"):
        assert resolver.known(address) == (address,)
        assert await resolver.addresses(address) == (address,)
    await resolver.close()


async def test_international_name_is_asked_for_in_ascii(name_server: NameServer) -> None:
    """A name with an umlaut is looked up in its IDNA form."""
    name_server.records["xn--bcher-kva.example", "A"] = ["127.0.0.1"]
    resolver = Resolver(FakeClock(), (name_server.address,))
    assert await resolver.addresses("b\u00fccher.example") == ("127.0.0.1",)
    await resolver.close()


async def test_localhost_needs_no_name_server() -> None:
    """The hosts file is read: localhost is found where no name server answers."""
    resolver = Resolver(FakeClock(), ("127.0.0.1:1",))
    assert "127.0.0.1" in await resolver.addresses("localhost")
    await resolver.close()
