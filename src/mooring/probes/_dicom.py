"""What DICOM peers say when they refuse, in words: rejected and aborted associations, contexts, statuses."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import NamedTuple

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.stage import Stage

NOBODY = "2.25.302115361513713012205118063466180012909"
"""A UID of our own that no study, and no patient, has."""
LONGEST_TITLE = 16
ABSENT = -1
"""Result of a presentation context that the peer says nothing of."""
TRANSIENT = 2
_USER, _PROVIDER = 0, 2
_CALLING, _CALLED = (1, 3), (1, 7)


class Service(StrEnum):
    """What is asked of a peer."""

    ECHO = "C-ECHO"
    FIND = "C-FIND"


class Titles(NamedTuple):
    """The two AE titles, and the address from which the peer sees us come."""

    calling: str
    called: str
    own_address: str

    @property
    def line(self) -> str:
        """What registers us with an Orthanc, as it stands in its DicomModalities."""
        return f"{json.dumps(self.calling)}: {json.dumps([self.calling, self.own_address, 104])}"


def title(text: str, field: str) -> str:
    """Return an AE title without the spaces around it, which mean nothing. Raises ValueError."""
    text = text.strip(" ")
    if not 1 <= len(text) <= LONGEST_TITLE:
        raise ValueError(f"{field}: an AE title has 1 to {LONGEST_TITLE} characters, this one {len(text)}")
    if any(not " " <= c <= "~" or c == "\\" for c in text):
        raise ValueError(
            f"{field}: an AE title holds ASCII letters, digits, spaces and signs, and no backslash"
        )
    return text


_UNDEFINED = Prose("for a reason that DICOM does not define")
_RESULTS = {1: Prose("permanently"), 2: Prose("for now")}
_REJECTIONS: dict[tuple[int, int], tuple[Reason, str, Prose]] = {
    (1, 1): (Reason.AUTH, "REJECTED", Prose("no reason given by its application")),
    (1, 2): (Reason.PROTOCOL, "APPLICATION_CONTEXT", Prose("it does not know DICOM's application context")),
    _CALLING: (Reason.AUTH, "CALLING_AE_UNKNOWN", Prose("calling AE title not recognised")),
    _CALLED: (Reason.NOT_FOUND, "CALLED_AE_UNKNOWN", Prose("called AE title not recognised")),
    (2, 1): (Reason.UNAVAILABLE, "REJECTED", Prose("no reason given by its association service")),
    (2, 2): (Reason.PROTOCOL, "PROTOCOL_VERSION", Prose("it does not speak our version of the protocol")),
    (3, 1): (Reason.OVERLOADED, "CONGESTED", Prose("temporary congestion")),
    (3, 2): (Reason.OVERLOADED, "TOO_MANY_ASSOCIATIONS", Prose("its limit of associations is reached")),
}
_REGISTER = Prose(
    "Register calling AE title {calling}, coming from {address}, on the peer; the line is for an Orthanc's"
    " DicomModalities."
)
_REJECTION_HINTS = {
    (1, 1): Prose(
        "The peer says no more than no: look into its log, and whether it knows calling AE title {calling},"
        " coming from {address}."
    ),
    _CALLING: _REGISTER,
    _CALLED: Prose(
        "Put the peer's own AE title before the @ of the address, where it is {called} now."
        " DCMTK says the same where it does not know calling AE title {calling}."
    ),
    (3, 2): Prose("Raise the peer's limit of associations, or find who keeps them open."),
}


def rejected(told: tuple[int, ...], titles: Titles) -> CheckError:
    """Return the error for an A-ASSOCIATE-RJ, told by its result, source and reason."""
    result, *why = told
    source, number = why
    place = (source, number)
    reason, code, words = _REJECTIONS.get(place, (Reason.UNAVAILABLE, "REJECTED", _UNDEFINED))
    if result == TRANSIENT and reason is not Reason.OVERLOADED:
        reason = Reason.UNAVAILABLE
    message = Prose(
        "the peer rejects the association {how}: {words} (result {result}, source {source}, reason {number})",
        how=_RESULTS.get(result, Prose("in an undefined way")),
        words=words,
        result=result,
        source=source,
        number=number,
    )
    hint = _REJECTION_HINTS.get(place)
    fix = titles.line if place == _CALLING else None
    filled = hint and hint.filled(calling=titles.calling, called=titles.called, address=titles.own_address)
    return CheckError(reason, message, code=code, hint=filled, fix=fix, stage=Stage.AUTH)


_ABORTS = {
    0: Prose("no reason given"),
    1: Prose("it does not know what we sent"),
    2: Prose("it did not expect what we sent"),
    4: Prose("it does not know a parameter of ours"),
    5: Prose("it did not expect a parameter of ours"),
    6: Prose("a parameter of ours has a wrong value"),
}


def aborted(told: tuple[int, int], titles: Titles, service: Service | None = None) -> CheckError:
    """Return the error for an A-ABORT, told by its source and reason, in answer to a request or `service`.

    Many peers, Orthanc among them, accept whoever calls, and abort at the first request that is not
    allowed: that their application did it, and after accepting, is all that tells it from a breakdown.
    """
    source, number = told
    if source == _USER and service is not None:
        return _forbidden(service, titles)
    what = service or Prose("the association")
    message = Prose(
        "the peer aborts {what}: {words} (source {source}, reason {number})",
        what=what,
        words=_ABORTS.get(number, _UNDEFINED),
        source=source,
        number=number,
    )
    reason = Reason.PROTOCOL if source == _PROVIDER and number in _ABORTS and number else Reason.UNAVAILABLE
    hint = Prose("Look into the peer's log: it knows why it gave up.")
    return CheckError(reason, message, code="ABORTED", hint=hint)


def _forbidden(service: Service, titles: Titles) -> CheckError:
    hint = Prose(
        "Register calling AE title {calling}, coming from {address}, on the peer, with the right to"
        " {service}; the line is for an Orthanc's DicomModalities. If it is registered there, see that its"
        " {allow} is not false, and look into the peer's log.",
        calling=titles.calling,
        address=titles.own_address,
        service=service,
        allow=f"Allow{service.name.capitalize()}",
    )
    message = Prose(
        "the peer accepts the association, and aborts it at the {service}: calling AE title {calling} is"
        " probably not allowed to",
        service=service,
        calling=titles.calling,
    )
    code = f"{service.name}_ABORTED"
    return CheckError(
        Reason.PERMISSION, message, code=code, hint=hint, fix=titles.line, stage=Stage.PERMISSION
    )


_CONTEXTS = {
    1: Prose("rejected by its user"),
    2: Prose("no reason given"),
    3: Prose("it does not offer that service here"),
    4: Prose("it takes none of our transfer syntaxes"),
    ABSENT: Prose("it says nothing of it"),
}


def unacceptable(service: Service, result: int, titles: Titles) -> CheckError:
    """Return the error for a service that the peer left out when it accepted the association."""
    message = Prose(
        "the peer accepts the association, but not {service}: {words}",
        service=service,
        words=_CONTEXTS.get(result, _UNDEFINED),
    )
    hint = Prose(
        "Allow {service} to calling AE title {calling} on the peer, or ask the AE and port that offer it.",
        service=service,
        calling=titles.calling,
    )
    code = f"{service.name}_NOT_ACCEPTED"
    return CheckError(Reason.PERMISSION, message, code=code, hint=hint, stage=Stage.PERMISSION)


_STATUSES: dict[int, tuple[Reason, Prose]] = {
    0x0110: (Reason.UNAVAILABLE, Prose("it failed at processing it")),
    0x0122: (Reason.PERMISSION, Prose("it does not support that service")),
    0x0124: (Reason.PERMISSION, Prose("we are not authorised to")),
    0x0210: (Reason.PROTOCOL, Prose("it knows the message's number already")),
    0x0211: (Reason.PROTOCOL, Prose("it does not know that operation")),
    0x0212: (Reason.PROTOCOL, Prose("it takes it for mistyped")),
    0x0213: (Reason.OVERLOADED, Prose("it is out of resources")),
    0xA700: (Reason.OVERLOADED, Prose("it is out of resources")),
    0xA900: (Reason.ASSERTION, Prose("the keys do not fit that level")),
    0xC000: (Reason.UNAVAILABLE, Prose("it is unable to process it")),
}
_STATUS_HINTS = {
    Reason.PERMISSION: Prose("Allow {service} to calling AE title {calling} on the peer."),
    Reason.ASSERTION: Prose(
        "Compare find and find_keys with what the peer's conformance statement asks for."
    ),
    Reason.UNAVAILABLE: Prose("Look into the peer's log: its database or its disk may be at fault."),
    Reason.OVERLOADED: Prose(
        "The peer says that it has no room for this now: look at its load and its disk."
    ),
}


def failed(service: Service, status: int, titles: Titles) -> CheckError:
    """Return the error for a status that a service ended with and that means no success."""
    # Of some statuses only the first digits count; the rest is the vendor's.
    known = next((s for s in (status, status & 0xFF00, status & 0xF000) if s in _STATUSES), None)
    reason, words = _STATUSES.get(
        known or 0, (Reason.ASSERTION, Prose("a status that DICOM does not define"))
    )
    message = Prose(
        "the peer answers {service} with status 0x{status}: {words}",
        service=service,
        status=f"{status:04X}",
        words=words,
    )
    hint = _STATUS_HINTS.get(reason)
    return CheckError(
        reason,
        message,
        code=f"{service.name}_{status:04X}",
        hint=hint and hint.filled(service=service, calling=titles.calling),
        stage=Stage.PERMISSION if reason is Reason.PERMISSION else None,
    )
