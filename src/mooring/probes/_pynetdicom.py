"""A DICOM association over a connection of ours: pynetdicom packs, and never touches a socket.

Its own associations run on two threads each, which poll, dial by themselves and tell every network
fault as the same abort. Here there is nothing but bytes to write and bytes to wait for, so a check
ends at its deadline wherever it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import Any, TypeAlias, TypeVar

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID, ImplicitVRLittleEndian
from pynetdicom import PYNETDICOM_IMPLEMENTATION_UID, build_context
from pynetdicom._globals import APPLICATION_CONTEXT_NAME
from pynetdicom.dimse_messages import C_CANCEL_RQ, C_ECHO_RQ, C_FIND_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_CANCEL, C_ECHO, C_FIND
from pynetdicom.dsutils import encode
from pynetdicom.pdu import (
    A_ABORT_RQ,
    A_ASSOCIATE_RJ,
    A_ASSOCIATE_RQ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    P_DATA_TF,
)
from pynetdicom.pdu_primitives import (
    A_ABORT,
    A_ASSOCIATE,
    A_RELEASE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.net.dial import Stream
from mooring.probes._dicom import ABSENT, Service, Titles, aborted, rejected, unacceptable
from mooring.probes._dimse import Acceptance, Response

T = TypeVar("T")

HEADER = 6
LARGEST_PDU = 256 * 1024
"""Bytes. We ask for 16 KiB at most and an acceptance is smaller still: what claims more is no DICOM."""
OUR_LARGEST_PDU = 16382
SMALLEST_PDU = 8
"""Six bytes of these say what follows, and what follows is of even length."""
MOST_MATCHES = 100
"""Matches of a C-FIND that are listened to before it is cancelled."""
AFTER_CANCEL = 0.5
"""Seconds in which a cancelled C-FIND may end. Some peers never heard of C-CANCEL."""
PENDING = (0xFF00, 0xFF01)
CANCELLED = 0xFE00
_MESSAGE_ID = 1
_MEDIUM = 0
_UTF_8 = "ISO_IR 192"
_TEXTS = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI"})
"""Value representations that peers match; texts of the others are long or no texts at all."""
_PDUS: dict[int, type[Any]] = {
    2: Acceptance,
    3: A_ASSOCIATE_RJ,
    4: P_DATA_TF,
    5: A_RELEASE_RQ,
    6: A_RELEASE_RP,
    7: A_ABORT_RQ,
}
Answer: TypeAlias = Acceptance | A_ASSOCIATE_RJ | A_ABORT_RQ


class Association:
    """One association that we ask for, with the services of these SOP classes."""

    def __init__(self, stream: Stream, peer: Titles, sop_classes: Sequence[str]) -> None:
        self.peer = peer
        self.implementation: str | None = None
        self._stream = stream
        self._sop_classes = sop_classes
        self._accepted: dict[str, int] = {}
        self._results: dict[str, int] = {}
        self._largest = OUR_LARGEST_PDU
        self._standing = False

    async def request(self) -> Answer:
        """Ask for the association, and return the peer's answer. Raises CheckError where it is no DICOM."""
        await self._stream.ask(A_ASSOCIATE_RQ(self._asked()).encode())
        answer = await self._read()
        if not isinstance(answer, (Acceptance, A_ASSOCIATE_RJ, A_ABORT_RQ)):
            raise _no_dicom(Prose("the peer answers a request for an association with something else"))
        if isinstance(answer, Acceptance):
            _unpacked(lambda: self._take_in(answer))
            if answer.largest and answer.largest < SMALLEST_PDU:
                text = Prose("the peer takes {most} bytes at once, which holds nothing", most=answer.largest)
                raise CheckError(Reason.PROTOCOL, text, code="UNREADABLE")
        return answer

    def demand_accepted(self, answer: Answer) -> None:
        """Raise CheckError where the answer is a rejection or an abort."""
        if isinstance(answer, A_ABORT_RQ):
            raise aborted(_source(answer), self.peer)
        if isinstance(answer, A_ASSOCIATE_RJ):
            told = (answer.result, answer.source, answer.reason_diagnostic)
            raise rejected(tuple(number or 0 for number in told), self.peer)

    def demand(self, sop_class: str, service: Service) -> None:
        """Raise CheckError(permission) where the peer does not take a service of ours."""
        if sop_class not in self._accepted:
            raise unacceptable(service, self._results.get(sop_class, ABSENT), self.peer)

    async def echo(self, sop_class: str) -> int:
        """Send a C-ECHO and return its status."""
        request = C_ECHO()
        request.MessageID = _MESSAGE_ID
        request.AffectedSOPClassUID = UID(sop_class)
        await self._send(C_ECHO_RQ(), request, sop_class)
        return await self._answer(Service.ECHO)

    @staticmethod
    def succeeded(status: int) -> bool:
        """Whether a C-FIND that ended so did what it was asked; we cancel those that bring too much."""
        return status in (0, CANCELLED)

    async def find(self, sop_class: str, keys: Mapping[str, str]) -> tuple[int, int]:
        """Send a C-FIND; return its last status and the number of matches, `MOST_MATCHES` at most.

        Raises CheckError(config) where a key cannot be matched.
        """
        request = C_FIND()
        request.MessageID = _MESSAGE_ID + 1
        request.AffectedSOPClassUID = UID(sop_class)
        request.Priority = _MEDIUM
        request.Identifier = BytesIO(_identifier(keys))
        await self._send(C_FIND_RQ(), request, sop_class)
        matches = 0
        while True:
            status = await self._answer(Service.FIND)
            if status not in PENDING:
                return status, matches
            matches += 1
            if matches == MOST_MATCHES:
                return await self._cancel(sop_class), matches

    async def release(self) -> None:
        """Leave politely. What was still on its way is read and forgotten."""
        if not self._standing:
            return
        await self._stream.ask(A_RELEASE_RQ(A_RELEASE()).encode())
        while isinstance(await self._read(), P_DATA_TF):
            pass
        self._standing = False

    def drop(self) -> None:
        """Drop the connection at once; where the association stands, the peer is told first."""
        if self._standing and not self._stream.writer.is_closing():
            self._standing = False
            abort = A_ABORT()
            abort.abort_source = 0
            self._stream.writer.write(A_ABORT_RQ(abort).encode())
        self._stream.drop()

    def _asked(self) -> A_ASSOCIATE:
        request = A_ASSOCIATE()
        request.application_context_name = UID(APPLICATION_CONTEXT_NAME)
        request.calling_ae_title, request.called_ae_title = self.peer.calling, self.peer.called
        length = MaximumLengthNotification()
        length.maximum_length_received = OUR_LARGEST_PDU
        implementation = ImplementationClassUIDNotification()
        implementation.implementation_class_uid = PYNETDICOM_IMPLEMENTATION_UID
        name = ImplementationVersionNameNotification()
        name.implementation_version_name = "MOORING"
        request.user_information = [length, implementation, name]
        contexts = [build_context(each, ImplicitVRLittleEndian) for each in self._sop_classes]
        for index, context in enumerate(contexts):
            context.context_id = 2 * index + 1
        request.presentation_context_definition_list = contexts
        return request

    def _take_in(self, answer: Acceptance) -> None:
        for number, result in answer.results.items():
            sop_class = self._sop_classes[(number - 1) // 2]
            self._results[sop_class] = result
            if result == 0:
                self._accepted[sop_class] = number
        if answer.largest:
            self._largest = min(self._largest, answer.largest)
        self.implementation = answer.implementation
        self._standing = True

    async def _send(self, message: DIMSEMessage, primitive: Any, sop_class: str) -> None:
        message.primitive_to_message(primitive)
        for data in message.encode_msg(self._accepted[sop_class], self._largest):
            await self._stream.ask(P_DATA_TF(data).encode())

    async def _answer(self, service: Service) -> int:
        """Wait for one message and return its status; what it holds beyond that is not unpacked."""
        response = Response()
        whole = False
        while not whole:
            data = await self._data(service)
            for item in data.presentation_data_value_items:
                whole = _unpacked(partial(response.take, item.presentation_data_value or b""))
        return response.status

    async def _data(self, service: Service) -> P_DATA_TF:
        pdu = await self._read()
        if isinstance(pdu, P_DATA_TF):
            return pdu
        self._standing = False
        if isinstance(pdu, A_ABORT_RQ):
            raise aborted(_source(pdu), self.peer, service)
        if isinstance(pdu, A_RELEASE_RQ):
            text = Prose("the peer ends the association instead of answering a {service}", service=service)
            raise CheckError(Reason.UNAVAILABLE, text, code="RELEASED")
        raise _no_dicom(Prose("the peer answers a {service} with something else", service=service))

    async def _cancel(self, sop_class: str) -> int:
        request = C_CANCEL()
        request.MessageIDBeingRespondedTo = _MESSAGE_ID + 1
        await self._send(C_CANCEL_RQ(), request, sop_class)
        try:
            async with asyncio.timeout(AFTER_CANCEL):
                while await self._answer(Service.FIND) in PENDING:
                    pass
        except TimeoutError:
            self.drop()  # it goes on sending: release would have to hear it all
        return CANCELLED

    async def _read(self) -> Any:
        reader = self._stream.reader
        header = await reader.readexactly(HEADER)
        kind, length = header[0], int.from_bytes(header[2:], "big")
        if kind not in _PDUS or header[1] != 0 or length > LARGEST_PDU:
            raise _no_dicom(Prose("what answers is no DICOM"))
        body = await reader.readexactly(length)
        pdu = _PDUS[kind]()
        _unpacked(lambda: pdu.decode(header + body))
        return pdu


def _identifier(keys: Mapping[str, str]) -> bytes:
    """Return the data set of a query. Raises CheckError(config) where a key or a value is none of DICOM's."""
    wanted = Dataset()
    if not all(value.isascii() for value in keys.values()):
        wanted.SpecificCharacterSet = _UTF_8
    for keyword, value in keys.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            text = Prose("find_keys: {keyword} is no keyword of DICOM", keyword=keyword[:64])
            hint = Prose("Keywords are written as in the standard: PatientID, StudyDate, ModalitiesInStudy.")
            raise CheckError(Reason.CONFIG, text, code="UNKNOWN_KEYWORD", hint=hint)
        if dictionary_VR(tag) not in _TEXTS:
            text = Prose("find_keys: {keyword} holds no text that could be matched", keyword=keyword[:64])
            hint = Prose("Match identifiers, names, dates and UIDs.")
            raise CheckError(Reason.CONFIG, text, code="NO_KEY", hint=hint)
        # Wildcards and ranges are no values, so nothing is validated.
        wanted.add(DataElement(tag, dictionary_VR(tag), value, validation_mode=IGNORE))
    return encode(wanted, is_implicit_vr=True, is_little_endian=True) or b""


def _source(abort: A_ABORT_RQ) -> tuple[int, int]:
    return abort.source or 0, abort.reason_diagnostic or 0


def _unpacked(work: Callable[[], T]) -> T:
    """Return what unpacking a stranger's bytes gives. Raises CheckError(protocol)."""
    try:
        return work()
    except Exception as error:
        raise _no_dicom(Prose("the peer's answer cannot be read as DICOM")) from error


def _no_dicom(text: Prose) -> CheckError:
    return CheckError(Reason.PROTOCOL, text, code="NOT_DICOM")
