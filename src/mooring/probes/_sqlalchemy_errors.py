"""What an error of any DBAPI means: by its SQLSTATE or number, then by its words, then by its class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mooring.core.failure import Cause
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.probes import _mysql, _postgresql
from mooring.probes._dialects import MYSQL, POSTGRESQL

CONNECTION_LOST = "CONNECTION_LOST"
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_PLACE = re.compile(
    r'connection (?:failed: connection )?to server at "[^"]*"(?: \([^)]*\))?, port \d+ failed: '
)
_MORE = re.compile(r" (?:DETAIL|HINT|CONTEXT): ")
_FATAL = re.compile(r"(?:FATAL|ERROR): +(.*)")

# libpq gives no SQLSTATE for a connection that failed, only the server's words.
_STATES = (
    (re.compile(r"password authentication failed|SASL authentication failed|no password supplied"), "28P01"),
    (re.compile(r"no pg_hba\.conf entry|not permitted to log in|^role .* does not exist"), "28000"),
    (re.compile(r"authentication failed"), "28000"),
    (re.compile(r"^database .* does not exist"), "3D000"),
    (re.compile(r"permission denied for database"), "42501"),
    (re.compile(r"not currently accepting connections"), "55000"),
    (re.compile(r"too many (?:clients|connections)|remaining connection slots"), "53300"),
    (re.compile(r"starting up|shutting down|recovery mode|not yet accepting"), "57P03"),
    (re.compile(r"terminating connection"), "57P01"),
)
_TLS = (
    (re.compile(r"does not support SSL"), "TLS_NOT_OFFERED", Prose("Switch TLS on in the server.")),
    (
        re.compile(r"certificate verify failed|root certificate|local issuer|certificate has expired"),
        "CERT_INVALID",
        Prose(
            "It has expired, or its issuer is not the one that the address names: the driver does not tell "
            "which. The kind tls does."
        ),
    ),
    (
        re.compile(r"does not match host name|[Hh]ostname mismatch|IP address mismatch"),
        "CERT_HOST_MISMATCH",
        Prose("Use a host name that the certificate carries."),
    ),
    (re.compile(r"\bSSL (?:error|connection)|\bTLS\b.*(?:fail|error)"), "TLS", None),
)
_FOREIGN = re.compile(
    r"invalid response to SSL negotiation|(?:expected|invalid) authentication request|Protocol"
)
_NO_MYSQL = "Packet sequence number wrong"
"""What PyMySQL calls most greetings of something else."""
_CUT = re.compile(
    r"server closed the connection|connection (?:was |is )?(?:reset|closed|lost)|EOF (?:detected|occurred)"
    r"|unexpected eof|SYSCALL error|consuming input failed|Broken pipe",
    re.IGNORECASE,
)

# What is said in all languages of warehouses, most telling first. A name that somebody gave a table is
# left out where it is quoted, and holds no space where it is not: so words that a name may be come last.
_PLAIN = (
    (r"connection refused|actively refused|no listener", Reason.REFUSED),
    (r"name or service not known|could not translate host|getaddrinfo|name resolution", Reason.DNS),
    (r"no route to host|(?:network|host) is unreachable|max retries exceeded", Reason.NETWORK),
    (r"timed out|timeout expired|deadline exceeded", Reason.TIMEOUT),
    (r"cannot open database .*requested by the login", Reason.NOT_FOUND),
)
_LOGIN = (
    r"ORA-01017|(?:authentication|auth|log[io]n) (?:has )?failed|failed to (?:authenticate|log ?in)"
    r"|access denied for user(?!.* to database)|invalid (?:credentials|authorization specification)"
    r"|(?:incorrect|invalid|wrong|bad) (?:user ?name|user|login)?(?:/| or |, )?password|unauthori[sz]ed"
    r"|could not authenticate|not authenticated|(?:token|password) (?:has |is )?(?:expired|invalid)"
    r"|no credentials|default credentials were not found|invalid (?:access |oauth )?token"
)
_NAMED = (
    (
        r"(?:permission|access) (?:was )?denied|not have permission|insufficient priv|ORA-01031",
        Reason.PERMISSION,
    ),
    (r"not exist|not found|unknown|no such|invalid object|ORA-00942", Reason.NOT_FOUND),
    (r"(?:could not|cannot|failed to|unable to) (?:connect|establish)", Reason.NETWORK),
    (r"permission|privilege|not authori[sz]ed|forbidden", Reason.PERMISSION),
    (r"too many|quota|exceed|throttl|capacity", Reason.OVERLOADED),
    (r"timed? ?out|timeout", Reason.TIMEOUT),
    (r"syntax|parse error|compilation error", Reason.CONFIG),
)
_QUOTED = re.compile(r"""(['"`])[^\s'"`]*\1""")
"""Whatever stands in quotes and could be a name."""
_CLASSES: Mapping[str, Reason] = {
    "28": Reason.AUTH,
    "42501": Reason.PERMISSION,
    "3D": Reason.NOT_FOUND,
    "42S02": Reason.NOT_FOUND,
    "42P01": Reason.NOT_FOUND,
    "53": Reason.OVERLOADED,
    "57": Reason.UNAVAILABLE,
    "HYT": Reason.TIMEOUT,
    "22": Reason.ASSERTION,
}
_CONNECTION = "08"
"""Class of SQLSTATEs of connections; some drivers have it for refused logins as well."""
_KINDS: Mapping[str, Reason] = {
    "ProgrammingError": Reason.CONFIG,
    "DataError": Reason.ASSERTION,
    "IntegrityError": Reason.ASSERTION,
    "OperationalError": Reason.UNAVAILABLE,
    "NotSupportedError": Reason.PROTOCOL,
    "InterfaceError": Reason.PROTOCOL,
    "InternalError": Reason.UNAVAILABLE,
}
_HINTS = {
    Reason.AUTH: Prose("The service answers and rejects the login: compare it with the account's."),
    Reason.PERMISSION: Prose("Grant the account what it lacks."),
    Reason.NOT_FOUND: Prose("Correct the name, or create what is missing."),
    Reason.CONFIG: Prose("Correct the target's query: the service cannot read it."),
}


class Asked(NamedTuple):
    """What is asked, and by whom, for fixes that can be pasted."""

    dialect: str
    user: str
    database: str
    connecting: bool = True
    """Whether we are still logging in: a query is never told as a login that is refused."""


def cause(original: BaseException, asked: Asked) -> Cause:
    """Return what an error of a DBAPI means."""
    known = _cause(original, asked)
    if known.reason is not Reason.AUTH or asked.connecting:
        return known
    return Cause(Reason.PERMISSION, known.code, known.message, _HINTS[Reason.PERMISSION])


def _cause(original: BaseException, asked: Asked) -> Cause:
    text = _PLACE.sub("", " ".join(str(original).split()))
    known = None
    if asked.dialect in POSTGRESQL:
        known = _of_postgresql(original, text, asked)
    elif asked.dialect in MYSQL:
        known = _of_mysql(original, asked)
    bare = _QUOTED.sub("", text)
    if known is None and _CUT.search(bare):
        known = Cause(Reason.NETWORK, CONNECTION_LOST, text)
    return known or _secured(text) or _of_any(original, text, _reason_in(bare, connecting=asked.connecting))


def _of_postgresql(original: Any, text: str, asked: Asked) -> Cause | None:
    state = _state_of(original)
    fatal = _FATAL.search(text)
    said = _MORE.split(fatal[1] if fatal else text)[0]
    if state is None:
        state = next((known for pattern, known in _STATES if pattern.search(said)), None)
    if state is None:
        return Cause(Reason.PROTOCOL, "NOT_POSTGRESQL", text) if _FOREIGN.search(text) else None
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    return _postgresql.cause(state, primary or said, _postgresql.Login(asked.user, asked.database))


def _of_mysql(original: Any, asked: Asked) -> Cause | None:
    number = next(iter(original.args), None)
    if isinstance(number, str) and number.startswith(_NO_MYSQL):
        return Cause(Reason.PROTOCOL, "NOT_MYSQL", number)
    if not isinstance(number, int) or number == 0:
        return None
    message = " ".join(" ".join(map(str, original.args[1:])).split())
    if number in _mysql.LOST:
        return Cause(Reason.NETWORK, CONNECTION_LOST, message)
    return _mysql.cause(number, message, _mysql.Login(asked.user, asked.database))


def _secured(text: str) -> Cause | None:
    """Return the failure of a handshake, which these drivers make by themselves."""
    for pattern, code, hint in _TLS:
        if pattern.search(text):
            return Cause(Reason.TLS, code, text, hint, stage=Stage.TLS)
    return None


def _reason_in(bare: str, *, connecting: bool) -> Reason | None:
    """Return what words mean that hold no quoted names."""
    login = ((_LOGIN, Reason.AUTH),) if connecting else ()
    words = (*_PLAIN, *login, *_NAMED)
    return next((reason for words, reason in words if re.search(words, bare, re.IGNORECASE)), None)


def _of_any(original: Any, text: str, said: Reason | None) -> Cause:
    state = _state_of(original)
    numbers = [getattr(original, name, None) for name in ("sqlite_errorname", "errno", "code")]
    own = next((value for value in numbers if value and isinstance(value, int | str)), None)
    code = state or (str(own) if own else type(original).__name__)
    reason = next((known for start, known in _CLASSES.items() if state and state.startswith(start)), said)
    if reason is None and state and state.startswith(_CONNECTION):
        reason = Reason.NETWORK
    if reason is None:
        classes = [each.__name__ for each in type(original).__mro__]
        reason = next((known for name, known in _KINDS.items() if name in classes), Reason.UNAVAILABLE)
    return Cause(reason, code, text, _HINTS.get(reason))


def _state_of(original: Any) -> str | None:
    """Return the SQLSTATE, under whichever name a driver has it; ODBC's comes first in its words."""
    first = next(iter(original.args), None)
    for found in (getattr(original, "sqlstate", None), getattr(original, "pgcode", None), first):
        if isinstance(found, str) and _SQLSTATE.fullmatch(found) and any(map(str.isdigit, found)):
            return found
    return None
