"""Networks that are broken for real: packets dropped, routes gone, name servers dead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers.namespaces import THERE, Namespaces

pytestmark = pytest.mark.integration
TIMEOUT = 0.5
LATE = 0.5
"""Seconds after its timeout in which a check has to be over."""


def told(result: Any) -> tuple[str | None, str, str, str]:
    """Return stage, reason, code and message of a failure that came in time."""
    failure = result["failure"]
    assert result["seconds"] < TIMEOUT + LATE
    return failure["stage"], failure["reason"], failure["code"], failure["message"]


def target(namespaces: Namespaces, host: str = THERE) -> str:
    """Return the address of the server at the far end."""
    return f"tcp://{host}:{namespaces.port}"


def test_far_end_is_up(namespaces: Namespaces) -> None:
    """With nothing in the way the far end answers."""
    result = namespaces.check(target(namespaces), expect="220 there")
    assert (result["status"], result["failure"]) == ("up", None)
    assert result["details"]["address"] == f"{THERE}:{namespaces.port}"


def test_dropped_syn_is_a_timeout_at_tcp(namespaces: Namespaces) -> None:
    """A firewall that drops: nobody answers, and the check ends by its deadline."""
    namespaces.rule(f"tcp dport {namespaces.port} drop")
    result = namespaces.check(target(namespaces), TIMEOUT)
    assert told(result) == ("tcp", "timeout", "TIMEOUT", "no answer at tcp within 0.5 s")
    assert "firewall" in result["failure"]["hint"]


def test_silence_after_the_handshake_is_a_timeout_at_function(namespaces: Namespaces) -> None:
    """A firewall that forgets a connection once it stands."""
    namespaces.rule(f"tcp dport {namespaces.port} ct state established drop")
    result = namespaces.check(target(namespaces), TIMEOUT, expect="no such text")
    assert told(result)[:3] == ("function", "timeout", "TIMEOUT")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("tcp reset", ("tcp", "refused", "ECONNREFUSED")),
        ("icmpx type host-unreachable", ("tcp", "network", "EHOSTUNREACH")),
        ("icmpx type no-route", ("tcp", "network", "ENETUNREACH")),
        ("icmpx type admin-prohibited", ("tcp", "network", "EHOSTUNREACH")),
    ],
)
def test_rejected_syn_is_told_as_it_was_rejected(
    namespaces: Namespaces, answer: str, expected: tuple[str, str, str]
) -> None:
    """A firewall that rejects says how, and so do we."""
    reject = f"tcp dport {namespaces.port} reject with {answer}"
    namespaces.rule(f"meta l4proto tcp {reject}" if answer == "tcp reset" else reject)
    assert told(namespaces.check(target(namespaces), TIMEOUT))[:3] == expected


@pytest.mark.parametrize(
    ("kind", "code"),
    [("unreachable", "EHOSTUNREACH"), ("prohibit", "EACCES"), ("blackhole", "EINVAL")],
)
def test_route_that_forbids_is_told(namespaces: Namespaces, kind: str, code: str) -> None:
    """Routes of this machine that lead nowhere are told at once, at tcp."""
    namespaces.route("add", kind, "10.99.0.1")
    try:
        result = namespaces.check(target(namespaces, "10.99.0.1"), TIMEOUT)
    finally:
        namespaces.route("del", kind, "10.99.0.1")
    assert told(result)[:3] == ("tcp", "network", code)


def test_missing_route_is_told(namespaces: Namespaces) -> None:
    """An address that no route leads to."""
    assert told(namespaces.check(target(namespaces, "10.98.0.1"), TIMEOUT)) == (
        "tcp",
        "network",
        "ENETUNREACH",
        "the network is unreachable",
    )


def test_name_server_that_never_answers_is_told_at_dns(namespaces: Namespaces) -> None:
    """A dead name server in resolv.conf: dns fails as dns, by the deadline."""
    namespaces.file("resolv.conf", f"nameserver {THERE}\n")
    namespaces.rule("udp dport 53 drop")
    result = namespaces.check(target(namespaces, "db.example"), TIMEOUT)
    assert told(result) == ("dns", "dns", "TIMEOUT", "no name server answered for db.example")
    assert "/etc/resolv.conf" in result["failure"]["hint"]
    stages = {stage["name"]: stage["status"] for stage in result["stages"]}
    assert stages == {"dns": "failed", "tcp": "skipped", "function": "skipped"}


def test_name_server_that_is_not_there_is_told_at_dns(namespaces: Namespaces) -> None:
    """Nothing listens on the name server's port: told without waiting for the deadline."""
    namespaces.file("resolv.conf", f"nameserver {THERE}\n")
    result = namespaces.check(target(namespaces, "db.example"), TIMEOUT)
    assert told(result)[:3] == ("dns", "dns", "NO_NAME_SERVER")


