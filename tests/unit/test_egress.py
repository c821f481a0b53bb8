"""Which addresses may be connected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.failure import CheckError, InputError
from mooring.core.reason import Reason
from mooring.net.egress import EgressPolicy
from mooring.net.network import Network
from tests.servers.nameserver import NameServer

METADATA = "169.254.169.254"
CARRYING_METADATA = [
    METADATA,
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::",  # Teredo: its server
    "2001:0:101:101:0:0:5601:5601",  # Teredo: its client, every bit turned
]


@pytest.mark.parametrize("address", CARRYING_METADATA)
def test_metadata_address_is_refused_in_every_disguise(address: str) -> None:
    """An IPv6 address that carries a refused IPv4 one is refused for it."""
    assert EgressPolicy().refuses(address) in ("link-local", "cloud-metadata")


@pytest.mark.parametrize("address", ["fe80::1", "fe80::1%lo", "fe80::1%25", "fd00:ec2::254", "169.254.0.1"])
def test_link_local_and_metadata_are_refused_by_default(address: str) -> None:
    """A zone does not hide a link-local address."""
    assert EgressPolicy().refuses(address) is not None


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1", "0.0.0.0"]
)
def test_other_addresses_are_allowed_by_default(address: str) -> None:
    """A monitor watches its own network: private and loopback addresses are allowed."""
    assert EgressPolicy().refuses(address) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"])
def test_loopback_can_be_denied_with_its_other_names(address: str) -> None:
    """Linux connects 0.0.0.0 and :: to this machine, so they fall under loopback too."""
    assert EgressPolicy(deny=["loopback"]).refuses(address) == "loopback"


def test_allowed_beats_denied() -> None:
    """One address can be let out of a denied group."""
    policy = EgressPolicy(allow=["169.254.169.253"], deny=["link-local"])
    assert policy.refuses("169.254.169.253") is None
    assert policy.refuses("::ffff:169.254.169.253") is None
    assert policy.refuses("169.254.169.252") == "link-local"


def test_refusal_says_how_to_allow() -> None:
    """A refusal is a mistake of the configuration, and names the entry and the way out."""
    with pytest.raises(CheckError) as caught:
        EgressPolicy().demand(METADATA)
    cause = caught.value.cause
    assert (cause.reason, cause.code) == (Reason.CONFIG, "EGRESS_DENIED")
    assert cause.message == "the egress policy refuses 169.254.169.254 (link-local)"
    assert "egress.allow" in (cause.hint or "")


def test_unknown_entries_are_all_named() -> None:
    """Every entry that is no group, network or address is told at once."""
    with pytest.raises(InputError) as caught:
        EgressPolicy(allow=["10.0.0.0/8", "locallink"], deny=["10.0.0.0/99"])
    assert [problem.field for problem in caught.value.problems] == ["egress.allow", "egress.deny"]


@given(st.ip_addresses())
def test_any_address_is_judged(address: object) -> None:
    """No address makes the policy fail, and denying all of them refuses each."""
    assert EgressPolicy(deny=["any"]).refuses(str(address)) == "any"
    assert EgressPolicy(allow=["any"]).refuses(str(address)) is None


@given(st.ip_addresses(v=4))
def test_mapped_address_is_judged_like_the_one_inside(address: object) -> None:
    """Writing an IPv4 address as IPv6 changes no verdict."""
    policy = EgressPolicy(deny=["private", "loopback", "link-local"])
    assert policy.refuses(f"::ffff:{address}") == policy.refuses(str(address))


@pytest.mark.parametrize(
    "host", ["0x7f000001", "0x7f.1", "2130706433", "127.1", "0177.0.0.1", "017700000001", "1.2.3.4."]
)
async def test_number_that_systems_read_differently_is_no_host(host: str) -> None:
    """Spellings that some libraries take for an address are refused before anybody resolves them."""
    async with Network() as net:
        with pytest.raises(CheckError) as caught:
            await net.addresses(host)
    assert (caught.value.cause.reason, caught.value.cause.code) == (Reason.DNS, "BADNAME")
    assert str(caught.value) == f"{host} is neither a name nor an address"


async def test_name_that_answers_a_refused_address_is_refused(name_server: NameServer) -> None:
    """The policy is asked about what a name resolves to, every time (DNS rebinding)."""
    name_server.records["rebind.example", "A"] = [METADATA]
    async with Network(nameservers=(name_server.address,)) as net:
        with pytest.raises(CheckError) as caught:
            await net.addresses("rebind.example")
    assert caught.value.cause.code == "EGRESS_DENIED"


async def test_refused_addresses_of_a_name_are_left_out(name_server: NameServer) -> None:
    """A name with a good and a refused address is only connected at the good one."""
    name_server.records["both.example", "A"] = [METADATA, "127.0.0.1"]
    async with Network(nameservers=(name_server.address,)) as net:
        assert await net.addresses("both.example") == ["127.0.0.1"]


async def test_fullwidth_digits_are_judged_as_the_address_they_become() -> None:
    """IDNA turns them into an ordinary address, which the policy then sees."""
    async with Network() as net:
        with pytest.raises(CheckError) as caught:
            await net.addresses("１６９.254.169.254")  # noqa: RUF001 - the point of the test
    assert caught.value.cause.code == "EGRESS_DENIED"
