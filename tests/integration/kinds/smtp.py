"""SMTP against a real mail server (aiosmtpd); broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking
from tests.servers.smtp import LOGIN, MailServer, StartMailServer
from tests.servers.tls import Certificates

DIALS = True
DRIVER_ERRORS = ("aiosmtplib.errors",)
SENDER = "app@example.org"
_LOGIN = "The server answers and rejects the login: compare user and password with the account's."
_FULL = "The mailbox or the server's room for it is full."
_RULES = "The server refuses by its rules: log in, send from a known network, or let it relay for this one."
_ADDRESS = "The server refuses this address: compare it with its rules, and whether this account may use it."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server: STARTTLS, a login, a sender and a recipient."""
    server: MailServer = request.getfixturevalue("mail_server")
    certificates: Certificates = request.getfixturevalue("certificates")
    tls = {"ca": certificates.ca}
    yield Example(
        settings={"url": server.url(), "tls": tls, "mail_from": SENDER, "rcpt_to": ["ops@example.org"]},
        broken={"url": server.url((LOGIN[0], "wrong-password")), "tls": tls},
        port=server.port,
        sessions=server.sessions,
        secret=LOGIN[1],
        server=server,
    )


def _secure(login: tuple[str, str] | None = LOGIN, **settings: Any) -> Arrangement:
    """Return the arrangement of the session's server over STARTTLS, whose issuer is trusted."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        server: MailServer = request.getfixturevalue("mail_server")
        certificates: Certificates = request.getfixturevalue("certificates")
        yield {"url": server.url(login), "tls": {"ca": certificates.ca}, **settings}

    return arrange


def _to(recipient: str) -> Arrangement:
    return _secure(mail_from=SENDER, rcpt_to=[f"{recipient}@example.org"])


def _on(
    *, login: tuple[str, str] | None = LOGIN, certificate: str = "", ask: Any = None, **options: Any
) -> Arrangement:
    """Return the arrangement of a server with these options, asked with `ask` in the settings."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        certificates: Certificates = request.getfixturevalue("certificates")
        start: StartMailServer = request.getfixturevalue("start_mail_server")
        chosen = getattr(certificates, certificate) if certificate else None
        tls = {"tls": {"ca": certificates.ca}} if certificate else {}
        with start(certificate=chosen, **options) as server:
            yield {"url": server.url(login), **tls, **(ask or {})}

    return arrange


