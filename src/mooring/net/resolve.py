"""Names to addresses without threads.

`getaddrinfo` runs in a thread pool: one dead name server fills it and stalls every check. c-ares
does not, and its answers are cached here for as long as they say, within bounds.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from mooring.core.clock import Clock
from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason

if TYPE_CHECKING:
    import aiodns

MOST_NAMES = 20_000
SHORTEST_LIFE = 5.0
LONGEST_LIFE = 60.0
"""Seconds that an answer is kept. A moved service is found within a minute whatever its record says."""
LONGEST_NAME = 253
QUERY_TIMEOUT = 2.0
QUERY_TRIES = 3

# c-ares status -> (code shown, what to say). Numbers from ares.h.
_STATUS = {
    1: ("NODATA", Prose("the name {name} exists but has no address")),
    3: ("SERVFAIL", Prose("the name server failed to answer for {name}")),
    4: ("NXDOMAIN", Prose("the name {name} does not exist")),
    6: ("REFUSED", Prose("the name server refuses to answer for {name}")),
    8: ("BADNAME", Prose("{name} is not a name that can be looked up")),
    11: ("NO_NAME_SERVER", Prose("no name server could be reached to look up {name}")),
    12: ("TIMEOUT", Prose("no name server answered for {name}")),
    16: ("CANCELLED", Prose("looking up {name} was given up because this program is stopping")),
    24: ("CANCELLED", Prose("looking up {name} was given up because this program is stopping")),
}
_HINTS = {
    "NXDOMAIN": Prose("Check the spelling of the host and that this machine's name server knows it."),
    "TIMEOUT": Prose("Check /etc/resolv.conf on this machine and that its name server answers."),
    "NO_NAME_SERVER": Prose("Check /etc/resolv.conf on this machine and that its name server answers."),
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
        self._open: weakref.WeakSet[aiodns.DNSResolver] = weakref.WeakSet()
        self._renew_at = 0.0
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._asking: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    @property
    def nameservers(self) -> tuple[str, ...]:
        """The name servers that are asked instead of this machine's own; none: its own."""
        return self._nameservers

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name in order of preference, at least one.

        Raises CheckError(dns). A literal address is returned as it is.
        """
        known = self.known(name)
        if known is not None:
            return known
        task = self._asking.get(name)
        if task is None:
            task = asyncio.ensure_future(self._ask(name))
            self._asking[name] = task
            task.add_done_callback(lambda done: self._answered(name, done))
        return await asyncio.shield(task)  # a caller who gives up must not take the others with it

    def known(self, name: str) -> tuple[str, ...] | None:
        """Return the addresses of a name where nobody has to be asked, else None."""
        answer = self._answers.get(name)
        if answer is not None and answer.expires > self._clock.monotonic():
            return answer.addresses
        return (name,) if is_address(name) else None

    async def close(self) -> None:
        """Give up what is under way: who still waits gets CheckError(dns)."""
        for dns in list(self._open):
            dns.cancel()  # fails every open query, so that nobody's task has to be cancelled
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        for dns in list(self._open):
            await dns.close()
        self._dns = None

    def _answered(self, name: str, task: asyncio.Task[tuple[str, ...]]) -> None:
        self._asking.pop(name, None)
        if not task.cancelled():
            task.exception()  # seen: whoever waited has it; nobody may have waited long enough

    async def _ask(self, name: str) -> tuple[str, ...]:
        import aiodns.error

        query = _to_ascii(name)
        dns = self._resolver()  # held until it answered: the last reference closes it
        try:
            answer = await dns.getaddrinfo(query, type=1)
        except aiodns.error.DNSError as error:
            raise _failure(name, error.args[0] if error.args else 0) from error
        addresses = tuple(dict.fromkeys(node.addr[0].decode() for node in answer.nodes))
        if not addresses:
            raise _failure(name, 1)
        life = min(node.ttl for node in answer.nodes)
        self._keep(name, addresses, min(max(life, SHORTEST_LIFE), LONGEST_LIFE))
        return addresses

    def _resolver(self) -> aiodns.DNSResolver:
        """Return the resolver of this minute.

        c-ares keeps answers for up to an hour of their own time to live, and offers no way to ask
        for less; a new channel begins without any.
        """
        import aiodns

        now = self._clock.monotonic()
        if self._dns is None or now >= self._renew_at:
            self._dns = aiodns.DNSResolver(
                nameservers=list(self._nameservers) or None, timeout=QUERY_TIMEOUT, tries=QUERY_TRIES
            )
            self._open.add(self._dns)
            self._renew_at = now + LONGEST_LIFE
        return self._dns

    def _keep(self, name: str, addresses: tuple[str, ...], life: float) -> None:
        self._answers[name] = _Answer(addresses, self._clock.monotonic() + life)
        self._answers.move_to_end(name)
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


def unresolved(name: str) -> CheckError:
    """Return the error of a name that nobody answered for in time."""
    return _failure(name, 12)


def _to_ascii(name: str) -> str:
    """Return a name as it is asked for. Raises CheckError(dns) where it can be none."""
    try:
        query = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        raise _failure(name, 8) from None
    if not query.strip(".") or len(query.rstrip(".")) > LONGEST_NAME or not query.isprintable():
        raise _failure(name, 8)
    if _ends_in_a_number(query) and not is_address(query):
        raise CheckError(
            Reason.DNS,
            Prose("{name} is neither a name nor an address", name=_shown(name)),
            code="BADNAME",
            hint=Prose(
                "Write an IPv4 address as four decimal numbers without leading zeros, such as 127.0.0.1."
            ),
        )
    return query


def _ends_in_a_number(name: str) -> bool:
    """Whether the last label is a number: no such name exists.

    Systems read 2130706433, 0x7f000001, 127.1 and 0177.0.0.1 differently, as addresses or as names.
    """
    label = name.rstrip(".").rpartition(".")[2].lower()
    if label.isdecimal():
        return True
    return label.startswith("0x") and all(c in "0123456789abcdef" for c in label[2:])


def _failure(name: str, status: int) -> CheckError:
    code, text = _STATUS.get(status, ("DNS", Prose("looking up {name} failed")))
    return CheckError(Reason.DNS, text.filled(name=_shown(name)), code=code, hint=_HINTS.get(code))


def _shown(name: str) -> str:
    """Return a name for a message: whole where it is one, else quoted and cut short."""
    return name if name and name.isprintable() and len(name) <= LONGEST_NAME else repr(name[:60])
