"""What RabbitMQ is asked, and what its refusals mean."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Awaitable

from pamqp import commands
from pamqp.exceptions import PAMQPException

from mooring.core.failure import Cause, CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.probes._amqp import Amqp, Closed, Consume, DeclareExchange, DeclareQueue, refusal

ACCESS_REFUSED, NOT_FOUND, LOCKED, PRECONDITION_FAILED = 403, 404, 405, 406
CONNECTION_FORCED, NOT_ALLOWED, RESOURCE_ERROR, INTERNAL_ERROR = 320, 530, 506, 541
NOBODY = "mooring.check."
"""How the routing key of a message begins that is for no queue."""


async def demand_right(session: Amqp, right: str, queue: str | None, exchange: str | None, user: str) -> None:
    """Raise CheckError(permission) where the user may not do this.

    Rights are looked at before anything else, so each request is one that cannot be met otherwise: it
    takes, sends and makes nothing.
    """
    closed = await refusal(lambda: _unmeetable(session, right, queue or "", exchange or ""))
    if closed is None or closed.code != ACCESS_REFUSED:
        return
    what = exchange if right == "write" else queue
    raise CheckError(
        Reason.PERMISSION,
        Prose(
            "the user {user} may not {right} {what}: {text}", user=user, right=right, what=what, text=closed
        ),
        code=f"NO_{right.upper()}_RIGHT",
        hint=Prose("Allow it with set_permissions, which replaces all three patterns: look at them first."),
        fix=f"rabbitmqctl list_user_permissions {shlex.quote(user)}",
    )


def _unmeetable(session: Amqp, right: str, queue: str, exchange: str) -> Awaitable[object]:
    if right == "write":
        return session.publish(exchange, NOBODY, commands.Basic.Properties(expiration="never"))
    if right == "read":
        request = Consume(queue=queue, arguments={"x-priority": "none"})
        return session.ask(request, commands.Basic.ConsumeOk)
    declaration = DeclareQueue(queue=queue, durable=True, arguments={"x-max-length": "none"})
    return session.ask(declaration, commands.Queue.DeclareOk)


async def demand_exchange(session: Amqp, exchange: str) -> None:
    """Raise CheckError(not_found) where there is no such exchange."""
    request = DeclareExchange(exchange=exchange, passive=True)
    _demand_there(
        await refusal(lambda: session.ask(request, commands.Exchange.DeclareOk)), "exchange", exchange
    )


async def look_at(session: Amqp, queue: str) -> dict[str, float]:
    """Return what waits in a queue and who consumes from it. Raises CheckError where it is not there."""
    request = DeclareQueue(queue=queue, passive=True)
    try:
        found = await session.ask(request, commands.Queue.DeclareOk)
    except Closed as closed:
        if closed.connection:
            raise
        _demand_there(closed, "queue", queue)
        raise
    return {"messages": float(found.message_count or 0), "consumers": float(found.consumer_count or 0)}


def _demand_there(closed: Closed | None, what: str, name: str) -> None:
    if closed is None:
        return
    if closed.code != NOT_FOUND:
        raise closed
    if any(words in str(closed) for words in _DOWN):
        raise CheckError(
            Reason.UNAVAILABLE,
            Prose("the {what} {name} is down: {text}", what=what, name=name, text=closed),
            code=f"{what.upper()}_DOWN",
            hint=Prose(
                "The node that it lives on does not run or dropped it: start the node, or look at its log."
            ),
            fix="rabbitmqctl cluster_status",
        )
    raise CheckError(
        Reason.NOT_FOUND,
        Prose("there is no {what} {name}: {text}", what=what, name=name, text=closed),
        code=f"NO_SUCH_{what.upper()}",
        hint=Prose("Who uses it has to declare it first; or it is in another virtual host."),
        fix=f"rabbitmqctl list_{what}s --vhost {_vhost_in(closed)} name" if _vhost_in(closed) else None,
    )


_DOWN = ("is down or inaccessible", "process is stopped by supervisor")
_VHOST = re.compile(r" in vhost '([^']+)'")


def _vhost_in(closed: Closed) -> str:
    found = _VHOST.search(str(closed))
    return shlex.quote(found[1]) if found else ""


async def demand_no_alarm(session: Amqp) -> None:
    """Raise CheckError(unavailable) where an alarm stops all publishing; it tells only who publishes."""
    key = f"{NOBODY}{secrets.token_hex(8)}"
    closed = await refusal(lambda: session.publish("", key, commands.Basic.Properties(delivery_mode=1)))
    if closed is not None and closed.code != ACCESS_REFUSED:  # who may not publish cannot be stopped from it
        raise closed


async def ping(session: Amqp) -> None:
    """Have the channel answer."""
    await session.ask(commands.Basic.Qos(prefetch_count=1), commands.Basic.QosOk)


def explain(error: Exception, user: str, vhost: str) -> Cause | None:
    """Say what a refusal of the server, or an answer that cannot be read, means."""
    if isinstance(error, Closed):
        return _of_connection(error, user, vhost)
    if isinstance(error, PAMQPException):
        return Cause(Reason.PROTOCOL, "UNREADABLE", f"the answer makes no sense: {error}")
    return None


def _of_connection(closed: Closed, user: str, vhost: str) -> Cause:
    text = str(closed)
    if closed.connection and closed.code == ACCESS_REFUSED:
        return Cause(
            Reason.AUTH, "ACCESS_REFUSED", text, _rejected(user), fix=_fix("authenticate_user {}", user)
        )
    if closed.connection and closed.code == NOT_ALLOWED:
        for part, reason, code, hint, fix in _NOT_ALLOWED:
            if part in text:
                return Cause(reason, code, text, hint, fix=_fix(fix, vhost, user))
    known = _CODES.get(closed.code, (Reason.ASSERTION, f"AMQP_{closed.code}", None))
    return Cause(known[0], known[1], text, known[2])


def _rejected(user: str) -> Prose:
    if user == "guest":
        return Prose(
            "The server rejects the login; guest may log in only from its own machine: use another account."
        )
    return Prose("The server rejects the login: compare user and password with its own.")


def _fix(words: str, *names: str) -> str:
    quoted = [shlex.quote(name) for name in names]
    return f"rabbitmqctl {words.format(*quoted)}"


_NOT_ALLOWED = (
    (
        "user connection limit",
        Reason.OVERLOADED,
        "CONNECTION_LIMIT",
        Prose("The user has as many connections as it may have: close some, or raise its limit."),
        "list_user_limits --user {1}",
    ),
    (
        "node connection limit",
        Reason.OVERLOADED,
        "NODE_CONNECTION_LIMIT",
        Prose("The node has as many connections as it may have: close some, or raise its connection_max."),
        "list_connections user vhost peer_host",
    ),
    (
        "connection limit",
        Reason.OVERLOADED,
        "CONNECTION_LIMIT",
        Prose("The virtual host has as many connections as it may have: close some, or raise its limit."),
        "list_vhost_limits --vhost {0}",
    ),
    (
        "not found",
        Reason.NOT_FOUND,
        "NO_SUCH_VHOST",
        Prose("Add the virtual host, or correct its name in the address."),
        "add_vhost {0}",
    ),
    (
        "refused for user",
        Reason.PERMISSION,
        "VHOST_REFUSED",
        Prose(
            "The password is right, and the user may not enter the virtual host: grant what it needs there."
        ),
        "set_permissions --vhost {0} {1} '^$' '.*' '.*'",
    ),
)
_CODES = {
    CONNECTION_FORCED: (
        Reason.UNAVAILABLE,
        "CONNECTION_FORCED",
        Prose("An operator closed the connection, or the server shuts down."),
    ),
    ACCESS_REFUSED: (Reason.PERMISSION, "ACCESS_REFUSED", Prose("Look at the user's permissions.")),
    NOT_FOUND: (Reason.NOT_FOUND, "NOT_FOUND", None),
    LOCKED: (
        Reason.ASSERTION,
        "RESOURCE_LOCKED",
        Prose("The queue is exclusive: only the connection that declared it may use it."),
    ),
    PRECONDITION_FAILED: (Reason.ASSERTION, "PRECONDITION_FAILED", None),
    NOT_ALLOWED: (Reason.PERMISSION, "NOT_ALLOWED", None),
    RESOURCE_ERROR: (Reason.OVERLOADED, "RESOURCE_ERROR", None),
    INTERNAL_ERROR: (
        Reason.UNAVAILABLE,
        "INTERNAL_ERROR",
        Prose("The server failed at it: look at its log; the virtual host may be down."),
    ),
}
