"""Names to addresses without threads.

`getaddrinfo` runs in a thread pool: one dead name server fills it and stalls every check. c-ares
does not, and its answers are cached here for as long as they say, within bounds.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from mooring.core.clock import Clock
from mooring.core.failure import CheckError
from mooring.core.reason import Reason

if TYPE_CHECKING:
    import aiodns

MOST_NAMES = 20_000
SHORTEST_LIFE = 5.0
LONGEST_LIFE = 60.0
"""Seconds that an answer is kept. A moved service is found within a minute whatever its record says."""
QUERY_TIMEOUT = 2.0
QUERY_TRIES = 3

# c-ares status -> (code shown, what to say). Numbers from ares.h.
_STATUS = {
    1: ("NODATA", "the name {name} exists but has no address"),
    3: ("SERVFAIL", "the name server failed to answer for {name}"),
    4: ("NXDOMAIN", "the name {name} does not exist"),
    6: ("REFUSED", "the name server refuses to answer for {name}"),
    8: ("BADNAME", "{name} is not a name that can be looked up"),
    11: ("NO_NAME_SERVER", "no name server could be reached to look up {name}"),
    12: ("TIMEOUT", "no name server answered for {name}"),
}


@dataclass(frozen=True, slots=True)
class _Answer:
    addresses: tuple[str, ...]
    expires: float


class Resolver:
    """Looks names up, once for all who ask at the same time. Belongs to one event loop."""

    def __init__(self, clock: Clock, nameservers: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._nameservers = nameservers
        self._dns: aiodns.DNSResolver | None = None
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._asking: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name in order of preference, at least one.

        Raises CheckError(dns). A literal address is returned as it is.
        """
        if is_address(name):
            return (name,)
        answer = self._answers.get(name)
        if answer is not None and answer.expires > self._clock.monotonic():
            return answer.addresses
        task = self._asking.get(name)
        if task is None:
            task = asyncio.ensure_future(self._ask(name))
            self._asking[name] = task
            task.add_done_callback(lambda done: self._answered(name, done))
        return await asyncio.shield(task)  # a caller who gives up must not take the others with it

    async def close(self) -> None:
        """Drop what is under way."""
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        if self._dns is not None:
            await self._dns.close()
            self._dns = None

    def _answered(self, name: str, task: asyncio.Task[tuple[str, ...]]) -> None:
        self._asking.pop(name, None)
        if not task.cancelled():
            task.exception()  # seen: whoever waited has it; nobody may have waited long enough

    async def _ask(self, name: str) -> tuple[str, ...]:
        import aiodns
        import aiodns.error

        if self._dns is None:
            self._dns = aiodns.DNSResolver(
                nameservers=list(self._nameservers) or None, timeout=QUERY_TIMEOUT, tries=QUERY_TRIES
            )
        try:
            answer = await self._dns.getaddrinfo(_to_ascii(name), type=1)
        except aiodns.error.DNSError as error:
            raise _failure(name, error) from error
        addresses = tuple(dict.fromkeys(node.addr[0].decode() for node in answer.nodes))
        if not addresses:
            raise CheckError(Reason.DNS, f"the name {name} has no address", code="NODATA")
        life = min((node.ttl for node in answer.nodes), default=0)
        self._keep(name, addresses, min(max(life, SHORTEST_LIFE), LONGEST_LIFE))
        return addresses

    def _keep(self, name: str, addresses: tuple[str, ...], life: float) -> None:
        self._answers[name] = _Answer(addresses, self._clock.monotonic() + life)
        while len(self._answers) > MOST_NAMES:
            self._answers.popitem(last=False)


def is_address(name: str) -> bool:
    """Whether a host is a literal IPv4 or IPv6 address (a zone such as %eth0 is allowed)."""
    if not name or not (name[0].isdigit() or ":" in name):
        return False
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _to_ascii(name: str) -> str:
    try:
        return name.encode("ascii").decode()
    except UnicodeEncodeError:
        return name.encode("idna").decode()


def _failure(name: str, error: Exception) -> CheckError:
    code, text = _STATUS.get(error.args[0] if error.args else 0, ("DNS", "looking up {name} failed"))
    hint = {
        "NXDOMAIN": "Check the spelling of the host and that this machine's name server knows it.",
        "TIMEOUT": "Check /etc/resolv.conf on this machine and that its name server answers.",
    }.get(code)
    return CheckError(Reason.DNS, text.format(name=name), code=code, hint=hint)
