"""Which addresses Mooring may be sent to.

A monitor connects wherever it is told, which makes it a tool for reaching what only its machine
can reach. The policy is asked about every address that is about to be connected, never about a
name: names can answer differently a moment later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from mooring.core.failure import CheckError, InputError, Problem
from mooring.core.prose import Prose
from mooring.core.reason import Reason

Address: TypeAlias = IPv4Address | IPv6Address
Rules: TypeAlias = tuple[tuple[str, IPv4Network | IPv6Network], ...]

GROUPS: dict[str, tuple[str, ...]] = {
    "any": ("0.0.0.0/0", "::/0"),
    # Linux connects the unspecified addresses to this machine.
    "loopback": ("127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    # AWS, Google and Azure; AWS and Google over IPv6; Alibaba; Oracle; Azure's wire server.
    "cloud-metadata": (
        "169.254.169.254/32",
        "fd00:ec2::254/128",
        "fd00:ec2::23/128",
        "fd20:ce::254/128",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "168.63.129.16/32",
    ),
}
EGRESS_DENIED = "EGRESS_DENIED"
DEFAULT_DENY = ("link-local", "cloud-metadata")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_LAST_32_BITS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Lists of groups (`GROUPS`), networks and addresses. What is allowed beats what is denied."""

    allow: Sequence[str] = ()
    deny: Sequence[str] = DEFAULT_DENY
    _allowed: Rules = field(init=False, repr=False, compare=False)
    _denied: Rules = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems = [
            Problem(f"egress.{name}", f"{entry!r} is no group ({', '.join(GROUPS)}), network or address")
            for name, entries in (("allow", self.allow), ("deny", self.deny))
            for entry in entries
            if not _is_known(entry)
        ]
        if problems:
            raise InputError(problems)
        object.__setattr__(self, "_allowed", _rules(self.allow))
        object.__setattr__(self, "_denied", _rules(self.deny))

    def refuses(self, address: str) -> str | None:
        """Return the entry that denies this address, or None where it may be connected."""
        readings = tuple(readings_of(ip_address(address.partition("%")[0])))
        if _first_match(self._allowed, readings) is not None:
            return None
        return _first_match(self._denied, readings)

    def demand(self, address: str) -> None:
        """Raise CheckError(config) where the address is refused."""
        entry = self.refuses(address)
        if entry is not None:
            raise CheckError(
                Reason.CONFIG,
                f"the egress policy refuses {address} ({entry})",
                code=EGRESS_DENIED,
                hint=Prose(
                    "If Mooring is meant to connect there, add {address} to egress.allow in mooring.toml.",
                    address=address,
                ),
            )


def readings_of(ip: Address) -> Iterator[Address]:
    """Yield the address and every IPv4 address that it may be turned into on its way.

    An IPv6 address can carry one: mapped, compatible, 6to4, Teredo, or behind a NAT64 gateway.
    """
    yield ip
    if isinstance(ip, IPv4Address):
        return
    if ip.ipv4_mapped is not None:
        yield ip.ipv4_mapped
    if ip.sixtofour is not None:
        yield ip.sixtofour
    if ip.teredo is not None:
        yield from ip.teredo
    translated = any(ip in network for network in _NAT64)
    if translated or (ip in _COMPATIBLE and int(ip) > 1):
        yield IPv4Address(int(ip) & _LAST_32_BITS)


def _first_match(rules: Rules, readings: Sequence[Address]) -> str | None:
    for entry, network in rules:
        if any(ip in network for ip in readings):
            return entry
    return None


def _rules(entries: Sequence[str]) -> Rules:
    return tuple(
        (entry, ip_network(network, strict=False))
        for entry in entries
        for network in GROUPS.get(entry, (entry,))
    )


def _is_known(entry: str) -> bool:
    if entry in GROUPS:
        return True
    try:
        ip_network(entry, strict=False)
    except ValueError:
        return False
    return True
