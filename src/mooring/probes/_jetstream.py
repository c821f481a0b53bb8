"""What services on NATS, JetStream above all, are asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.probes._nats import NO_RESPONDERS, Message, Nats, read, unreadable

API = "$JS.API"
_NOT_ENABLED = 10039  # for this account
_NO_SUCH_STREAM = 10059


async def ask(session: Nats, subject: str, inbox: str) -> Message:
    """Return a service's answer. Raises CheckError(not_found) where nobody listens."""
    answer = await session.request(subject, inbox=inbox)
    if answer.status == NO_RESPONDERS:
        raise CheckError(
            Reason.NOT_FOUND,
            Prose("nobody listens to {subject}", subject=subject),
            code="NO_RESPONDERS",
            hint=Prose("Start the service, or compare the subject and the account with its own."),
        )
    return answer


async def account(session: Nats, inbox: str) -> Mapping[str, Any]:
    """Return how JetStream is used by the account. Raises CheckError where there is none."""
    answer = await session.request(f"{API}.INFO", inbox=inbox)
    if answer.status == NO_RESPONDERS:
        raise _without_jetstream(Prose("the server runs without JetStream"))
    return _read(answer)


async def stream(session: Nats, name: str, inbox: str) -> dict[str, float]:
    """Return what a stream holds. Raises CheckError(not_found) where there is none."""
    state = _part(_read(await session.request(f"{API}.STREAM.INFO.{name}", inbox=inbox)), "state")
    words = {"messages": "messages", "bytes": "stream_bytes", "consumer_count": "consumers"}
    return _numbers({new: state.get(old) for old, new in words.items()})


def _read(answer: Message) -> Mapping[str, Any]:
    found = read(answer.payload)
    if found.get("error") is not None:
        error = _part(found, "error")
        code = _numbers({"code": error.get("err_code", 0)}).get("code", 0)
        raise _refused(int(code), str(error.get("description", "")))
    return found


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object inside an answer, empty where it is not given."""
    part = whole.get(name, {})
    if not isinstance(part, dict):
        raise unreadable(repr(part).encode())
    return part


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    """Return what is given as a number, and no limit, which is -1."""
    given = {name: value for name, value in found.items() if value is not None}
    for value in given.values():
        if not isinstance(value, int | float) or not -1 <= value <= sys.float_info.max:
            raise unreadable(repr(value).encode())
    return {name: float(value) for name, value in given.items() if value >= 0}


def _refused(code: int, text: str) -> CheckError:
    if code == _NOT_ENABLED:
        return _without_jetstream(Prose("JetStream is off for this account: {text}", text=text))
    if code == _NO_SUCH_STREAM:
        return CheckError(
            Reason.NOT_FOUND,
            Prose("there is no such stream: {text}", text=text),
            code="NO_SUCH_STREAM",
            hint=Prose("Who uses the stream has to add it first; or it is of another account or domain."),
            fix="nats stream ls",
        )
    return CheckError(
        Reason.ASSERTION, Prose("JetStream says: {text}", text=text or code), code=f"JETSTREAM_{code}"
    )


def _without_jetstream(message: Prose) -> CheckError:
    return CheckError(
        Reason.NOT_FOUND,
        message,
        code="NO_JETSTREAM",
        hint=Prose("Switch JetStream on in the server's configuration, for this account as well."),
        fix="jetstream: enabled",
    )


def numbers(account: Mapping[str, Any]) -> dict[str, float]:
    """Return what is to be charted of an account; a limit of -1 is none."""
    limits = _part(account, "limits")
    return _numbers(
        {
            "memory_used_bytes": account.get("memory"),
            "memory_max_bytes": limits.get("max_memory"),
            "storage_used_bytes": account.get("storage"),
            "storage_max_bytes": limits.get("max_storage"),
            "streams": account.get("streams"),
        }
    )


def warnings(account: Mapping[str, Any], part: float) -> Iterator[str]:
    """Yield what of an account's limits is nearly used up."""
    found = numbers(account)
    for what in ("memory", "storage"):
        used, most = found.get(f"{what}_used_bytes", 0), found.get(f"{what}_max_bytes", 0)
        if most and used >= part * most:
            yield Prose("{share} of JetStream's {what} is used", share=f"{used / most:.0%}", what=what)
