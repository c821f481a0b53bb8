"""From any error to the one reason."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Iterator

from mooring.core.failure import Cause, CheckError, Failure
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.faults import cause_of
from mooring.net.trail import Trail
from mooring.probes import Probe

log = logging.getLogger(__name__)

LONGEST_FIX = 1000

_HINTS = {
    Reason.TIMEOUT: Prose(
        "Nothing came back in time: a firewall that drops packets, or a service that hangs."
    ),
    Reason.REFUSED: Prose("The machine is there: is the service running, and is the port right?"),
    Reason.NETWORK: Prose("Check the way there: routes, firewalls, and whatever stands in between."),
    Reason.DNS: Prose("Check the host's spelling and this machine's name server."),
    Reason.INTERNAL: Prose(
        "This is a fault in Mooring, not in the target; please report it with this message."
    ),
    Reason.UNAVAILABLE: Prose("The service says that it is not ready: starting, stopping or overwhelmed."),
    Reason.OVERLOADED: Prose("The service has no room for another client."),
    Reason.PROTOCOL: Prose(
        "Something else may listen on that port: compare the address with the service's own."
    ),
}


def failure_of(error: Exception, probe: Probe, trail: Trail) -> Failure:
    """Explain an error: the probe first, then the standard table, over its causes and group leaves.

    The message is not yet redacted, nor cut.
    """
    stage = trail.failed or trail.running
    for each in _chain(error):
        cause = _cause(each, probe)
        if cause is not None:
            return _failure(cause, each, stage)
    cause = _unreadable(error, probe, stage) or Cause(Reason.INTERNAL, type(error).__name__)
    return _failure(cause, error, stage)


def _cause(error: BaseException, probe: Probe) -> Cause | None:
    if isinstance(error, CheckError):
        return error.cause
    if isinstance(error, ModuleNotFoundError):  # before the probe, which would need the driver to tell
        return _driver_missing(error, probe)
    known = _explained(error, probe) if isinstance(error, Exception) else None
    return Cause(known) if isinstance(known, Reason) else known or cause_of(error)


def _explained(error: Exception, probe: Probe) -> Reason | Cause | None:
    """Ask the probe. One that fails at explaining must not hide the error that it was asked about."""
    try:
        return probe.reason(error)
    except Exception as fault:  # its text may hold secrets
        log.warning("%s failed with %s at explaining %r", probe.kind, type(fault).__name__, type(error))
        return None


def _unreadable(error: Exception, probe: Probe, stage: Stage | None) -> Cause | None:
    """Explain a driver that stumbled over what it read; an error in our own code, or the kind's, is ours."""
    if probe.local or stage not in _ANSWERED or not isinstance(error, _STUMBLED):
        return None
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    ours = ("", "mooring", type(probe).__module__.partition(".")[0])
    if raised_in.partition(".")[0] in ours and not isinstance(error, RecursionError):
        return None
    return Cause(Reason.PROTOCOL, "UNREADABLE", f"the answer makes no sense: {_text(error)}")


_ANSWERED = frozenset({Stage.PROTOCOL, Stage.AUTH, Stage.PERMISSION, Stage.FUNCTION})
_STUMBLED = (
    ValueError,
    LookupError,
    AssertionError,
    BufferError,
    RecursionError,  # wherever it strikes: answers nest that deep, our own code does not
    asyncio.LimitOverrunError,
    struct.error,
)


def _driver_missing(error: ModuleNotFoundError, probe: Probe) -> Cause:
    return Cause(
        Reason.DRIVER,
        "DRIVER_MISSING",
        Prose("the driver {driver} is not installed", driver=error.name),
        Prose("Install the driver where Mooring runs, and start Mooring anew."),
        fix=f"pip install 'mooring[{probe.extra}]'" if probe.extra else f"pip install {error.name}",
    )


def _failure(cause: Cause, error: BaseException, stage: Stage | None) -> Failure:
    return Failure(
        reason=cause.reason,
        stage=cause.stage or stage,
        code=cause.code or type(error).__name__,
        message=cause.message or _text(error),
        hint=cause.hint or _hint(cause.reason, cause.stage or stage, cause.code),
        fix=cause.fix if cause.fix and _can_be_pasted(cause.fix) else None,
    )


def _can_be_pasted(fix: str) -> bool:
    """Whether a line does what it seems to do: parts of it may come from a server's message."""
    return fix.isprintable() and len(fix) <= LONGEST_FIX


def _hint(reason: Reason, stage: Stage | None, code: str | None) -> Prose | None:
    if stage is Stage.TLS and reason in _NO_HANDSHAKE:
        return Prose(
            "Something accepts connections and shakes no hands: it may not speak TLS on that port, or hang."
        )
    if reason is Reason.NETWORK and stage in _ANSWERED and code not in _NO_WAY:
        return Prose(
            "The peer hung up: it may speak TLS or something else on that port, or a proxy cuts connections."
        )
    return _HINTS.get(reason)


_NO_WAY = frozenset({"EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN", "EACCES"})
_NO_HANDSHAKE = frozenset({Reason.TIMEOUT, Reason.NETWORK})


def _text(error: BaseException) -> str:
    """Return what an error says; a bare type name is better than an empty line."""
    return " ".join(str(error).split()) or type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, the leaves of a group, then what caused it, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, BaseExceptionGroup):
            waiting = [*each.exceptions, *waiting]
        else:
            yield each
        before = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        if before is not None:
            waiting.append(before)
