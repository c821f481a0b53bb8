"""Real servers of DCMTK: an archive that is queried, and a receiver that knows C-ECHO and C-STORE only.

`qrscp` is one archive for the session and `receiver` one receiver, both in the clear: only ask them.
`start_qrscp()` and `start_receiver()` start others, the receiver over TLS where it is given a certificate.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.servers.loopback import LoopbackServer
from tests.servers.process import binary, private_folder
from tests.servers.tls import Certificate, Certificates

TITLE = "ARCHIVE"
CLOSED = "CLOSED"
"""AE title of the archive's other storage, which only FRIEND may use."""
_RELEASE = bytes.fromhex("05000000000400000000")
_ACCEPTED, _ABORT = b"\x02", b"\x07"
_CONFIG = """
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = {most}
HostTable BEGIN
friend = (FRIEND, localhost, 104)
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{title} {folder}/open RW (20, 10mb) ANY
{closed} {folder}/closed RW (20, 10mb) friend
AETable END
"""
_PROFILES = """
[[TransferSyntaxes]]
[Uncompressed]
TransferSyntax1 = LittleEndianImplicit
[[PresentationContexts]]
[Store]
PresentationContext1 = SecondaryCaptureImageStorage\\Uncompressed
[[Profiles]]
[Mute]
PresentationContexts = Store
"""


class _Dcmtk(LoopbackServer):
    """What both have in common."""

    def ready(self) -> bool:
        """Ask for the end of an association that never began: it answers with an abort."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as client:
            client.sendall(_RELEASE)
            return client.recv(1) == _ABORT

    def url(
        self, called: str = TITLE, *, calling: str = "MOORING", scheme: str = "dicom", host: str = "127.0.0.1"
    ) -> str:
        """Return its address."""
        return f"{scheme}://{called}@{host}:{self.port}?calling_aet={calling}"


class Qrscp(_Dcmtk):
    """One archive that holds `most` associations at a time."""

    def __init__(self, folder: Path, most: int, *options: str) -> None:
        super().__init__(folder)
        self._options = options
        for storage in ("open", "closed"):
            (folder / storage).mkdir()
        config = _CONFIG.format(port=self.port, most=most, folder=folder, title=TITLE, closed=CLOSED)
        (folder / "qrscp.cfg").write_text(config)

    def inside(self) -> list[str]:
        return [
            binary("dcmqrscp", "dcmtk"),
            "--log-level",
            "warn",
            *self._options,
            "-c",
            str(self.folder / "qrscp.cfg"),
        ]


class Receiver(_Dcmtk):
    """One receiver. With a certificate it speaks TLS only and demands one of ours."""

    def __init__(self, folder: Path, *options: str, certificate: Certificate | None, ca: str) -> None:
        super().__init__(folder)
        self._options = list(options)
        self._secure = certificate is not None
        if certificate is not None:
            self._options += ["+tls", certificate.key, certificate.cert, "+cf", ca]
        (folder / "profiles.cfg").write_text(_PROFILES)

    def inside(self) -> list[str]:
        return [binary("storescp", "dcmtk"), "--ignore", *self._options, str(self.port)]

    def ready(self) -> bool:
        return self.listens() if self._secure else super().ready()  # who asks over TLS needs a certificate


@contextmanager
def held(server: Qrscp) -> Iterator[None]:
    """Hold an association that was accepted and then does nothing."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(_request())
        assert client.recv(1) == _ACCEPTED
        yield


def _request() -> bytes:
    """Return an A-ASSOCIATE-RQ: pynetdicom's own associations leave sockets and threads behind."""
    context = _item(0x30, b"1.2.840.10008.1.1") + _item(0x40, b"1.2.840.10008.1.2")
    parts = _item(0x10, b"1.2.840.10008.3.1.1.1") + _item(0x20, bytes((1, 0, 0, 0)) + context)
    parts += _item(0x50, _item(0x51, (16384).to_bytes(4, "big")) + _item(0x52, b"1.2.3"))
    titles = TITLE.ljust(16).encode() + b"HOLDER".ljust(16)
    body = bytes((0, 1, 0, 0)) + titles + bytes(32) + parts
    return bytes((1, 0)) + len(body).to_bytes(4, "big") + body


def _item(kind: int, content: bytes) -> bytes:
    return bytes((kind, 0)) + len(content).to_bytes(2, "big") + content


StartQrscp: TypeAlias = Callable[..., AbstractContextManager[Qrscp]]
"""`with start_qrscp(1) as server:`"""
StartReceiver: TypeAlias = Callable[..., AbstractContextManager[Receiver]]
"""`with start_receiver("--refuse") as server:`"""


@pytest.fixture(scope="session")
def start_qrscp(namespace: None) -> StartQrscp:
    """Starts an archive that the test may mistreat."""

    @contextmanager
    def start(most: int = 16, *options: str) -> Iterator[Qrscp]:
        with private_folder() as folder, Qrscp(folder, most, *options) as server:
            yield server

    return start


@pytest.fixture(scope="session")
def start_receiver(namespace: None, certificates: Certificates) -> StartReceiver:
    """Starts a receiver that the test may mistreat."""

    @contextmanager
    def start(
        *options: str, certificate: Certificate | None = None, mute: bool = False
    ) -> Iterator[Receiver]:
        with private_folder() as folder:
            profile = ["-xf", str(folder / "profiles.cfg"), "Mute"] if mute else []
            with Receiver(folder, *options, *profile, certificate=certificate, ca=certificates.ca) as server:
                yield server

    return start


@pytest.fixture(scope="session")
def qrscp(start_qrscp: StartQrscp) -> Iterator[Qrscp]:
    """One archive for the session; only ask it."""
    with start_qrscp() as server:
        yield server


@pytest.fixture(scope="session")
def receiver(start_receiver: StartReceiver) -> Iterator[Receiver]:
    """One receiver for the session; only ask it."""
    with start_receiver() as server:
        yield server


@pytest.fixture(scope="session")
def receiver_tls(start_receiver: StartReceiver, certificates: Certificates) -> Iterator[Receiver]:
    """One receiver for the session that speaks TLS and demands a client certificate; only ask it."""
    with start_receiver(certificate=certificates.good) as server:
        yield server
