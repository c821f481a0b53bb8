"""A little name server of our own, over UDP and TCP, that answers what a test tells it to.

It runs in a thread, so that the loop under test is free to be of any kind, and counts its questions.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self, TypeAlias

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

Records: TypeAlias = dict[tuple[str, str], list[str]]
MOST_UDP = 512
TTL = 300


class NameServer:
    """Knows `records`, by name and type; other names do not exist. `rcodes` makes a name fail."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.records: Records = {}
        self.rcodes: dict[str, dns.rcode.Rcode] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.silent = False
        self.garbled = False
        self._udp, self._tcp = _same_port(host, port)
        self.host, self.port = self._udp.getsockname()
        self._threads = [
            threading.Thread(target=serve, daemon=True, name="name server")
            for serve in (self._serve_udp, self._serve_tcp)
        ]

    @property
    def address(self) -> str:
        """`host:port`, as `Network(nameservers=...)` takes it."""
        return f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._udp.sendto(b"", (self.host, self.port))  # an empty datagram ends the thread
        self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def count(self, name: str, kind: str = "A") -> int:
        """Return how often a name was asked for."""
        return sum(asked[:2] == (name, kind) for asked in self.asked)

    def _serve_udp(self) -> None:
        while True:
            wire, client = self._udp.recvfrom(65535)
            if not wire:
                return
            answer = self._answer(wire, "udp")
            if answer is not None:
                self._udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream, suppress(OSError, struct.error):
                (length,) = struct.unpack("!H", stream.read(2))
                answer = self._answer(stream.read(length), "tcp")
                if answer is not None:
                    client.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, wire: bytes, transport: str) -> bytes | None:
        question = dns.message.from_wire(wire)
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        kind = question.question[0].rdtype.name
        self.asked.append((name, kind, transport))
        if self.silent:
            return None
        if self.garbled:
            return b"this is no DNS at all"
        answer = dns.message.make_response(question, recursion_available=True)
        values = self.records.get((name, kind), [])
        if name in self.rcodes:
            answer.set_rcode(self.rcodes[name])
        elif values:
            answer.answer.append(dns.rrset.from_text(f"{name}.", TTL, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        full = answer.to_wire(max_size=65535)
        if transport == "tcp" or len(full) <= MOST_UDP:
            return full
        answer.answer.clear()
        answer.flags |= dns.flags.TC
        return answer.to_wire()


def _same_port(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Return a UDP and a listening TCP socket of one number; 0 takes any that both have free."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((host, port))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
            if port:
                raise


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    """A name server on the loopback that knows nothing yet."""
    with NameServer() as server:
        yield server


@contextmanager
def silent_port() -> Iterator[int]:
    """A UDP port that takes everything and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]
