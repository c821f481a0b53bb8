"""What a DICOM peer's bytes say. Read here, since pydicom warns of odd values and pynetdicom keeps all."""

from __future__ import annotations

import struct
from collections.abc import Iterator

LARGEST_COMMAND = 64 * 1024
"""Bytes of a command: a real one has less than a thousandth of these. Of a data set nothing is kept."""
_BEFORE_ITEMS = 6 + 68
_CONTEXT, _USER, _MAXIMUM_LENGTH, _VERSION_NAME = 0x21, 0x50, 0x51, 0x55
_LONGEST_NAME = 16
_FIELD, _DATA_SET_TYPE, _STATUS = 0x0100, 0x0800, 0x0900
_IS_RESPONSE = 0x8000
_NO_DATA_SET = 0x0101


class Acceptance:
    """An A-ASSOCIATE-AC: how each presentation context was answered, and what the peer says of itself."""

    def __init__(self) -> None:
        self.results: dict[int, int] = {}
        self.largest = 0
        self.implementation: str | None = None

    def decode(self, pdu: bytes) -> None:
        """Read a whole PDU. Raises ValueError or IndexError."""
        for kind, content in _items(pdu[_BEFORE_ITEMS:]):
            if kind == _CONTEXT:
                self.results[content[0]] = content[2]
            elif kind == _USER:
                self._of_the_user(content)
        if not self.results:
            raise ValueError("an acceptance of nothing")

    def _of_the_user(self, content: bytes) -> None:
        for kind, value in _items(content):
            if kind == _MAXIMUM_LENGTH:
                self.largest = int.from_bytes(value, "big")
            elif kind == _VERSION_NAME:
                self.implementation = value[:_LONGEST_NAME].decode("ascii", errors="replace").strip(" \0")


class Response:
    """The answer to a request, which comes in fragments."""

    def __init__(self) -> None:
        self.status = 0
        self._command = bytearray()

    def take(self, fragment: bytes) -> bool:
        """Take a fragment, control byte first; return whether that was the last.

        Raises ValueError or others where it is no DICOM.
        """
        is_command, is_last = fragment[0] & 1, bool(fragment[0] & 2)
        if not is_command:
            return is_last
        self._command += fragment[1:]
        if len(self._command) > LARGEST_COMMAND:
            raise ValueError("a command without end")
        if not is_last:
            return False
        numbers = dict(_numbers(bytes(self._command)))
        if not numbers[_FIELD] & _IS_RESPONSE:
            raise ValueError("a request instead of a response")
        self.status = numbers[_STATUS]
        return numbers[_DATA_SET_TYPE] == _NO_DATA_SET


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from(">BxH", data, at)
        at += 4 + length
        if at > len(data):
            raise ValueError("an item that is cut off")
        yield kind, data[at - length : at]


def _numbers(command: bytes) -> Iterator[tuple[int, int]]:
    """Yield the elements of a command that hold one number of two bytes."""
    at = 0
    while at < len(command):
        group, element, length = struct.unpack_from("<HHI", command, at)
        at += 8 + length
        if at > len(command):
            raise ValueError("an element that is cut off")
        if (group, length) == (0, 2):
            yield element, int.from_bytes(command[at - 2 : at], "little")
