"""Which addresses Mooring may be sent to.

A monitor connects wherever it is told, which makes it a tool for reaching what only its machine
can reach. The policy is asked about every address that is about to be connected, never about a
name: names can answer differently a moment later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from mooring.core.failure import CheckError, InputError, Problem
from mooring.core.reason import Reason

Address: TypeAlias = IPv4Address | IPv6Address

GROUPS: dict[str, tuple[str, ...]] = {
    "any": ("0.0.0.0/0", "::/0"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    # AWS, Google and Azure; AWS over IPv6; Alibaba; Oracle; Azure's wire server.
    "cloud-metadata": (
        "169.254.169.254/32",
        "fd00:ec2::254/128",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "168.63.129.16/32",
    ),
}
DEFAULT_DENY = ("link-local", "cloud-metadata")
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Allow and deny lists of groups (`GROUPS`), networks and addresses. What is allowed beats what is denied."""

    allow: Sequence[str] = ()
    deny: Sequence[str] = DEFAULT_DENY

    def __post_init__(self) -> None:
        problems = [
            Problem(f"egress.{name}", f"{entry!r} is no group ({', '.join(GROUPS)}), network or address")
            for name, entries in (("allow", self.allow), ("deny", self.deny))
            for entry in entries
            if not _is_known(entry)
        ]
        if problems:
            raise InputError(problems)

    def refuses(self, address: str) -> str | None:
        """Return the entry that denies this address, or None where it may be connected."""
        ip = embedded(ip_address(address.partition("%")[0]))
        if _first_match(self.allow, ip) is not None:
            return None
        return _first_match(self.deny, ip)

    def demand(self, address: str) -> None:
        """Raise CheckError(config) where the address is refused."""
        entry = self.refuses(address)
        if entry is not None:
            raise CheckError(
                Reason.CONFIG,
                f"the egress policy refuses {address} ({entry})",
                code="EGRESS_DENIED",
                hint=f"If Mooring is meant to connect there, add {address} to egress.allow in mooring.toml.",
            )


def embedded(ip: Address) -> Address:
    """Return the IPv4 address that an IPv6 one carries (mapped, 6to4, NAT64), or the address itself."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def _first_match(entries: Sequence[str], ip: Address) -> str | None:
    for entry in entries:
        for network in GROUPS.get(entry, (entry,)):
            if ip in ip_network(network, strict=False):
                return entry
    return None


def _is_known(entry: str) -> bool:
    if entry in GROUPS:
        return True
    try:
        ip_network(entry, strict=False)
    except ValueError:
        return False
    return True
