"""What DICOMweb servers answer: DICOM's JSON, or why not. Nothing of what they hold is ever quoted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeAlias

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.stage import Stage
from mooring.net.http import Response
from mooring.probes._http import refusal, spoken

STUDY_UID, SERIES_UID, INSTANCE_UID = "0020000D", "0020000E", "00080018"
BOUNDARY = "mooring"
NOTHING = f"--{BOUNDARY}--\r\n".encode()
"""A multipart body without parts: who may store is told that there is nothing, and who may not that."""
NOTHING_TYPE = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
JSON_TYPE = "application/dicom+json"
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_UID = re.compile(r"[0-9][0-9.]{0,63}")
_HTML = (b"<!doctype", b"<html", b"<head", b"<body")

Found: TypeAlias = Sequence[Mapping[str, Any]]


class Service(StrEnum):
    """What is asked of a server."""

    SEARCH = "QIDO-RS"
    RETRIEVE = "WADO-RS"
    STORE = "STOW-RS"


_DOES = {
    Service.SEARCH: Prose("search for studies"),
    Service.RETRIEVE: Prose("retrieve"),
    Service.STORE: Prose("store"),
}
_WRONG_PATH = Prose(
    "Compare the path with the server's own: it is /dicom-web on an Orthanc, /dcm4chee-arc/aets/AET/rs on a"
    " dcm4chee; where searching has a path of its own, set qido_prefix."
)
_NO_SEARCH = Prose("Something answers there that takes no search for studies: compare the path.")
_UNSPOKEN = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    }
)
_NO_SUCH_SERVICE = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)
_TAKEN = frozenset({200, 202, 204, 400, 409, 411, 415, 422})
"""What a server answers that would have stored, had there been something."""
_HINTS = {
    HTTPStatus.NOT_FOUND: _WRONG_PATH,
    HTTPStatus.GONE: _WRONG_PATH,
    HTTPStatus.FORBIDDEN: Prose("Grant whoever asks the right to search for studies (QIDO-RS)."),
}


def studies_in(response: Response) -> Found:
    """Return the studies that a search found. Raises CheckError where it did not search."""
    status = response.status
    if status == HTTPStatus.NO_CONTENT:
        return ()
    if status == HTTPStatus.OK:
        return objects_in(response)
    message = Prose("the server answers a search for studies with {status}", status=spoken(status))
    if status in _UNSPOKEN:
        raise CheckError(Reason.PROTOCOL, message, code=f"HTTP_{status}", hint=_NO_SEARCH)
    hint = _HINTS.get(HTTPStatus(status)) if status in set(HTTPStatus) else None
    if status // 100 == 3:  # noqa: PLR2004 - what it is in HTTP
        there = cut((response.header("location") or "").partition("?")[0], 200)
        hint = Prose("It points to {there}: write that address, or have the login let through.", there=there)
    raise Refused(status, message, hint)


class Refused(Exception):  # noqa: N818 - it never leaves the kind
    """A status that means what it means everywhere in HTTP, which depends on the login."""

    def __init__(self, status: int, message: Prose, hint: Prose | None) -> None:
        super().__init__(message)
        self.status, self.message, self.hint = status, message, hint


def objects_in(response: Response) -> Found:
    """Return the objects of an answer. Raises CheckError(protocol) where it is no DICOM JSON."""
    body = response.plain_body()
    kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml") or body.lstrip()[:9].lower().startswith(_HTML):
        raise CheckError(
            Reason.PROTOCOL,
            Prose("the server answers with an HTML page instead of DICOM's JSON"),
            code="HTML",
            hint=Prose(
                "A viewer or a sign-in page answers there: compare the path, and what stands before it."
            ),
        )
    if response.cut:
        raise CheckError(
            Reason.ASSERTION,
            Prose("the server answers a search for one study with more than {size} bytes", size=len(body)),
            code="LIMIT_IGNORED",
            hint=Prose(
                "It does not heed limit=1: update it, or ask a proxy in between what it does to queries."
            ),
        )
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:  # too deep is no JSON of DICOM's either
        raise CheckError(
            Reason.PROTOCOL, Prose("the answer is no JSON"), code="NOT_JSON", hint=_WRONG_PATH
        ) from error
    if not isinstance(found, list) or not all(map(_is_dicom, found)):
        raise CheckError(
            Reason.PROTOCOL,
            Prose("the answer is JSON, but not of DICOM"),
            code="NOT_DICOM_JSON",
            hint=_WRONG_PATH,
        )
    return found


def _is_dicom(thing: object) -> bool:
    """Whether this is a data set: tags of eight hexadecimal digits, each with its value representation."""
    return isinstance(thing, dict) and all(
        _TAG.fullmatch(tag) and isinstance(element, dict) and "vr" in element
        for tag, element in thing.items()
    )


def uid_in(found: Found, tag: str) -> str | None:
    """Return a UID of the first object, None where there is none that could stand in a path."""
    values = found[0].get(tag, {}).get("Value") if found else None
    uid = values[0] if isinstance(values, list) and values else None
    return uid if isinstance(uid, str) and _UID.fullmatch(uid) else None


def demand_right(service: Service, response: Response, *, there: bool) -> None:
    """Raise CheckError where a right is missing. `there`: that what is asked for exists."""
    status = response.status
    message = Prose("{service} is answered with {status}", service=service, status=spoken(status))
    does = _DOES[service]
    code = f"{service.partition('-')[0]}_{status}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        hint = Prose("Grant this login the right to {does} ({service}).", does=does, service=service)
        raise CheckError(Reason.PERMISSION, message, code=code, hint=hint, stage=Stage.PERMISSION)
    if _answered(service, status, there=there):
        return
    if status in _NO_SUCH_SERVICE:
        hint = Prose("The server does not {does} at that path: see what its manual says.", does=does)
        raise CheckError(Reason.NOT_FOUND, message, code=code, hint=hint, stage=Stage.FUNCTION)
    cause = refusal(status, message, logged_in=True).cause
    raise CheckError(cause.reason, message, code=code, hint=cause.hint, stage=Stage.FUNCTION)


def _answered(service: Service, status: int, *, there: bool) -> bool:
    if service is Service.STORE:
        return status in _TAKEN
    absent = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
    return status == HTTPStatus.OK or (not there and status in absent)
