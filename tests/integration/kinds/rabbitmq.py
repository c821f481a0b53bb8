"""RabbitMQ against a real server; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from pamqp import commands

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Example, Fault, asking, asking_paused
from tests.servers.rabbitmq import EXCHANGE, FULL, LONELY, PASSWORD, QUEUE, READER, USER, RabbitMQ

DIALS = True
DRIVER_ERRORS = ("pamqp.exceptions",)
MADE_OF = {"UnmarshalingException": ("Connection.Start", "Last byte error")}
_REJECTED = "The server rejects the login: compare user and password with its own."
_ALLOW = "Allow it with set_permissions, which replaces all three patterns: look at them first."
_DECLARE = "Who uses it has to declare it first; or it is in another virtual host."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, looked at in every way."""
    server: RabbitMQ = request.getfixturevalue("rabbitmq")
    rights = ["configure", "read", "write"]
    yield Example(
        settings={"url": server.url(), "queue": QUEUE, "exchange": EXCHANGE, "rights": rights},
        broken={"url": server.url(password="wrong-password")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


@contextmanager
def _alarmed(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: RabbitMQ = request.getfixturevalue("rabbitmq")
    with server.alarm():
        yield {"url": server.url()}


@contextmanager
def _exclusive(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: RabbitMQ = request.getfixturevalue("rabbitmq")
    with server.client() as client:
        client.ask(commands.Queue.Declare(queue="mine", exclusive=True), commands.Queue.DeclareOk)
        yield {"url": server.url(), "queue": "mine"}


def _lacking(right: str, **settings: str) -> Fault:
    what = next(iter(settings))
    verb = {"read": "read from", "write": "write to", "configure": "configure"}[right]
    return Fault(
        f"the user may not {verb} the {what}",
        (Stage.FUNCTION, Reason.PERMISSION, f"NO_{right.upper()}_RIGHT"),
        asking("rabbitmq", lambda server: {"url": server.url(*READER), "rights": [right], **settings}),
        hint=_ALLOW,
        fix=f"rabbitmqctl list_user_permissions {READER[0]}",
    )


FAULTS = (
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "ACCESS_REFUSED"),
        asking("rabbitmq", lambda server: {"url": server.url(password="wrong")}),
        hint=_REJECTED,
        fix=f"rabbitmqctl authenticate_user {USER}",
    ),
    Fault(
        "the user does not exist",
        (Stage.AUTH, Reason.AUTH, "ACCESS_REFUSED"),
        asking("rabbitmq", lambda server: {"url": server.url("nobody", "any")}),
        hint=_REJECTED,
        fix="rabbitmqctl authenticate_user nobody",
    ),
    Fault(
        "no login is given, and guest is none",
        (Stage.AUTH, Reason.AUTH, "ACCESS_REFUSED"),
        asking("rabbitmq", lambda server: {"url": server.url(password=None)}),
        hint="The server rejects the login; guest may log in only from its own machine: use another account.",
        fix="rabbitmqctl authenticate_user guest",
    ),
    Fault(
        "the server lets nobody in by certificate",
        (Stage.AUTH, Reason.AUTH, "NO_MECHANISM"),
        asking("rabbitmq", lambda server: {"url": f"{server.url()}?auth_mechanism=external"}),
        hint="Switch it on in the server (auth_mechanisms), or set auth_mechanism in the address.",
    ),
    Fault(
        "the virtual host does not exist",
        (Stage.PERMISSION, Reason.NOT_FOUND, "NO_SUCH_VHOST"),
        asking("rabbitmq", lambda server: {"url": server.url(vhost="sh'op")}),
        hint="Add the virtual host, or correct its name in the address.",
        fix="rabbitmqctl add_vhost 'sh'\"'\"'op'",
    ),
    Fault(
        "the user may not enter the virtual host",
        (Stage.PERMISSION, Reason.PERMISSION, "VHOST_REFUSED"),
        asking("rabbitmq", lambda server: {"url": server.url(*LONELY)}),
        hint="The password is right, and the user may not enter the virtual host: grant what it needs there.",
        fix=f"rabbitmqctl set_permissions --vhost shop {LONELY[0]} '^$' '.*' '.*'",
    ),
    Fault(
        "the virtual host has no room for another connection",
        (Stage.PERMISSION, Reason.OVERLOADED, "CONNECTION_LIMIT"),
        asking("rabbitmq", lambda server: {"url": server.url(vhost="crowded")}),
        hint="The virtual host has as many connections as it may have: close some, or raise its limit.",
        fix="rabbitmqctl list_vhost_limits --vhost crowded",
    ),
    Fault(
        "the user has no room for another connection",
        (Stage.PERMISSION, Reason.OVERLOADED, "CONNECTION_LIMIT"),
        asking("rabbitmq", lambda server: {"url": server.url(*FULL)}),
        hint="The user has as many connections as it may have: close some, or raise its limit.",
        fix=f"rabbitmqctl list_user_limits --user {FULL[0]}",
    ),
    _lacking("read", queue=QUEUE),
    _lacking("configure", queue=QUEUE),
    _lacking("write", exchange=EXCHANGE),
    Fault(
        "the queue does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_SUCH_QUEUE"),
        asking("rabbitmq", lambda server: {"url": server.url(), "queue": "none"}),
        hint=_DECLARE,
        fix="rabbitmqctl list_queues --vhost shop name",
    ),
    Fault(
        "the exchange does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_SUCH_EXCHANGE"),
        asking("rabbitmq", lambda server: {"url": server.url(), "exchange": "none"}),
        hint=_DECLARE,
        fix="rabbitmqctl list_exchanges --vhost shop name",
    ),
    Fault(
        "the queue belongs to another connection",
        (Stage.FUNCTION, Reason.ASSERTION, "RESOURCE_LOCKED"),
        _exclusive,
        hint="The queue is exclusive: only the connection that declared it may use it.",
    ),
    Fault(
        "nobody consumes from the queue",
        (Stage.FUNCTION, Reason.ASSERTION, "TOO_FEW_CONSUMERS"),
        asking("rabbitmq", lambda server: {"url": server.url(), "queue": QUEUE, "consumers": 1}),
        hint="Look whether the workers run, and whether they reach this virtual host.",
    ),
    Fault(
        "the server is out of memory and takes no messages",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "RESOURCE_ALARM"),
        _alarmed,
        hint="It is out of memory or disk space: have messages consumed, or give it more of either.",
        fix="rabbitmq-diagnostics alarms",
    ),
    Fault(
        "the server hangs",
        (Stage.PROTOCOL, Reason.TIMEOUT, "TIMEOUT"),
        asking_paused("rabbitmq"),
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    tls_faults.cert_unknown_issuer_sent(
        asking("rabbitmq", lambda server: {"url": server.url(scheme="amqps")})
    ),
    Fault(
        "the port expects TLS and the address asks for none",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("rabbitmq", lambda server: {"url": f"amqp://127.0.0.1:{server.tls_port}"}),
        hint="Write amqps:// instead of amqp://, or use the port without TLS.",
    ),
    tls_faults.plain_text(
        asking("rabbitmq", lambda server: {"url": f"amqps://127.0.0.1:{server.port}"}),
        "the address asks for TLS and the port speaks none",
    ),
    Fault(
        "something else listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_AMQP"),
        asking("nginx", lambda server: {"url": f"amqp://127.0.0.1:{server.port}"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
)
