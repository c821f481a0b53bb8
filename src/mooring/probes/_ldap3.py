"""LDAP over a connection that we dialled, in ldap3's messages. Imported only where the driver is needed."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

with warnings.catch_warnings():  # ldap3 asks pyasn1 for names that it has under new ones
    warnings.simplefilter("ignore", DeprecationWarning)
    from ldap3 import ANONYMOUS, DEREF_NEVER
    from ldap3.core import exceptions
    from ldap3.core.results import RESULT_CODES
    from ldap3.operation.bind import bind_operation
    from ldap3.operation.extended import extended_operation
    from ldap3.operation.search import search_operation
    from ldap3.operation.unbind import unbind_operation
    from ldap3.protocol.rfc4511 import AuthenticationChoice, LDAPMessage, MessageID, ProtocolOp, Simple
    from ldap3.utils.asn1 import encode

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import LONGEST_SHOWN, cut
from mooring.net.dial import Stream
from mooring.probes._ldap_errors import SIZE_LIMIT

errors = exceptions
"""ldap3's errors; from here, since importing them first elsewhere would warn."""

MOST_BYTES = 256 * 1024
"""Size of a message that is read: while one is, all other checks wait."""
MOST_OTHERS = 1000
"""References and the like in an answer, besides its entries."""
LDAP_VERSION = 3
START_TLS = "1.3.6.1.4.1.1466.20037"
WHO_AM_I = "1.3.6.1.4.1.4203.1.11.3"
_SEQUENCE = 0x30
_LONG = 0x80
_LONGEST_LENGTH = 4
_FACTS = {
    "vendorname": "vendor",
    "vendorversion": "server_version",
    "dnshostname": "server_name",
    "namingcontexts": "naming_contexts",
}
_FINAL = {0x61: "bindResponse", 0x65: "searchResDone", 0x78: "extendedResp"}
_ENTRY, _REFERENCE, _INTERMEDIATE = 0x64, 0x73, 0x79
_REFERRALS, _VALUE = 0xA3, 0x8B


@dataclass(slots=True)
class Answer:
    """What came back."""

    entries: int = 0
    first: dict[str, list[str]] = field(default_factory=dict)
    """The first entry's attributes, by their names in small letters."""
    value: str = ""
    """What an extended operation returned."""
    cut: bool = False
    """Whether the server stopped at a limit of entries."""


class Directory:
    """A session with a directory over one connection, one question at a time."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._last = 0

    async def bind(self, name: str, password: str) -> None:
        """Log in; without a name as nobody. Raises ldap3's LDAPOperationResult."""
        request = bind_operation(LDAP_VERSION, ANONYMOUS)
        if name:
            request["name"] = name
            # As it is, as OpenLDAP's own client sends it: prepared as RFC 4013 says, it may be another.
            simple = AuthenticationChoice().setComponentByName("simple", Simple(password.encode()))
            request["authentication"] = simple
        await self._ask("bindRequest", request)

    async def extended(self, name: str) -> Answer:
        """Run an extended operation that takes no value."""
        return await self._ask("extendedReq", extended_operation(name))

    async def search(
        self,
        base: str,
        *,
        scope: str = "BASE",
        filter_: str = "(objectClass=*)",
        attributes: Sequence[str] = ("1.1",),
        most: int = 0,
        seconds: int = 0,
    ) -> Answer:
        """Return what is found. `most` and `seconds` are the limits that the server is asked to keep."""
        request = search_operation(
            base, filter_, scope, DEREF_NEVER, list(attributes), most, seconds, False, True, False
        )
        return await self._ask("searchRequest", request, most or 1)

    async def leave(self) -> None:
        """Say goodbye; there is no answer to that."""
        await self._send("unbindRequest", unbind_operation())

    async def _send(self, kind: str, request: Any) -> None:
        self._last += 1
        message = LDAPMessage()
        message["messageID"] = MessageID(self._last)
        message["protocolOp"] = ProtocolOp().setComponentByName(kind, request)
        await self.stream.ask(encode(message))

    async def _ask(self, kind: str, request: Any, most: int = 0) -> Answer:
        await self._send(kind, request)
        answer = Answer()
        for _ in range(most + MOST_OTHERS):
            if _take(answer, await self._message()):
                return answer
            if answer.entries > most:
                break
        raise CheckError(
            Reason.PROTOCOL,
            Prose("the server sends more than the {number} entries that it was asked for", number=most),
            code="TOO_MANY_ENTRIES",
            hint=Prose("Narrow the filter: this server keeps no limit that a search asks for."),
        )

    async def _message(self) -> bytes:
        """Read what one message holds. Raises CheckError(protocol) where what answers is no directory."""
        await asyncio.sleep(0)  # what has arrived already is read without a pause: others have their turn
        reader = self.stream.reader
        head = await reader.readexactly(2)
        if head[0] != _SEQUENCE:
            raise _foreign(head + await reader.read(LONGEST_SHOWN))
        size = head[1]
        if size >= _LONG:
            count = size - _LONG
            if not 0 < count <= _LONGEST_LENGTH:
                raise _foreign(head)
            digits = await reader.readexactly(count)
            head, size = head + digits, int.from_bytes(digits, "big")
        if size > MOST_BYTES:
            raise CheckError(
                Reason.PROTOCOL,
                Prose("an answer of {size} bytes is more than a check reads", size=size),
                code="TOO_LARGE",
                hint=Prose("Look for a value by `filter`, such as (memberUid=app), not by `attribute`."),
            )
        return await reader.readexactly(size)


