"""pymongo over a connection that we dialled. Imported only where the driver is needed.

Its client would dial by itself, again and again from tasks of its own, every member that any server
names. A check holds one connection to one member, so the client's inside is used without its pool,
topology and monitors: `AsyncConnection` greets, logs in and asks.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import bson.errors
from pymongo import errors
from pymongo.asynchronous.pool import AsyncConnection, Pool
from pymongo.client_options import ClientOptions
from pymongo.network_layer import AsyncNetworkingInterface, PyMongoProtocol
from pymongo.read_preferences import ReadPreference

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.dial import Stream
from mooring.probes._mongodb import Login, cause
from mooring.probes._mongodb_address import Address, Place
from mooring.probes._scram import demand_bearable, rounds_in

Document = MutableMapping[str, Any]
_SCRAM = ("SCRAM-SHA-1", "SCRAM-SHA-256")
_FEWER = Prose(
    "Lower scramSHA256IterationCount and set the password anew; or something else listens on the port."
)


def options_of(address: Address) -> ClientOptions:
    """Return what pymongo has to know. Kept by the probe: the key of a login is costly to derive."""
    options: dict[str, Any] = {"appname": "mooring"}
    if address.mechanism is not None:
        options["authmechanism"] = address.mechanism
    if "authsource" in address.options:
        options["authsource"] = address.options["authsource"]
    user, password = address.user or None, address.password
    return ClientOptions(user, password, address.database or None, options, is_sync=False)  # type: ignore[arg-type]  # None means none


async def greeted(stream: Stream, place: Place, options: ClientOptions) -> Session:
    """Say hello over a stream and return the session."""
    if stream.writer.transport.is_closing():
        await stream.reader.read(1)  # raises what ended it
        raise EOFError
    session = Session(stream, place, options)
    await session.greet()
    return session


class Session:
    """A connection to one member. `hello` is what it said of itself at first."""

    def __init__(self, stream: Stream, place: Place, options: ClientOptions) -> None:
        self.place = place
        self.hello: Mapping[str, Any] = {}
        self._stream = stream  # a writer that nobody holds would close the connection
        address = (place.host, place.port)
        self._pool = Pool(address, options.pool_options)  # the connection refers to it weakly
        protocol = PyMongoProtocol()
        transport = stream.writer.transport
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        interface = AsyncNetworkingInterface((transport, protocol))  # type: ignore[arg-type]  # a transport that writes
        self._connection = _Connection(interface, self._pool, address, 1, is_sdam=False)

    async def greet(self) -> None:
        """Say hello, and keep what the server says of itself."""
        self.hello = (await self._connection.hello()).document

    async def log_in(self) -> None:
        """Log in where the address has a login. Raises CheckError(protocol) for too much hashing."""
        begun = self.hello.get("speculativeAuthenticate")  # a login begins with the hello already
        if isinstance(begun, Mapping) and "payload" in begun:
            _demand_bearable(begun)
        await self._connection.authenticate()

    async def ask(self, database: str, command: Document) -> Document:
        """Run a command, on a secondary too. Raises pymongo's errors."""
        return await self._connection.command(database, command, ReadPreference.PRIMARY_PREFERRED)

    async def leave(self) -> None:
        """Close the connection; in this protocol nobody says goodbye."""
        await self._connection.close_conn(None)

    def drop(self) -> None:
        """Drop the connection at once."""
        self._stream.drop()


class _Connection(AsyncConnection):
    """Looks at how much hashing a login takes, before the driver does all of it at once."""

    async def command(self, dbname: str, spec: Document, *args: Any, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await super().command(dbname, spec, *args, **options)
        if "saslStart" in spec and spec["mechanism"] in _SCRAM:
            _demand_bearable(answer)
        return answer


def _demand_bearable(answer: Mapping[str, Any]) -> None:
    demand_bearable(rounds_in(answer.get("payload")), _FEWER)


def explain(error: Exception, login: Login) -> Cause | None:
    """Say what an error of pymongo means. One that only wraps another is left to what it wraps."""
    if isinstance(error, errors.OperationFailure | errors.NotPrimaryError):
        details = error.details if isinstance(error.details, Mapping) else {}
        code = error.code if isinstance(error, errors.OperationFailure) else details.get("code")
        return cause(code, details, str(error), login)
    if isinstance(error, errors.ProtocolError | bson.errors.BSONError):
        return Cause(Reason.PROTOCOL, "NOT_MONGODB", f"the answer is not MongoDB's: {error}")
    if isinstance(error, errors.NetworkTimeout | errors.WaitQueueTimeoutError):
        return Cause(Reason.TIMEOUT, "TIMEOUT")
    if isinstance(error, errors.ConnectionFailure):
        return _lost(error)
    if isinstance(error, errors.PyMongoError):  # what the driver refuses by itself: a name, an option
        return Cause(Reason.CONFIG, "CONFIGURATION", str(error))
    return None


def _lost(error: errors.ConnectionFailure) -> Cause | None:
    under = error.__cause__
    if isinstance(under, OSError) and (under.errno is not None or isinstance(under, ConnectionError)):
        return None
    return Cause(
        Reason.NETWORK, "CONNECTION_LOST", Prose("the peer closed the connection before it answered")
    )
