"""LDAP over a connection that we dialled, in ldap3's messages. Imported only where the driver is needed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

with warnings.catch_warnings():  # ldap3 asks pyasn1 for names that it has under new ones
    warnings.simplefilter("ignore", DeprecationWarning)
    from ldap3 import ANONYMOUS, DEREF_NEVER, SIMPLE
    from ldap3.core import exceptions
    from ldap3.operation.bind import bind_operation, bind_response_to_dict_fast
    from ldap3.operation.extended import extended_operation, extended_response_to_dict_fast
    from ldap3.operation.search import search_operation, search_result_entry_response_to_dict_fast
    from ldap3.operation.unbind import unbind_operation
    from ldap3.protocol.rfc4511 import LDAPMessage, MessageID, ProtocolOp
    from ldap3.utils.asn1 import decode_message_fast, encode, ldap_result_to_dict_fast

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.net.dial import Stream
from mooring.probes._ldap_errors import SIZE_LIMIT

errors = exceptions
"""ldap3's errors; from here, since importing them first elsewhere would warn."""

MOST_BYTES = 4 * 1024 * 1024
"""Size of a message that is read: a directory's is small, and a stranger's must not fill the memory."""
MOST_SHOWN = 80
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
_FINAL = {1: "bindResponse", 5: "searchResDone", 24: "extendedResp"}
_ENTRY, _REFERENCE, _INTERMEDIATE = 4, 19, 25


@dataclass(slots=True)
class Answer:
    """What came back: the entries' attributes by name, and what an extended operation returned."""

    entries: list[dict[str, list[str]]] = field(default_factory=list)
    value: str = ""
    cut: bool = False
    """Whether the server stopped at a limit of entries."""


class Directory:
    """A session with a directory over one connection, one question at a time."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._last = 0

    async def bind(self, name: str, password: str) -> None:
        """Log in; without a name as nobody. Raises ldap3's LDAPOperationResult."""
        method = SIMPLE if name else ANONYMOUS
        await self._ask("bindRequest", bind_operation(LDAP_VERSION, method, name, password or None))

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
        """Return the entries found. `most` and `seconds` are the limits that the server is asked to keep."""
        request = search_operation(
            base, filter_, scope, DEREF_NEVER, list(attributes), most, seconds, False, True, False
        )
        return await self._ask("searchRequest", request)

    async def leave(self) -> None:
        """Say goodbye; there is no answer to that."""
        await self._send("unbindRequest", unbind_operation())

    async def _send(self, kind: str, request: Any) -> None:
        self._last += 1
        message = LDAPMessage()
        message["messageID"] = MessageID(self._last)
        message["protocolOp"] = ProtocolOp().setComponentByName(kind, request)
        await self.stream.ask(encode(message))

    async def _ask(self, kind: str, request: Any) -> Answer:
        await self._send(kind, request)
        answer = Answer()
        while True:
            message = decode_message_fast(await self._message())
            operation, payload = message["protocolOp"], message["payload"]
            if operation == _ENTRY:
                answer.entries.append(_attributes(payload))
            elif operation in _FINAL:
                return _ended(answer, operation, payload)
            elif operation not in (_REFERENCE, _INTERMEDIATE):
                raise errors.LDAPUnknownResponseError(f"an answer of the unknown kind {operation}")

    async def _message(self) -> bytes:
        """Read one message. Raises CheckError(protocol) where what answers is no directory."""
        reader = self.stream.reader
        head = await reader.readexactly(2)
        if head[0] != _SEQUENCE:
            raise _foreign(head + await reader.read(MOST_SHOWN))
        size = head[1]
        if size >= _LONG:
            count = size - _LONG
            if not 0 < count <= _LONGEST_LENGTH:
                raise _foreign(head)
            digits = await reader.readexactly(count)
            head, size = head + digits, int.from_bytes(digits, "big")
        if size > MOST_BYTES:
            raise _foreign(head)
        return head + await reader.readexactly(size)


def _ended(answer: Answer, operation: int, payload: Any) -> Answer:
    """Return the answer. Raises what the directory complains of, also unasked, as its last word."""
    read = {1: bind_response_to_dict_fast, 24: extended_response_to_dict_fast}
    result = read.get(operation, ldap_result_to_dict_fast)(payload)
    answer.cut = result["result"] == SIZE_LIMIT and bool(answer.entries)
    if result["result"] != 0 and not answer.cut:
        raise errors.LDAPOperationResult(
            result=result["result"],
            description=result["description"],
            dn=result["dn"],
            message=result["message"].strip("\0 \n"),  # Active Directory ends its words with a NUL
            response_type=_FINAL[operation],
            response=result.get("referrals"),
        )
    answer.value = (result.get("responseValue") or b"").decode(errors="replace")
    return answer


def _attributes(payload: Any) -> dict[str, list[str]]:
    entry = search_result_entry_response_to_dict_fast(payload, None, None, check_names=False)
    return {
        name.lower(): [value.decode(errors="replace") for value in values or ()]
        for name, values in entry["raw_attributes"].items()
    }


async def identity_of(directory: Directory) -> str | None:
    """Return the name by which the server knows us, empty for nobody; None where it does not tell."""
    try:
        return (await directory.extended(WHO_AM_I)).value
    except errors.LDAPOperationResult:  # an extension, which not every directory has
        return None


async def facts_of(directory: Directory) -> dict[str, str]:
    """Return what the server says of itself."""
    try:
        [root] = (await directory.search("", attributes=list(_FACTS))).entries
    except (errors.LDAPOperationResult, ValueError):  # it need not say anything
        return {}
    return {name: ", ".join(root[key]) for key, name in _FACTS.items() if root.get(key)}


def _foreign(answer: bytes) -> CheckError:
    shown = answer[:MOST_SHOWN].decode(errors="replace")
    return CheckError(Reason.PROTOCOL, f"what answers is no LDAP: {shown!r}", code="NOT_LDAP")
