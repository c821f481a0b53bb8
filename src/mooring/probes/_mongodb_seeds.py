"""Find the members that an address means, and meet them all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.faults import cause_of
from mooring.net.trail import Trail
from mooring.probes._mongodb_address import Address, Place

if TYPE_CHECKING:
    from mooring.probes._pymongo import Session

Explain: TypeAlias = Callable[[Exception], Reason | Cause | None]
SHARE_OF_TIME = 0.5
"""Part of the time left that a silent host may take where others are listed beside it."""
SHARE_OF_DNS = 0.9


@dataclass(slots=True)
class Met:
    """How it went with one host: a session, or why there is none."""

    place: Place
    trail: Trail
    session: Session | None = None
    error: Exception | None = None


async def listed(trail: Trail, address: Address) -> tuple[Place, ...]:
    """Return the hosts of an address; for mongodb+srv those of its records. Raises CheckError(dns)."""
    if not address.srv:
        return address.places
    service = address.options.get("srvservicename", "mongodb")
    name = address.places[0].host
    async with trail.stage(Stage.DNS):
        records = await _records(trail, f"_{service}._tcp.{name}")
        places = tuple(Place(str(each.target).rstrip("."), each.port) for each in records)
        for place in places:
            _demand_domain(place, _domain(name))
    return places


def _domain(name: str) -> str:
    """Return what the hosts have to be in: below two labels would be everybody's, such as `com`."""
    name = name.rstrip(".")
    above = name.partition(".")[2]
    return above if "." in above else name


def _demand_domain(place: Place, domain: str) -> None:
    """Refuse hosts of another domain, as drivers do: else whoever forges an answer gets the login."""
    if not place.host.lower().endswith(f".{domain.lower()}"):
        raise CheckError(
            Reason.DNS,
            Prose("the record names {host}, which is not in {domain}", host=place.host, domain=domain),
            code="FOREIGN_HOST",
            hint=Prose("The hosts of mongodb+srv:// have to be in its own domain: correct the SRV records."),
        )


async def _records(trail: Trail, name: str) -> Sequence[Any]:
    """Return the SRV records of a name. Raises CheckError(dns)."""
    import dns.asyncresolver
    import dns.exception
    import dns.resolver

    try:
        resolver = _resolver(trail.net.resolver.nameservers)
        answer = await resolver.resolve(name, "SRV", lifetime=trail.remaining * SHARE_OF_DNS)
    except dns.exception.DNSException as error:
        code, text = _unknown(error)
        raise CheckError(
            Reason.DNS,
            text.filled(name=name),
            code=code,
            hint=Prose(
                "mongodb+srv:// needs SRV records; where there are none, write mongodb:// and the hosts."
            ),
        ) from error
    return list(answer)


def _resolver(servers: Iterable[str]) -> Any:
    import dns.asyncresolver

    resolver = dns.asyncresolver.Resolver(configure=not servers)
    if servers:
        hosts = [server.rpartition(":") for server in servers]
        resolver.nameservers = [host for host, _, _ in hosts]
        resolver.port = int(hosts[0][2])
    return resolver


def _unknown(error: Exception) -> tuple[str, Prose]:
    import dns.exception
    import dns.resolver

    if isinstance(error, dns.resolver.NXDOMAIN):
        return "NXDOMAIN", Prose("the name {name} does not exist")
    if isinstance(error, dns.resolver.NoAnswer):
        return "NODATA", Prose("the name {name} has no SRV record")
    if isinstance(error, dns.exception.Timeout):
        return "TIMEOUT", Prose("no name server answered for {name}")
    return "SERVFAIL", Prose("the name server failed to answer for {name}")


async def meet_all(
    trail: Trail, places: Sequence[Place], meet: Callable[[Trail, Place], Awaitable[Session]]
) -> list[Met]:
    """Meet every host at the same time; where there is one alone, on the check's own trail.

    `meet` has to see to it that a session is dropped where this is cancelled.
    """
    if len(places) == 1:
        return [Met(places[0], trail, await meet(trail, places[0]))]
    share = trail.remaining * SHARE_OF_TIME
    met = [Met(place, Trail(trail.net, timeout=share)) for place in places]
    async with asyncio.TaskGroup() as group:
        for each in met:
            group.create_task(_attempt(each, share, meet))
    return met


async def _attempt(met: Met, share: float, meet: Callable[[Trail, Place], Awaitable[Session]]) -> None:
    try:
        async with asyncio.timeout(share):
            met.session = await meet(met.trail, met.place)
    except Exception as error:
        met.error = error


def settle(trail: Trail, met: Sequence[Met], chosen: Met, explain: Explain) -> None:
    """Make one host's stages those of the check, and warn about those that cannot be reached."""
    if chosen.trail is not trail:
        for result in chosen.trail.results:
            trail.restore(result)
        trail.note(**chosen.trail.notes)
        trail.measure(**chosen.trail.numbers)
        for warning in chosen.trail.warnings:
            trail.warn(warning)
    for each in met:
        if each.error is not None and each is not chosen:
            code = _code(each.error, explain)
            trail.warn(
                Prose(
                    "{place} fails at {stage}: {code}", place=each.place, stage=each.trail.failed, code=code
                )
            )


def _code(error: Exception, explain: Explain) -> str:
    known = error.cause if isinstance(error, CheckError) else explain(error)
    told = known if isinstance(known, Cause) else cause_of(error) or cause_of(error.__cause__ or error)
    return (told.code if told else None) or type(error).__name__


def furthest(met: Sequence[Met]) -> Met:
    """Return the host that came nearest to an answer; of several the first."""
    return max(met, key=lambda each: len(each.trail.stages))
