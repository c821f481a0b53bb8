"""LDAP against a real OpenLDAP; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.probes._ldap3 import errors
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_played
from tests.integration.over_tls import certified
from tests.servers.slapd import ADMIN, BASE, CLOSED, HIDDEN, READER, SECRET, Slapd, StartSlapd

DIALS = True
DRIVER_ERRORS = (errors.__name__,)
_REJECTED = (
    "The password is wrong or there is no such entry: the server does not tell which. "
    "Try the login by hand with ldapwhoami."
)
_WANTS_TLS = "The server wants TLS before a login: use ldaps:// or start_tls."
_UNKNOWN_ENTRY = (
    "There is no entry of that name, or this account may not even know of it: "
    "the server does not tell which. Compare its spelling first."
)
_RESTRICTED = "The server refuses it by a rule of its own, such as a restricted database: its log says which."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's server, as the account with few rights."""
    server: Slapd = request.getfixturevalue("slapd")
    yield Example(
        settings=server.settings(),
        broken=server.settings(login=(READER[0], "wrong-password")),
        port=server.port,
        sessions=server.sessions,
        secret=READER[1],
        server=server,
    )


def _on(what: Any = None, /, **options: Any) -> Arrangement:
    """Return the arrangement of a server with these options, asked with what the function makes of it."""

    @contextmanager
    def arrange(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
        start: StartSlapd = request.getfixturevalue("start_slapd")
        with start(**options) as server:
            yield what(server) if what else server.settings()

    return arrange


def _message(number: int, operation: bytes) -> bytes:
    """Return a message of LDAP, as long as it is short."""
    body = b"\x02\x01" + bytes([number]) + operation
    return (b"\x30\x81" + bytes([len(body)])) + body


def _result(operation: int, code: int, text: bytes = b"", *, number: int) -> bytes:
    body = b"\x0a\x01" + bytes([code]) + b"\x04\x00\x04\x81" + bytes([len(text)]) + text
    return _message(number, bytes([operation, 0x81, len(body)]) + body)


_BOUND, _EXTENDED, _SEARCHED = 0x61, 0x78, 0x65
_LET_IN = _result(_BOUND, 0, number=1) + _result(_EXTENDED, 2, number=2)
_LOGIN_FIRST = (
    b"000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation "
    b"a successful bind must be completed."
)


def _played(words: bytes, **settings: Any) -> Arrangement:
    return asking_played(words, lambda port: {"url": f"ldap://127.0.0.1:{port}/{BASE}", **settings})


def _over_tls(server: Slapd) -> Mapping[str, Any]:
    return server.settings(scheme="ldaps")


def _rule(base: str, what: str = "base") -> str:
    return f'access to dn.{what}="{base}" by dn.exact="{READER[0]}" read by * break'


FAULTS = (
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "49"),
        asking("slapd", lambda server: server.settings(login=(READER[0], "wrong-password"))),
        hint=_REJECTED,
    ),
    Fault(
        "there is no such user",
        (Stage.AUTH, Reason.AUTH, "49"),
        asking("slapd", lambda server: server.settings(login=(f"cn=nobody,{BASE}", "any-password"))),
        hint=_REJECTED,
    ),
    Fault(
        "the name to log in with is no DN",
        (Stage.AUTH, Reason.CONFIG, "34"),
        asking("slapd", lambda server: server.settings(login=("reader", READER[1]))),
        hint="Write names as the directory does: cn=app,ou=services,dc=example,dc=org.",
    ),
    Fault(
        "the server takes no anonymous login",
        (Stage.AUTH, Reason.AUTH, "48"),
        _on(lambda server: {"url": server.url()}, options="disallow bind_anon"),
        hint="The server takes no anonymous login, or this account has no password: "
        "give bind_dn and password.",
    ),
    Fault(
        "the server wants TLS before a login",
        (Stage.AUTH, Reason.TLS, "13"),
        _on(options="security simple_bind=128"),
        hint=_WANTS_TLS,
        fix="start_tls = true",
    ),
    Fault(
        "logins are switched off",
        (Stage.AUTH, Reason.AUTH, "53"),
        _on(database_options="restrict bind"),
        hint=_RESTRICTED,
    ),
    Fault(
        "the base DN does not exist",
        (Stage.PERMISSION, Reason.NOT_FOUND, "32"),
        asking("slapd", lambda server: server.settings(f"ou=nowhere,{BASE}")),
        hint=_UNKNOWN_ENTRY,
    ),
    Fault(
        "the account may not know of the base DN",
        (Stage.PERMISSION, Reason.NOT_FOUND, "32"),
        asking("slapd", lambda server: server.settings(HIDDEN)),
        hint=_UNKNOWN_ENTRY,
    ),
    Fault(
        "the account may not search the base DN",
        (Stage.PERMISSION, Reason.PERMISSION, "50"),
        asking("slapd", lambda server: server.settings(CLOSED)),
        hint="The account may not search there: this rule of OpenLDAP lets it, before all others.",
        fix=_rule(CLOSED),
    ),
    Fault(
        "the account may not search what is below the base DN",
        (Stage.PERMISSION, Reason.PERMISSION, "50"),
        asking("slapd", lambda server: server.settings(CLOSED, scope="sub")),
        hint="The account may not search there: this rule of OpenLDAP lets it, before all others.",
        fix=_rule(CLOSED, "subtree"),
    ),
    Fault(
        "the account may not read the base DN",
        (Stage.PERMISSION, Reason.PERMISSION, "NOT_READABLE"),
        asking("slapd", lambda server: server.settings(SECRET)),
        hint="Let the account read the base DN: this rule of OpenLDAP does, before all others.",
        fix=_rule(SECRET),
    ),
    Fault(
        "nobody has logged in, and only users may search",
        (Stage.PERMISSION, Reason.PERMISSION, "50"),
        asking("slapd", lambda server: {"url": server.url()}),
        hint="The account may not search there: this rule of OpenLDAP lets it, before all others.",
        fix=f'access to dn.base="{BASE}" by anonymous read by * break',
    ),
    Fault(
        "another server holds the base DN",
        (Stage.PERMISSION, Reason.NOT_FOUND, "10"),
        _on(
            lambda server: server.settings("dc=other,dc=org"),
            options="referral ldap://other.example",
        ),
        hint="This server does not hold the base DN and names another that does: use that one's address.",
    ),
    Fault(
        "searches are switched off",
        (Stage.PERMISSION, Reason.PERMISSION, "53"),
        _on(database_options="restrict search"),
        hint=_RESTRICTED,
    ),
    Fault(
        "the filter cannot be read",
        (Stage.FUNCTION, Reason.CONFIG, "INVALID_FILTER"),
        asking("slapd", lambda server: server.settings(filter="(uid=(app)")),
        hint="Write the filter as directories do: (&(objectClass=person)(uid=app)).",
    ),
    Fault(
        "the filter matches nothing",
        (Stage.FUNCTION, Reason.ASSERTION, "NO_ENTRY"),
        asking("slapd", lambda server: server.settings(filter="(uid=app)", scope="sub")),
        hint="Compare filter and scope with the directory, and the account's rights.",
    ),
    Fault(
        "the entry has not the attribute",
        (Stage.FUNCTION, Reason.ASSERTION, "ATTRIBUTE_MISSING"),
        asking("slapd", lambda server: server.settings(READER[0], attribute="userPassword")),
        hint="Compare the attribute with the entry, and the account's rights to read it.",
    ),
    Fault(
        "the attribute holds another value",
        (Stage.FUNCTION, Reason.ASSERTION, "UNEXPECTED_VALUE"),
        asking("slapd", lambda server: server.settings(attribute="o", expect="Other")),
        hint=None,
    ),
    Fault(
        "the search reaches a limit of the account",
        (Stage.FUNCTION, Reason.OVERLOADED, "11"),
        _on(
            lambda server: server.settings(scope="sub", filter="(description=none)"),
            database_options=f'limits dn.exact="{READER[0]}" size.unchecked=1',
        ),
        hint="The search reaches a limit that an administrator set: narrow the filter, or index it.",
    ),
    Fault(
        "the server offers no StartTLS",
        (Stage.TLS, Reason.TLS, "TLS_NOT_OFFERED"),
        _on(lambda server: server.settings(login=ADMIN, start_tls=True)),
        hint="Give the server a certificate, or use ldaps:// where it listens for that.",
    ),
    tls_faults.cert_unknown_issuer_sent(
        asking("slapd", lambda server: server.settings(start_tls=True)),
        "the certificate behind StartTLS is of an unknown issuer",
    ),
    tls_faults.cert_expired(certified("start_slapd", "expired", _over_tls)),
    tls_faults.cert_host_mismatch(certified("start_slapd", "wrong_host", _over_tls)),
    Fault(
        "ldap:// is asked of a port that speaks TLS",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("slapd", lambda server: {"url": f"ldap://127.0.0.1:{server.tls_port}/{BASE}"}),
        hint="Write ldaps:// instead of ldap://, or use the port without TLS.",
    ),
    tls_faults.plain_text(
        asking("slapd", lambda server: {"url": f"ldaps://127.0.0.1:{server.port}/{BASE}"}),
        "ldaps:// is asked of a port without TLS",
    ),
    Fault(
        "StartTLS is asked of a port that speaks TLS already",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking(
            "slapd",
            lambda server: {"url": f"ldap://127.0.0.1:{server.tls_port}/{BASE}", "start_tls": True},
        ),
        hint="Write ldaps:// instead of ldap://, or use the port without TLS.",
    ),
    Fault(
        "Active Directory is asked without a login (played)",
        (Stage.PERMISSION, Reason.AUTH, "1"),
        _played(_LET_IN + _result(_SEARCHED, 1, _LOGIN_FIRST, number=3)),
        hint="The server takes no anonymous login, or this account has no password: "
        "give bind_dn and password.",
    ),
    Fault(
        "the server sends more entries than it was asked for (played)",
        (Stage.PERMISSION, Reason.PROTOCOL, "TOO_MANY_ENTRIES"),
        _played(_LET_IN + 2 * _message(3, b"\x64\x04\x04\x00\x30\x00")),
        hint="Narrow the filter: this server keeps no limit that a search asks for.",
    ),
    Fault(
        "an answer is too large to be read (played)",
        (Stage.PERMISSION, Reason.PROTOCOL, "TOO_LARGE"),
        _played(_LET_IN + b"\x30\x83\x04\x00\x01"),
        hint="Look for a value by `filter`, such as (memberUid=app), not by `attribute`.",
    ),
    Fault(
        "something is said behind the consent to StartTLS, before TLS begins (played)",
        (Stage.TLS, Reason.TLS, "SAID_BEFORE_TLS"),
        _played(_result(_EXTENDED, 0, number=1) + _LET_IN, start_tls=True),
        hint="It speaks no TLS on that port; or somebody in between puts in words of his own.",
    ),
    Fault(
        "something else listens on the port",
        (Stage.AUTH, Reason.PROTOCOL, "NOT_LDAP"),
        asking("nginx", lambda server: {"url": f"ldap://127.0.0.1:{server.port}"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
)