def _take(answer: Answer, body: bytes) -> bool:
    """Read one message into the answer; return whether it is the last. Raises CheckError, LDAPException."""
    try:
        [_, (tag, payload), *_] = _parts(body)
        if tag in _FINAL:
            _end(answer, tag, payload)
        elif tag == _ENTRY:
            answer.entries += 1
            answer.first = _attributes(payload) if answer.entries == 1 else answer.first
        elif tag not in (_REFERENCE, _INTERMEDIATE):
            raise errors.LDAPUnknownResponseError(f"an answer of the unknown kind {tag:#x}")
    except ValueError:
        raise CheckError(
            Reason.PROTOCOL, Prose("the answer makes no sense as LDAP's"), code="UNREADABLE"
        ) from None
    return tag in _FINAL


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """Split a value of BER into tags and what they hold. Raises ValueError where one ends after its whole.

    ldap3's own reader minds no bounds and no depth: a message of 200 bytes keeps it busy for ever.
    """
    found, at = [], 0
    while at + 1 < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size >= _LONG:
            start, at = at, at + size - _LONG
            size = int.from_bytes(data[start:at], "big")
        found.append((tag, data[at : at + size]))
        at += size
    if at != len(data):
        raise ValueError
    return found


def _end(answer: Answer, tag: int, payload: bytes) -> None:
    """Read the last message. Raises what the directory complains of, also unasked, as its last word."""
    [(_, number), (_, name), (_, text), *others] = _parts(payload)
    more = dict(others)
    code = int.from_bytes(number, "big")
    answer.cut = code == SIZE_LIMIT and answer.entries > 0
    if code != 0 and not answer.cut:
        raise errors.LDAPOperationResult(
            result=code,
            description=RESULT_CODES.get(code, "unknown"),
            dn=_text(name),
            message=_text(text).strip("\0 \n"),  # Active Directory ends its words with a NUL
            response_type=_FINAL[tag],
            response=[_text(place) for _, place in _parts(more.get(_REFERRALS, b""))] or None,
        )
    answer.value = _text(more.get(_VALUE, b""))


def _attributes(payload: bytes) -> dict[str, list[str]]:
    [_, (_, attributes)] = _parts(payload)
    found = {}
    for _, pair in _parts(attributes):
        [(_, name), (_, values)] = _parts(pair)
        found[_text(name).lower()] = [_text(value) for _, value in _parts(values)]
    return found


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


async def identity_of(directory: Directory) -> str | None:
    """Return the name by which the server knows us, empty for nobody; None where it does not tell."""
    try:
        return (await directory.extended(WHO_AM_I)).value
    except errors.LDAPOperationResult:  # an extension, which not every directory has
        return None


async def facts_of(directory: Directory) -> dict[str, str]:
    """Return what the server says of itself."""
    try:
        root = (await directory.search("", attributes=list(_FACTS))).first
    except errors.LDAPOperationResult:  # it need not say anything
        return {}
    return {name: ", ".join(root[key]) for key, name in _FACTS.items() if root.get(key)}


def _foreign(answer: bytes) -> CheckError:
    shown = cut(answer.decode(errors="replace"))
    return CheckError(Reason.PROTOCOL, f"what answers is no LDAP: {shown!r}", code="NOT_LDAP")