def test_hosts_file_needs_no_name_server(namespaces: Namespaces) -> None:
    """A name of /etc/hosts is found though the name server is dead."""
    namespaces.file("resolv.conf", f"nameserver {THERE}\n")
    namespaces.file("hosts", f"{THERE} db.example\n")
    namespaces.rule("udp dport 53 drop")
    assert namespaces.check(target(namespaces, "db.example"), TIMEOUT)["status"] == "up"


def test_own_name_server_is_asked_for_records(namespaces: Namespaces) -> None:
    """The kind dns asks the name server of resolv.conf where none is given, and it is silent."""
    namespaces.file("resolv.conf", f"nameserver {THERE}\n")
    namespaces.rule("udp dport 53 drop")
    result = namespaces.check("dns:///db.example", TIMEOUT)
    assert told(result) == ("protocol", "timeout", "TIMEOUT", "no answer at protocol within 0.5 s")
    assert result["details"]["address"] == f"{THERE}:53"


def test_lost_pings_are_counted(namespaces: Namespaces) -> None:
    """Every third ping lost is a warning; all of them lost is down."""
    namespaces.rule("icmp type echo-request numgen inc mod 3 == 0 drop")
    some = namespaces.check(f"icmp://{THERE}", TIMEOUT, count=3, pause=0.01)
    assert (some["status"], some["warnings"]) == ("degraded", ["1 of 3 echo requests were lost"])
    assert (some["numbers"]["received"], round(some["numbers"]["loss_percent"])) == (2, 33)
    allowed = namespaces.check(f"icmp://{THERE}", TIMEOUT, count=3, pause=0.01, max_loss=34)
    assert allowed["status"] == "up"
    namespaces.rule("icmp type echo-request drop")
    none = namespaces.check(f"icmp://{THERE}", TIMEOUT, count=2, pause=0.01)
    assert told(none) == ("protocol", "timeout", "NO_REPLY", "none of 2 echo requests was answered")


def test_unreachable_host_is_told_by_pings(namespaces: Namespaces) -> None:
    """A router that says there is no such host ends the waiting."""
    namespaces.route("add", "unreachable", "10.99.0.1")
    try:
        result = namespaces.check("icmp://10.99.0.1", TIMEOUT)
    finally:
        namespaces.route("del", "unreachable", "10.99.0.1")
    assert told(result)[:3] == ("protocol", "network", "EHOSTUNREACH")


def test_pings_need_no_capability_where_the_group_may(namespaces: Namespaces) -> None:
    """With net.ipv4.ping_group_range open, a process without any capability pings."""
    namespaces.pings("0 2147483647")
    result = namespaces.check(f"icmp://{THERE}", TIMEOUT, powerless=True, pause=0.01)
    assert (result["status"], result["numbers"]["received"]) == ("up", 3)


def test_missing_right_to_ping_says_what_to_do(namespaces: Namespaces) -> None:
    """Without capability and group the fault is ours, and the fix is exact."""
    namespaces.pings("1 0")
    result = namespaces.check(f"icmp://{THERE}", TIMEOUT, powerless=True)
    assert result["status"] == "unknown"
    assert told(result) == (
        "protocol",
        "driver",
        "ICMP_NOT_PERMITTED",
        "this process may not send pings",
    )
    assert result["failure"]["fix"] == 'sysctl -w net.ipv4.ping_group_range="0 2147483647"'
    assert "CAP_NET_RAW" in result["failure"]["hint"]
