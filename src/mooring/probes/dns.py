"""A DNS record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.datagram import Datagrams, datagrams
from mooring.net.dial import Stream, resolve, shown
from mooring.net.trail import Trail
from mooring.probes._base import Probe
from mooring.probes._url import Url

if TYPE_CHECKING:
    import dns.message
    import dns.rrset

DNS_PORT = 53
EDNS_PAYLOAD = 1232
RESEND_AFTER = 1.0
"""Seconds without an answer after which the question is sent again: UDP loses some."""
MOST_SHOWN = 20
RecordType = Literal["A", "AAAA", "CNAME", "MX", "TXT", "NS", "SRV", "SOA", "PTR", "CAA"]


class DNS(Probe):
    """DNS: a name server answers, and the record is there and holds what it should."""

    kind: Literal["dns"] = "dns"
    schemes: ClassVar[tuple[str, ...]] = ("dns",)
    extra: ClassVar[str | None] = "dns"
    proves: ClassVar = {
        Stage.DNS: "the name server's own name resolves, where it has one",
        Stage.PROTOCOL: "the name server answers",
        Stage.FUNCTION: "the record exists and holds what is expected",
    }

    url: str | None = Field(
        None,
        description="dns://server:port/name?type=A; without a server this machine's own is asked.",
        examples=["dns://9.9.9.9/shop.example?type=MX"],
    )
    query: str | None = Field(None, description="The name asked for, where the address does not say it.")
    server: str | None = Field(
        None, description="host or host:port of the name server; left out: this machine's own."
    )
    type: RecordType | None = Field(None, description="Type of the record; A where nothing says it.")
    expect: tuple[str, ...] = Field(
        (), description="Values that have to be among the answers, such as an address or `10 mx.example`."
    )

    @model_validator(mode="after")
    def _asks_something(self) -> DNS:
        import dns.exception
        import dns.name

        unknown = set(self._parts.query) - {"type"}
        if unknown:
            raise ValueError("url: after the name only ?type= is understood")
        if self._parts.query.get("type", "A").upper() not in RecordType.__args__:  # type: ignore[attr-defined]  # typing does not say it
            raise ValueError(f"type: has to be one of {', '.join(RecordType.__args__)}")  # type: ignore[attr-defined]  # as above
        if not self._name:
            raise ValueError("query: is missing; give it, or dns://server/name")
        try:
            dns.name.from_text(self._name)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            raise ValueError("query: is no name that can be asked for") from None
        self._server()
        return self

    @property
    def _parts(self) -> Url:
        return Url.parse(self.url) if self.url is not None else Url("dns")

    @property
    def _name(self) -> str:
        return self.query or self._parts.name

    @property
    def _type(self) -> str:
        return self.type or self._parts.query.get("type", "A").upper()

    def _server(self) -> tuple[str, int] | None:
        parts = self._parts if self.server is None else Url.parse(f"dns://{self.server}")
        return (parts.host, parts.port or DNS_PORT) if parts.host else None

    @property
    def address(self) -> str:
        server = self._server()
        at = "" if server is None else f"{shown(*server) if server[1] != DNS_PORT else server[0]}/"
        return f"{at}{self._name} {self._type}"

    async def check(self, trail: Trail) -> Observation:
        servers = await self._servers(trail)
        async with trail.stage(Stage.PROTOCOL):
            answer = await self._ask(trail, servers)
        async with trail.stage(Stage.FUNCTION):
            return self._judged(answer)

    async def _servers(self, trail: Trail) -> list[tuple[str, int]]:
        server = self._server()
        if server is None:
            return [(address, DNS_PORT) for address in _own_name_servers()]
        host, port = server
        return [(address, port) for address in await resolve(trail, host)]

    async def _ask(self, trail: Trail, servers: Sequence[tuple[str, int]]) -> dns.message.Message:
        """Ask each server in turn, giving each its part of the time left."""
        for index, (address, port) in enumerate(servers):
            trail.note(address=shown(address, port))
            last = index == len(servers) - 1
            try:
                async with asyncio.timeout(None if last else trail.remaining / (len(servers) - index)):
                    return await self._exchange(trail, address, port)
            except (OSError, EOFError):
                if last:
                    raise
        raise AssertionError("there is always a server to ask")

    async def _exchange(self, trail: Trail, address: str, port: int) -> dns.message.Message:
        import dns.flags
        import dns.message

        question = dns.message.make_query(self._name, self._type, use_edns=0, payload=EDNS_PAYLOAD)
        answer = await _over_udp(question, address, port)
        if answer.flags & dns.flags.TC:
            trail.note(transport="tcp")
            answer = await _over_tcp(trail, question, address, port)
        return answer

    def _judged(self, answer: dns.message.Message) -> Observation:
        """Return what the answer holds. Raises CheckError where that is not what is expected."""
        import dns.rcode

        code = dns.rcode.to_text(answer.rcode())
        if code != "NOERROR":
            raise _refusal(code, self._name)
        records = [each for each in answer.answer if each.rdtype.name == self._type]
        values = [_written(item) for each in records for item in each]
        if not values:
            raise CheckError(
                Reason.NOT_FOUND,
                f"{self._name} exists but has no {self._type} record",
                code="NODATA",
                hint=Prose("Add the record to its zone, or ask for another type."),
            )
        normal = str if self._type == "TXT" else _normal
        seen = set(map(normal, values))
        missing = [wanted for wanted in self.expect if normal(wanted) not in seen]
        if missing:
            raise CheckError(
                Reason.ASSERTION,
                f"{missing[0]!r} is not among the answers: {', '.join(values[:MOST_SHOWN])}",
                code="UNEXPECTED_ANSWER",
                hint=Prose(
                    "Correct the record, or wait for caches to forget the old one; else correct expect."
                ),
            )
        numbers = {"answers": float(len(values)), "ttl_seconds": float(min(each.ttl for each in records))}
        return Observation({"answers": values[:MOST_SHOWN]}, numbers)

    def reason(self, error: Exception) -> Reason | Cause | None:
        import dns.exception

        if isinstance(error, dns.exception.DNSException):
            return Cause(Reason.PROTOCOL, "NOT_DNS", f"the answer is no DNS: {error}")
        if isinstance(error, ConnectionRefusedError):
            return Cause(Reason.REFUSED, "ECONNREFUSED", Prose("no name server listens there"))
        return None


async def _over_udp(question: dns.message.Message, address: str, port: int) -> dns.message.Message:
    """Send a question until it is answered."""
    with datagrams(address, port) as socket:
        while True:
            await socket.send(question.to_wire())
            with suppress(TimeoutError):
                async with asyncio.timeout(RESEND_AFTER):
                    return await _answer_to(question, socket)


async def _answer_to(question: dns.message.Message, socket: Datagrams) -> dns.message.Message:
    """Wait for the answer; what answers another question is passed over."""
    import dns.message

    while True:
        answer = dns.message.from_wire(await socket.receive(), ignore_trailing=True)
        if question.is_response(answer):
            return answer


async def _over_tcp(
    trail: Trail, question: dns.message.Message, address: str, port: int
) -> dns.message.Message:
    import dns.message

    async with await Stream.over(await trail.net.connect([address], port)) as stream:
        await stream.ask(question.to_wire(prepend_length=True))
        length = int.from_bytes(await stream.reader.readexactly(2), "big")
        answer = dns.message.from_wire(await stream.reader.readexactly(length))
    if not question.is_response(answer):
        raise CheckError(
            Reason.PROTOCOL, Prose("the name server answers another question"), code="BAD_ANSWER"
        )
    return answer


def _own_name_servers() -> list[str]:
    """Return the name servers of this machine. Raises CheckError(config) where there are none."""
    import dns.resolver

    try:
        found = [str(server) for server in dns.resolver.Resolver().nameservers]
    except dns.resolver.NoResolverConfiguration:
        found = []
    if not found:
        raise CheckError(
            Reason.CONFIG,
            Prose("this machine has no name server of its own"),
            code="NO_NAME_SERVER",
            hint=Prose("Name one in /etc/resolv.conf, or set `server`."),
        )
    return found


_REFUSALS = {
    "NXDOMAIN": (
        Reason.NOT_FOUND,
        Prose("the name {name} does not exist"),
        Prose("Correct its spelling, or add it to its zone."),
    ),
    "SERVFAIL": (
        Reason.UNAVAILABLE,
        Prose("the name server failed to answer for {name}"),
        Prose("It cannot reach the servers of that domain, or DNSSEC does not hold: look at its log."),
    ),
    "REFUSED": (
        Reason.PERMISSION,
        Prose("the name server refuses to answer us for {name}"),
        Prose(
            "It may serve other networks only, or only its own domains: ask another, or allow this machine."
        ),
    ),
}


def _refusal(code: str, name: str) -> CheckError:
    reason, text, hint = _REFUSALS.get(code, (Reason.PROTOCOL, Prose("the name server answers {code}"), None))
    return CheckError(reason, text.filled(name=name, code=code), code=code, hint=hint)


def _written(record: Any) -> str:
    """Return a record's value as people write it: names without the last dot, texts without quotes."""
    if record.rdtype.name == "TXT":
        return b"".join(record.strings).decode(errors="replace")
    text: str = record.to_text()
    return " ".join(word.removesuffix(".") or "." for word in text.split(" "))


def _normal(value: str) -> str:
    """Return a value in a form in which two spellings of the same are equal."""
    words = [word.removesuffix(".").lower() for word in value.strip().strip('"').split()]
    try:
        return str(ip_address(words[0])) if len(words) == 1 else " ".join(words)
    except ValueError:
        return " ".join(words)
