"""redis-py over a connection that we dialled, and what its errors mean."""

from __future__ import annotations

import re
from asyncio import StreamReader
from collections.abc import Awaitable
from contextlib import ExitStack, suppress
from typing import Any, cast

from redis import exceptions
from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.net.dial import Stream
from mooring.probes._answer import BoundedReader


class HungUpError(exceptions.ConnectionError):
    """The peer hung up before it said anything that tells why."""


class DialledConnection(Connection):
    """A connection whose stream is already there. Once lost, it is not opened a second time."""

    def __init__(self, *, stream: Stream, **settings: Any) -> None:
        super().__init__(**settings)
        self._stream: Stream | None = stream
        self._heard = BoundedReader(stream.reader)

    async def _connect(self) -> None:
        if self._stream is None:
            raise ConnectionResetError("the connection was closed")
        self._reader, self._writer = cast("StreamReader", self._heard), self._stream.writer
        self._stream = None

    async def read_response(self, *args: Any, **settings: Any) -> Any:
        self._heard.begin()
        return await super().read_response(*args, **settings)

    def abort(self) -> None:
        """Drop the connection at once."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.transport.abort()


async def client_over(stream: Stream, *, user: str | None, password: str | None, database: int) -> Redis:
    """Log in over a stream and return a client of that one connection.

    Where it raises or is cancelled the connection is dropped. Raises HungUpError where the peer did.
    """
    connection = DialledConnection(
        stream=stream,
        username=user,
        password=password,
        db=database,
        decode_responses=True,
        encoding_errors="replace",
        protocol=2,
        driver_info=None,  # a user with few rights may not introduce itself
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,  # the check's deadline is the one timeout
        socket_connect_timeout=None,
    )
    with ExitStack() as undo:
        undo.callback(connection.abort)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]  # redis-py says no types here
            if password is None:
                await _hear(connection)
        except exceptions.ConnectionError as error:  # a rejected login is one as well
            if type(error) is exceptions.ConnectionError:
                raise HungUpError(*error.args) from error
            raise
        undo.pop_all()
    # Its pool stays empty: one would look for unread data and take "max number of clients" for noise.
    client = Redis(connection_pool=ConnectionPool(connection_class=DialledConnection))
    client.connection = connection
    return client


async def _hear(connection: Connection) -> None:
    """Hear now that a login is needed, or that there is no room: nothing was answered so far."""
    await connection.send_command("PING")
    with suppress(exceptions.NoPermissionError):  # logged in as the default user, which may not PING
        await connection.read_response()


async def trouble_at(asking: Awaitable[None]) -> exceptions.RedisError | None:
    """Return what the server complains of, of itself and not of us. Raises where we may not ask."""
    try:
        await asking
    except exceptions.NoPermissionError:
        raise
    except (exceptions.ResponseError, exceptions.BusyLoadingError) as error:
        return error
    return None


async def leave(client: Redis) -> None:
    """Close the connection of a client."""
    if client.connection is not None:
        await client.connection.disconnect()


def drop(client: Redis) -> None:
    """Drop the connection of a client at once."""
    connection, client.connection = client.connection, None
    if isinstance(connection, DialledConnection):
        connection.abort()


_WORDS = {
    "NOAUTH": (
        Reason.AUTH,
        Prose("the server demands a login and none was given"),
        Prose("Put user and password into the address, between redis:// and the host."),
    ),
    "WRONGPASS": (
        Reason.AUTH,
        None,
        Prose(
            "The server answers and rejects the login: compare user and password with its ACL or requirepass."
        ),
    ),
    "NOPERM": (Reason.PERMISSION, None, Prose("Allow this user the command and the key.")),
    "LOADING": (Reason.UNAVAILABLE, None, Prose("It has just started and reads its data; wait.")),
    "MASTERDOWN": (
        Reason.UNAVAILABLE,
        None,
        Prose("This replica lost its master and is set not to answer with old data: repair the link."),
    ),
    "CLUSTERDOWN": (
        Reason.UNAVAILABLE,
        None,
        Prose("Slots are not served: CLUSTER NODES tells which, and whose they are."),
    ),
    "TRYAGAIN": (Reason.UNAVAILABLE, None, None),
    "BUSY": (Reason.UNAVAILABLE, None, Prose("A script runs for too long: end it, or wait.")),
    "MISCONF": (
        Reason.ASSERTION,
        None,
        Prose("It cannot save to disk and therefore refuses writes: look at its log and its disk."),
    ),
    "READONLY": (
        Reason.ASSERTION,
        Prose("this server is a replica and takes no writes"),
        Prose("Write to its master; after a failover the address has to follow."),
    ),
    "OOM": (
        Reason.ASSERTION,
        Prose("the server takes no writes: its memory is full"),
        Prose("Raise maxmemory, let it evict (maxmemory-policy), or remove keys."),
    ),
    "NOREPLICAS": (
        Reason.UNAVAILABLE,
        None,
        Prose("Too few replicas are in good health for it to take writes."),
    ),
    "DENIED": (
        Reason.PERMISSION,
        Prose("the server is in protected mode and answers only its own machine"),
        Prose("Set a password, or `bind` and `protected-mode no` behind a firewall."),
    ),
    "MOVED": (Reason.ASSERTION, None, Prose("This is a cluster: the key belongs to another node.")),
}
_TEXTS = (
    (
        "max number of clients",
        Reason.OVERLOADED,
        "MAXCLIENTS",
        Prose("Raise maxclients, or find who leaks them."),
    ),
    ("invalid password", Reason.AUTH, "WRONGPASS", _WORDS["WRONGPASS"][2]),
    (
        "without any password configured",
        Reason.AUTH,
        "NO_PASSWORD_SET",
        Prose("The server has no password set."),
    ),
    (
        "wrong number of arguments for 'auth'",
        Reason.AUTH,
        "NO_ACL",
        Prose("Before Redis 6 there are no users."),
    ),
    (
        "db index is out of range",
        Reason.NOT_FOUND,
        "NO_SUCH_DATABASE",
        Prose("Raise `databases`, or use another."),
    ),
    ("invalid database", Reason.NOT_FOUND, "NO_SUCH_DATABASE", Prose("Raise `databases`, or use another.")),
)


def explain(error: Exception, user: str, keys: str | None = None) -> Cause | None:
    """Say what an error of redis-py means. One that only wraps another is left to what it wraps.

    `keys` is how the keys of a check begin, if it uses any.
    """
    if not isinstance(error, exceptions.RedisError):
        return None
    text = " ".join(str(error).split())
    word = error.status_code or text.partition(" ")[0]
    if word in _WORDS:  # before the classes: AuthenticationError is a ConnectionError
        reason, message, hint = _WORDS[word]
        told = message or f"{word} {text.removeprefix(f'{word} ')}"
        return Cause(reason, word, told, hint, fix=_fix(word, text, user, keys))
    for part, reason, code, hint in _TEXTS:
        if part in text.lower():
            return Cause(reason, code, text, hint, fix=_FIXES.get(code))
    return _by_class(error, text, word)


def _fix(word: str, text: str, user: str, keys: str | None) -> str | None:
    """Return what can be pasted. A word of the server's gets into it only where it is what it should be."""
    named = _PLAIN.fullmatch(user) is not None
    if word == "WRONGPASS" and named:
        return f"ACL SETUSER {user} on >NEW_PASSWORD"
    if word != "NOPERM":
        return _FIXES.get(word)
    if named and keys and _PLAIN.fullmatch(keys) and _KEY_DENIED.search(text):
        return f"ACL SETUSER {user} ~{keys}*"
    denied = _DENIED.search(text)
    if denied is None or denied[1].lower() not in _SENT or not named:
        return None
    # A server names one command at a time; all that such a check sends are allowed at once.
    lacking = dict.fromkeys((denied[1].lower(), *(_WRITING if keys else ())))
    return f"ACL SETUSER {user} {' '.join(f'+{command}' for command in lacking)}"


_FIXES = {"BUSY": "SCRIPT KILL"}
_DENIED = re.compile(r"'(\w+)' command")
_KEY_DENIED = re.compile("access (one of the keys|a key)")
_WRITING = ("set", "get", "del")
_SENT = frozenset({"ping", "select", "info", *_WRITING})
"""The commands of a check. Whoever says that others are needed wants more than it should get."""
_PLAIN = re.compile(r"[\w.:@-]+")


def _by_class(error: exceptions.RedisError, text: str, word: str) -> Cause | None:
    if isinstance(error, exceptions.InvalidResponse):
        return Cause(Reason.PROTOCOL, "NOT_REDIS", f"the answer is not Redis: {cut(text)}")
    if isinstance(error, exceptions.ResponseError):
        return Cause(Reason.ASSERTION, word if word.isupper() else "ERR", text)
    if error.__cause__ is None and error.__context__ is None:
        return Cause(Reason.NETWORK, "CONNECTION_LOST", text)
    return None
