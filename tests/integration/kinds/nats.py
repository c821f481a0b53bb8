"""NATS against a real server with JetStream; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_paused, asking_played
from tests.integration.over_tls import certified
from tests.servers.nats import FULL, PASSWORD, PLAIN, PUPIL, READER, TOKEN_LOGIN, Nats, StartNats

DIALS = True
_REJECTED = "The server rejects the login: compare user and password, or the token, with its own."
_SWITCH_ON = "Switch JetStream on in the server's configuration, for this account as well."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, talked through and asked for JetStream."""
    server: Nats = request.getfixturevalue("nats")
    yield Example(
        settings={
            "url": server.url(),
            "subject": "mooring.check",
            "request": "$JS.API.INFO",
            "jetstream": True,
        },
        broken={"url": server.url(password="wrong-password")},
        port=server.port,
        sessions=server.sessions,
        secret=PASSWORD,
        server=server,
    )


@contextmanager
def _full(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartNats = request.getfixturevalue("start_nats")
    with start("max_connections: 1") as server, server.client():
        yield {"url": server.url()}


@contextmanager
def _full_account(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    server: Nats = request.getfixturevalue("nats")
    with server.client(*FULL):
        yield {"url": server.url(*FULL)}


@contextmanager
def _token(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartNats = request.getfixturevalue("start_nats")
    with start(login=TOKEN_LOGIN) as server:
        yield {"url": f"nats://wrong-token@127.0.0.1:{server.port}"}


def _certified(name: str, *, verify: bool = False) -> Arrangement:
    return certified("start_nats", name, lambda server: {"url": server.url(host="localhost")}, verify=verify)


FAULTS = (
    Fault(
        "no login is given and one is needed",
        (Stage.AUTH, Reason.AUTH, "LOGIN_REQUIRED"),
        asking("nats", lambda server: {"url": server.url(password=None)}),
        hint="Put user and password, or a token, into the address, between nats:// and the host.",
    ),
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "AUTHORIZATION_VIOLATION"),
        asking("nats", lambda server: {"url": server.url(password="wrong")}),
        hint=_REJECTED,
    ),
    Fault(
        "the user does not exist",
        (Stage.AUTH, Reason.AUTH, "AUTHORIZATION_VIOLATION"),
        asking("nats", lambda server: {"url": server.url("nobody", "any")}),
        hint=_REJECTED,
    ),
    Fault(
        "the token is wrong",
        (Stage.AUTH, Reason.AUTH, "AUTHORIZATION_VIOLATION"),
        _token,
        hint=_REJECTED,
    ),
    Fault(
        "the server has no room for another connection",
        (Stage.AUTH, Reason.OVERLOADED, "MAX_CONNECTIONS"),
        _full,
        hint="Raise max_connections of the server, or find who leaks them.",
    ),
    Fault(
        "the account has no room for another connection",
        (Stage.AUTH, Reason.OVERLOADED, "ACCOUNT_CONNECTIONS"),
        _full_account,
        hint="The account has as many connections as it may have: close some, or raise its limit.",
    ),
    Fault(
        "the user may not listen to the subject",
        (Stage.PERMISSION, Reason.PERMISSION, "SUBSCRIBE_DENIED"),
        asking("nats", lambda server: {"url": server.url(*PUPIL), "subject": "school.secret"}),
        hint="Add school.secret to subscribe in the permissions of this user.",
    ),
    Fault(
        "the user may not publish on the subject",
        (Stage.PERMISSION, Reason.PERMISSION, "PUBLISH_DENIED"),
        asking("nats", lambda server: {"url": server.url(*READER), "subject": "news"}),
        hint="Add news to publish in the permissions of this user.",
    ),
    Fault(
        "the user may not ask the service",
        (Stage.FUNCTION, Reason.PERMISSION, "PUBLISH_DENIED"),
        asking("nats", lambda server: {"url": server.url(*READER), "request": "orders.count"}),
        hint="Add orders.count to publish in the permissions of this user.",
    ),
    Fault(
        "the user may not hear the answers of services",
        (Stage.FUNCTION, Reason.PERMISSION, "SUBSCRIBE_DENIED"),
        asking("nats", lambda server: {"url": server.url(*PUPIL), "request": "school.bell"}),
        hint="Add _INBOX.> to subscribe in the permissions of this user.",
    ),
    Fault(
        "no service answers the request",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_RESPONDERS"),
        asking("nats", lambda server: {"url": server.url(), "request": "orders.count"}),
        hint="Start the service, or compare the subject and the account with its own.",
    ),
    Fault(
        "the account has no JetStream",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_JETSTREAM"),
        asking("nats", lambda server: {"url": server.url(*PLAIN), "jetstream": True}),
        hint=_SWITCH_ON,
        fix="jetstream: enabled",
    ),
    Fault(
        "the stream does not exist",
        (Stage.FUNCTION, Reason.NOT_FOUND, "NO_SUCH_STREAM"),
        asking("nats", lambda server: {"url": server.url(), "stream": "orders"}),
        hint="Who uses the stream has to add it first; or it is of another account or domain.",
        fix="nats stream ls",
    ),
    tls_faults.cert_unknown_issuer(
        asking("nats_tls", lambda server: {"url": server.url(host="localhost")}),
        "the server demands TLS and its issuer is unknown",
    ),
    tls_faults.cert_expired(_certified("expired")),
    tls_faults.cert_host_mismatch(_certified("wrong_host")),
    tls_faults.client_cert_required(_certified("good", verify=True)),
    Fault(
        "TLS is demanded and the server offers none",
        (Stage.TLS, Reason.TLS, "TLS_NOT_OFFERED"),
        asking("nats", lambda server: {"url": server.url(), "tls": {}}),
        hint="Switch TLS on in the server, or leave out the tls settings.",
    ),
    Fault(
        "something is said behind the greeting, before TLS begins (played)",
        (Stage.TLS, Reason.TLS, "SAID_BEFORE_TLS"),
        asking_played(
            b'INFO {"server_id":"x","version":"2.9.0","tls_required":true}\r\nPING\r\n',
            lambda port: {"url": f"nats://127.0.0.1:{port}"},
        ),
        hint="It speaks no TLS on that port; or somebody in between puts in words of his own.",
    ),
    Fault(
        "the port wants TLS at once",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("tls_memcached", lambda server: {"url": f"nats://127.0.0.1:{server.port}"}),
        hint="Use a port where the server greets before TLS, not one of a proxy that ends TLS or of "
        "handshake_first.",
        timeout=1,
    ),
    Fault(
        "the server hangs",
        (Stage.PROTOCOL, Reason.TIMEOUT, "NO_GREETING"),
        asking_paused("nats"),
        hint="Another service may listen there, one that wants TLS at once, or it hangs.",
        timeout=0.5,
    ),
    Fault(
        "something else listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_NATS"),
        asking("mariadb", lambda server: {"url": f"nats://127.0.0.1:{server.port}"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
)
