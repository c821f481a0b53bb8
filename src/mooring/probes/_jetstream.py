"""What services on NATS, JetStream above all, are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.probes._nats import NO_RESPONDERS, Message, Nats

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
    state = _read(await session.request(f"{API}.STREAM.INFO.{name}", inbox=inbox)).get("state", {})
    words = {"messages": "messages", "bytes": "stream_bytes", "consumer_count": "consumers"}
    return {new: float(state[old]) for old, new in words.items() if old in state}


def _read(answer: Message) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.payload)
        error = found.get("error")
    except (ValueError, AttributeError):
        raise CheckError(
            Reason.PROTOCOL, Prose("the answer makes no sense as JetStream's"), code="UNREADABLE"
        ) from None
    if error:
        raise _refused(int(error.get("err_code", 0)), str(error.get("description", "")))
    return dict(found)


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
    limits = account.get("limits", {})
    found = {
        "memory_used_bytes": account.get("memory"),
        "memory_max_bytes": limits.get("max_memory"),
        "storage_used_bytes": account.get("storage"),
        "storage_max_bytes": limits.get("max_storage"),
        "streams": account.get("streams"),
    }
    return {name: float(value) for name, value in found.items() if value is not None and value >= 0}


def warnings(account: Mapping[str, Any], part: float) -> Iterator[str]:
    """Yield what of an account's limits is nearly used up."""
    found = numbers(account)
    for what in ("memory", "storage"):
        used, most = found.get(f"{what}_used_bytes", 0), found.get(f"{what}_max_bytes", 0)
        if most and used >= part * most:
            yield Prose("{share} of JetStream's {what} is used", share=f"{used / most:.0%}", what=what)
