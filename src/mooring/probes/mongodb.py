"""MongoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.aside import first_words
from mooring.net.dial import dial
from mooring.net.tls import TLSSettings
from mooring.net.trail import Trail
from mooring.probes._mongodb import EXTERNAL, UNAUTHORIZED, Login
from mooring.probes._mongodb_address import Address, Place
from mooring.probes._mongodb_seeds import Met, furthest, listed, meet_all, settle
from mooring.probes._mongodb_state import READABLE, WRITABLE, demand_role, demand_set, role_of
from mooring.probes._session import SessionProbe

if TYPE_CHECKING:
    from pymongo.client_options import ClientOptions

    from mooring.probes._pymongo import Session

GRACE = 1.0
"""Seconds after the check's deadline at which the server itself gives up a query, if it still runs."""
_PLAIN = (
    b"\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0"  # OP_MSG
    b"\0\0\0\0\0\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0"
)
_OVER_TLS = Prose("Put tls=true behind the address's ?, or use a port without TLS.")


class MongoDB(SessionProbe["Session"]):
    """MongoDB: greet every host, log in to one, look at grants, replica set and head-room."""

    kind: Literal["mongodb"] = "mongodb"
    schemes: ClassVar[tuple[str, ...]] = ("mongodb", "mongodb+srv")
    several_hosts: ClassVar[bool] = True
    extra: ClassVar[str | None] = "mongodb"
    proves: ClassVar = {
        Stage.DNS: "the hosts' names resolve; of mongodb+srv the records that list them too",
        Stage.TCP: "something accepts connections on the port of at least one host",
        Stage.TLS: "the certificate is trusted, where TLS is asked for",
        Stage.PROTOCOL: "it speaks MongoDB, and says hello",
        Stage.AUTH: "the login is accepted; without one, that none is needed",
        Stage.PERMISSION: "the user may list its databases, and read the `collection` named",
        Stage.FUNCTION: "a member has the `role` asked for, and can be read",
    }

    url: SecretStr = Field(
        description="mongodb://user:password@host:port,host:port/database?replicaSet=..., or mongodb+srv://",
        examples=["mongodb://app:secret@db1.example,db2.example/orders?replicaSet=rs0"],
    )
    tls: TLSSettings | None = Field(
        None,
        description="TLS settings; given, TLS is spoken. Without them the address decides (tls, tlsCAFile "
        "and their kin), and mongodb+srv:// means TLS.",
    )
    role: Literal["primary", "secondary"] | None = Field(
        None, description="The role that one of the hosts has to have; without it any that can be read."
    )
    collection: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="A collection of the address's database that the user has to be able to read.",
    )
    warn_used: float = Field(
        0.8, gt=0, le=1, description="Part of the connections in use at which it warns, where that is told."
    )

    @model_validator(mode="after")
    def _can_be_used(self) -> MongoDB:
        parts = self.parts
        parts.encryption(self.tls)
        if self.collection is not None and not parts.database:
            raise ValueError("collection: needs a database; write mongodb://user:password@host/database")
        return self

    @cached_property
    def parts(self) -> Address:
        """The address taken apart."""
        return Address.parse(self.url.get_secret_value())

    @cached_property
    def options(self) -> ClientOptions:
        """What pymongo has to know. It keeps the key that a password was made into, at some cost."""
        from mooring.probes._pymongo import options_of

        return options_of(self.parts)

    @property
    def _login(self) -> Login:
        parts = self.parts
        inside = EXTERNAL if parts.mechanism in ("PLAIN", "MONGODB-X509") else parts.database or "admin"
        return Login(parts.user, parts.options.get("authsource", inside), parts.database)

    @property
    def address(self) -> str:
        return self.parts.shown

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        if self.parts.password:
            yield self.parts.password
            yield quote(self.parts.password, safe="")

    async def open(self, trail: Trail) -> Session:
        import pymongo  # noqa: F401 - where it is missing, say so before anything is dialled

        with ExitStack() as undo:
            places = await listed(trail, self.parts)
            met = await meet_all(trail, places, lambda own, place: self._meet(own, place, undo))
            chosen = self._chosen(met)
            settle(trail, met, chosen, self.reason)
            self._note(trail, met)
            session = chosen.session
            if session is None:
                raise chosen.error or EOFError
            await self._log_in(trail, session)
            undo.pop_all()
        for other in met:
            if other.session is not None and other is not chosen:
                other.session.drop()
        return session

    async def _meet(self, trail: Trail, place: Place, undo: ExitStack) -> Session:
        """Dial a host and say hello to it."""
        from pymongo.errors import ConnectionFailure

        from mooring.probes._pymongo import greeted

        tls = self.parts.encryption(self.tls)
        stream = await dial(trail, place.host, place.port, tls, plain=_PLAIN)
        undo.callback(stream.drop)
        words = first_words(
            trail, stream, place.host, tls, _OVER_TLS, hung_up=(ConnectionFailure, ConnectionError, EOFError)
        )
        async with words, trail.stage(Stage.PROTOCOL):
            return await greeted(stream, place, self.options)

    def _chosen(self, met: Sequence[Met]) -> Met:
        """Return the host to be logged in to: one of the role asked for, else the most useful one."""
        there = [each for each in met if each.session is not None]
        wanted = ("secondary",) if self.role == "secondary" else WRITABLE
        for roles in (wanted, READABLE):
            for each in there:
                if each.session is not None and role_of(each.session.hello) in roles:
                    return each
        return there[0] if there else furthest(met)

    def _note(self, trail: Trail, met: Sequence[Met]) -> None:
        """Keep what the hosts say of themselves."""
        hellos = {str(each.place): each.session.hello for each in met if each.session is not None}
        if len(met) > 1:
            trail.note(members={place: role_of(hello) for place, hello in hellos.items()})
        for hello in hellos.values():
            if hello.get("setName"):
                trail.note(replica_set=hello["setName"], primary=hello.get("primary"))

    async def _log_in(self, trail: Trail, session: Session) -> None:
        async with trail.stage(Stage.AUTH):
            await session.log_in()
            if not self.parts.logs_in:  # whoever did not log in is refused here, and nowhere before
                await _list_databases(session, trail)

    async def inspect(self, session: Session, trail: Trail) -> Observation:
        async with trail.stage(Stage.PERMISSION):
            if self.parts.logs_in:
                await _list_databases(session, trail)
            trouble = await self._trouble_at_reading(session, trail)
        async with trail.stage(Stage.FUNCTION):
            demand_set(session.hello, self.parts.options.get("replicaset"))
            demand_role(session.hello, self.role, trail)
            if trouble is not None:
                raise trouble
            await self._look_around(session, trail)
        return Observation({"role": role_of(session.hello)})

    async def _trouble_at_reading(self, session: Session, trail: Trail) -> Exception | None:
        """Read a document. Returns what the server complains of, of itself; raises where we may not ask."""
        from pymongo.errors import NotPrimaryError

        if self.collection is None:
            return None
        database, limit = self.parts.database, int((trail.remaining + GRACE) * 1000)
        try:
            found = await session.ask(
                database, {"find": self.collection, "limit": 1, "singleBatch": True, "maxTimeMS": limit}
            )
            if not found["cursor"]["firstBatch"]:
                await self._demand_collection(session)
        except NotPrimaryError as error:
            return error
        return None

    async def _demand_collection(self, session: Session) -> None:
        """Raise CheckError(not_found) where there is no such collection: reading one gives nothing."""
        asked = {"listCollections": 1, "nameOnly": True, "authorizedCollections": True}
        found = await session.ask(self.parts.database, {**asked, "filter": {"name": self.collection}})
        if not found["cursor"]["firstBatch"]:
            raise CheckError(
                Reason.NOT_FOUND,
                f"there is no collection {self.collection} in {self.parts.database}",
                code="26",
                hint=Prose("Create the collection, or correct its name and the address's database."),
            )

    async def _look_around(self, session: Session, trail: Trail) -> None:
        """Keep version and head-room; who may not ask for the latter is told nothing of it."""
        from pymongo.errors import OperationFailure

        trail.note(server_version=(await session.ask("admin", {"buildInfo": 1})).get("version"))
        try:
            status = await session.ask("admin", {"serverStatus": 1, "metrics": 0, "wiredTiger": 0})
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise
            return
        self._judge_head_room(trail, status.get("connections", {}), status.get("uptime"))

    def _judge_head_room(self, trail: Trail, connections: Mapping[str, Any], uptime: float | None) -> None:
        used, left = connections.get("current"), connections.get("available")
        if uptime is not None:
            trail.measure(uptime_seconds=uptime)
        if used is None or left is None:
            return
        most = used + left
        trail.measure(connections_used=used, connections_max=most)
        if most and used >= self.warn_used * most:
            trail.warn(Prose("{used} of {most} connections are open", used=used, most=most))

    async def ping(self, session: Session) -> None:
        await session.ask("admin", {"ping": 1})

    async def close(self, session: Session) -> None:
        await session.leave()

    def drop(self, session: Session) -> None:
        session.drop()

    def reason(self, error: Exception) -> Reason | Cause | None:
        from mooring.probes._pymongo import explain

        return explain(error, self._login)


async def _list_databases(session: Session, trail: Trail) -> None:
    """Ask which databases there are: the one thing that nobody may who has to log in and did not."""
    found = await session.ask("admin", {"listDatabases": 1, "nameOnly": True})
    trail.measure(databases_visible=len(found["databases"]))
