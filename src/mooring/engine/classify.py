"""From any error to the one reason."""

from __future__ import annotations

from collections.abc import Iterator

from mooring.core.failure import Cause, CheckError, Failure
from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.net.faults import cause_of
from mooring.net.trail import Trail
from mooring.probes import Probe

LONGEST_MESSAGE = 2000

_HINTS = {
    Reason.TIMEOUT: "Nothing came back in time: a firewall that drops packets, or a service that hangs.",
    Reason.REFUSED: "The machine answers but nothing listens on the port: is the service running, and is the port right?",
    Reason.NETWORK: "Check the way there: routes, firewalls, and whatever stands in between.",
    Reason.DNS: "Check the host's spelling and this machine's name server.",
    Reason.INTERNAL: "This is a fault in Mooring, not in the target; please report it with this message.",
    Reason.UNAVAILABLE: "The service says that it is not ready: starting, stopping or overwhelmed.",
    Reason.OVERLOADED: "The service has no room for another client.",
    Reason.PROTOCOL: "Something else may be listening on that port: compare the address with the service's own.",
}


def failure_of(error: Exception, probe: Probe, trail: Trail) -> Failure:
    """Explain an error: the probe first, then the standard table, over its causes and group leaves.

    The message is not yet redacted.
    """
    stage = trail.failed or trail.running
    for each in _chain(error):
        cause = _cause(each, probe)
        if cause is not None:
            return _failure(cause, each, stage)
    return _failure(Cause(Reason.INTERNAL, type(error).__name__), error, stage)


def _cause(error: BaseException, probe: Probe) -> Cause | None:
    if isinstance(error, CheckError):
        return error.cause
    known = probe.reason(error) if isinstance(error, Exception) else None
    if isinstance(known, Reason):
        return Cause(known)
    if known is None and isinstance(error, ModuleNotFoundError):
        install = f"pip install 'mooring[{probe.extra}]'" if probe.extra else f"pip install {error.name}"
        return Cause(
            Reason.DRIVER,
            "DRIVER_MISSING",
            f"the driver {error.name} is not installed",
            f"Install it: {install}",
        )
    return known or cause_of(error)


def _failure(cause: Cause, error: BaseException, stage: Stage | None) -> Failure:
    text = cause.message or _text(error)
    return Failure(
        reason=cause.reason,
        stage=cause.stage or stage,
        code=cause.code or type(error).__name__,
        message=text[:LONGEST_MESSAGE],
        hint=cause.hint or _HINTS.get(cause.reason),
    )


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
