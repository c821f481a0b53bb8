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
_FOREIGN = re.compile(r"invalid response to SSL negotiation|expected authentication request|Protocol")
_CUT = re.compile(
    r"server closed the connection|connection (?:was |is )?(?:reset|closed|lost)|EOF|unexpected eof|SYSCALL"
    r"|consuming input failed|Broken pipe",
    re.IGNORECASE,
)

# What is said in all languages of warehouses, most telling first.
_WORDS = tuple(
    (re.compile(words, re.IGNORECASE), reason)
    for words, reason in (
        (r"password|authenticat|credential|log[io]n|unauthori[sz]ed|ORA-01017|18456", Reason.AUTH),
        (r"permission|privilege|not authori[sz]ed|access denied|ORA-01031|forbidden", Reason.PERMISSION),
        (r"does not exist|not exist|not found|unknown|no such|invalid object|ORA-00942", Reason.NOT_FOUND),
        (r"too many|quota|exceed|throttl|capacity", Reason.OVERLOADED),
        (r"timed? ?out|timeout", Reason.TIMEOUT),
        (r"syntax|parse error|compilation error", Reason.CONFIG),
    )
)
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


def cause(original: BaseException, asked: Asked) -> Cause:
    """Return what an error of a DBAPI means."""
    text = _PLACE.sub("", " ".join(str(original).split()))
    known = None
    if asked.dialect in POSTGRESQL:
        known = _of_postgresql(original, text, asked)
    elif asked.dialect in MYSQL:
        known = _of_mysql(original, asked)
    if known is None and _CUT.search(text):
        known = Cause(Reason.NETWORK, CONNECTION_LOST, text)
    return known or _secured(text) or _of_any(original, text)


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


def _of_any(original: Any, text: str) -> Cause:
    kind = type(original).__name__
    state = _state_of(original)
    numbers = [getattr(original, name, None) for name in ("sqlite_errorname", "errno", "code")]
    own = next((value for value in numbers if value and isinstance(value, int | str)), None)
    code = state or (str(own) if own else kind)
    reason = next((known for start, known in _CLASSES.items() if state and state.startswith(start)), None)
    if reason is None:
        reason = next((known for pattern, known in _WORDS if pattern.search(text)), None)
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