FAULTS = (
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "535"),
        _secure((LOGIN[0], "wrong-password")),
        hint=_LOGIN,
    ),
    Fault(
        "there is no such user",
        (Stage.AUTH, Reason.AUTH, "535"),
        _secure(("nobody", "any-password")),
        hint=_LOGIN,
    ),
    Fault(
        "the account needs an app password",
        (Stage.AUTH, Reason.AUTH, "534"),
        _secure(("locked", "any-password")),
        hint="The account needs another way to log in, such as an app password.",
    ),
    Fault(
        "the server cannot look passwords up now",
        (Stage.AUTH, Reason.UNAVAILABLE, "454"),
        _secure(("busy", "any-password")),
        hint="The server cannot do this now, such as ask its password store: its log says why.",
    ),
    Fault(
        "the server offers a login only over TLS, and STARTTLS is off",
        (Stage.AUTH, Reason.AUTH, "LOGIN_NOT_OFFERED"),
        asking("mail_server", lambda server: {"url": server.url(), "starttls": "off"}),
        hint="It may offer logins only over TLS: use smtps:// or STARTTLS.",
    ),
    Fault(
        "the server offers only logins that Mooring does not know",
        (Stage.AUTH, Reason.AUTH, "NO_COMMON_LOGIN"),
        _on(auth_require_tls=False, auth_exclude_mechanism=["PLAIN", "LOGIN"]),
        hint="Allow PLAIN, LOGIN or CRAM-MD5 for this account; some services call it app password.",
    ),
    Fault(
        "no login is given and one is needed",
        (Stage.PERMISSION, Reason.AUTH, "530"),
        _on(login=None, certificate="good", auth_required=True, ask={"mail_from": SENDER}),
        hint="Put user and password into the address, between smtp:// and the host.",
    ),
    Fault(
        "the server wants STARTTLS first",
        (Stage.PERMISSION, Reason.TLS, "530"),
        _on(
            login=None,
            certificate="good",
            require_starttls=True,
            ask={"mail_from": SENDER, "starttls": "off", "tls": {}},
        ),
        hint="The server wants TLS first: set starttls to auto or required.",
        fix='starttls = "required"',
    ),
    Fault(
        "the sender may not be used by this account",
        (Stage.PERMISSION, Reason.PERMISSION, "553"),
        _secure(mail_from="forged@example.org"),
        hint="The server does not let this account use this address: allow it, or correct mail_from.",
    ),
    Fault(
        "there is no such mailbox",
        (Stage.PERMISSION, Reason.NOT_FOUND, "550"),
        _to("nobody"),
        hint="There is no such mailbox: correct the address, or create it.",
    ),
    Fault(
        "the recipient is refused, and nobody says why",
        (Stage.PERMISSION, Reason.PERMISSION, "550"),
        _to("odd"),
        hint=_ADDRESS,
    ),
    Fault(
        "the server does not relay to the recipient",
        (Stage.PERMISSION, Reason.PERMISSION, "554"),
        _to("elsewhere"),
        hint=_RULES,
    ),
    Fault(
        "the mailbox is full",
        (Stage.PERMISSION, Reason.OVERLOADED, "552"),
        _to("full"),
        hint=_FULL,
    ),
    Fault(
        "the server's disk is full",
        (Stage.PERMISSION, Reason.OVERLOADED, "452"),
        _to("crowded"),
        hint="The server has no room: look at its disk and its queue.",
    ),
    Fault(
        "the recipient is greylisted",
        (Stage.PERMISSION, Reason.UNAVAILABLE, "450"),
        _to("grey"),
        hint="The server does not know us yet and wants the mail sent again later (greylisting): see whether "
        "the next checks pass, or let this machine in by the server's rules.",
    ),
    Fault(
        "the server takes no mail of that size",
        (Stage.PERMISSION, Reason.ASSERTION, "552"),
        _secure(mail_from=SENDER, message_size=2_000_000),
        hint="The server takes no mail of that size: raise its limit, such as message_size_limit of Postfix.",
    ),
    Fault(
        "the server is stopping",
        (Stage.PROTOCOL, Reason.UNAVAILABLE, "421"),
        _on(greeting="421 4.3.2 Service shutting down"),
        hint="The server is stopping or takes no more clients now: its log says which.",
    ),
    Fault(
        "the server has no room for another client",
        (Stage.PROTOCOL, Reason.OVERLOADED, "421"),
        _on(greeting="421 4.7.0 Too many connections from your address"),
        hint="The server is stopping or takes no more clients now: its log says which.",
    ),
    Fault(
        "this machine stands in a block list",
        (Stage.PROTOCOL, Reason.PERMISSION, "554"),
        _on(greeting="554 5.7.1 Blocked by list.example"),
        hint="The server turns this machine away at the door: look for it in the server's block lists.",
    ),
    Fault(
        "the server offers no STARTTLS and it is required",
        (Stage.TLS, Reason.TLS, "TLS_NOT_OFFERED"),
        _on(ask={"starttls": "required"}),
        hint="Give the server a certificate, or use smtps:// where it listens for that.",
    ),
    tls_faults.cert_unknown_issuer(
        asking("mail_server", lambda server: {"url": server.url()}),
        "the certificate behind STARTTLS is of an unknown issuer",
    ),
    tls_faults.cert_expired(_on(certificate="expired")),
    tls_faults.cert_host_mismatch(_on(certificate="wrong_host")),
    tls_faults.plain_text(
        asking("mail_server", lambda server: {"url": f"smtps://127.0.0.1:{server.port}"}),
        "smtps:// is asked of a port that speaks TLS only after STARTTLS",
    ),
    Fault(
        "smtp:// is asked of a port that speaks TLS from the start",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("mail_server", lambda server: {"url": f"smtp://127.0.0.1:{server.tls_port}"}),
        hint="Write smtps:// instead of smtp://, or use the port without TLS.",
        timeout=1,
    ),
    Fault(
        "something else listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_SMTP"),
        asking("mariadb", lambda server: {"url": f"smtp://127.0.0.1:{server.port}"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
)
