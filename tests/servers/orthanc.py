"""A real Orthanc with its DICOMweb plug-in, and DICOM over TLS.

`orthanc` is one server for the whole session, with one study in it, and `orthanc_tls` one that speaks DICOM
over TLS only, to those with a certificate of ours: only ask them. `start_orthanc()` starts one that a test
may fill, pause or kill.

    users     ADMIN, everything              READER, may only GET
              SEARCHER, may only search      NOBODY, may do nothing
    AE titles MOORING, everything            ECHOONLY, no C-FIND          MUTE, no C-ECHO
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from tests.servers.loopback import LoopbackServer
from tests.servers.process import binary, free_port, private_folder
from tests.servers.tls import Certificate, Certificates

TITLE = "ORTHANC"
ADMIN = ("mon", "s3cret-of-orthanc")
READER = ("reader", "s3cret-of-reader")
SEARCHER = ("searcher", "s3cret-of-searcher")
NOBODY = ("nobody", "s3cret-of-nobody")
STUDY = "2.25.1234567890"
_PLUGIN = "libOrthancDicomWeb.so"
_PLUGINS = ("/usr/share/orthanc/plugins", "/usr/local/share/orthanc/plugins")
_RIGHTS = """
function IncomingHttpRequestFilter(method, uri, ip, username, headers)
  if username == "nobody" then return false end
  if username == "searcher" and string.find(uri, "metadata") then return false end
  if username ~= "mon" and method ~= "GET" then return false end
  return true
end
"""


class Orthanc(LoopbackServer):
    """One server: `port` speaks DICOM, `http_port` DICOMweb. `options` are members of its configuration."""

    def __init__(
        self, folder: Path, options: dict[str, Any], certificate: Certificate | None, ca: str
    ) -> None:
        super().__init__(folder)
        self.http_port = free_port()
        secure = {} if certificate is None else _secured(certificate, ca)
        (folder / "rights.lua").write_text(_RIGHTS)
        (folder / "orthanc.json").write_text(json.dumps({**self._config(), **secure, **options}))

    def inside(self) -> list[str]:
        return [binary("Orthanc", "orthanc"), str(self.folder / "orthanc.json")]

    def ports(self) -> list[int]:
        return [self.port, self.http_port]

    def ready(self) -> bool:
        return bool(self.ask("GET", "/system").json()["DicomAet"])

    def ask(self, method: str, path: str, **what: Any) -> httpx.Response:
        """Send one request as the administrator."""
        url = f"http://127.0.0.1:{self.http_port}{path}"
        return httpx.request(method, url, auth=ADMIN, timeout=5, **what).raise_for_status()

    def store(self) -> None:
        """Put one study of one instance in."""
        self.ask("POST", "/instances", content=_instance())

    def url(self, called: str = TITLE, *, calling: str = "MOORING", scheme: str = "dicom") -> str:
        """Return the address of its DICOM side."""
        host = "127.0.0.1" if scheme == "dicom" else "localhost"
        return f"{scheme}://{called}@{host}:{self.port}?calling_aet={calling}"

    def web(self, login: tuple[str, str] | None = ADMIN, *, path: str = "/dicom-web") -> str:
        """Return the address of its DICOMweb side; without a login none is tried."""
        who = "" if login is None else f"{login[0]}:{login[1]}@"
        return f"dicomweb+http://{who}127.0.0.1:{self.http_port}{path}"

    def _config(self) -> dict[str, Any]:
        folder = str(self.folder)
        return {
            "Name": "tests",
            "StorageDirectory": folder,
            "IndexDirectory": folder,
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": dict((ADMIN, READER, SEARCHER, NOBODY)),
            "LuaScripts": [str(self.folder / "rights.lua")],
            "DicomAet": TITLE,
            "DicomPort": self.port,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowEcho": False,
            "DicomAlwaysAllowFind": False,
            "DicomAlwaysAllowStore": False,
            "DicomModalities": {
                "all": {"AET": "MOORING", "Host": "127.0.0.1", "Port": 104},
                "mute": {"AET": "MUTE", "Host": "127.0.0.1", "Port": 104, "AllowEcho": False},
                "echo": {"AET": "ECHOONLY", "Host": "127.0.0.1", "Port": 104, "AllowFind": False},
            },
            "ConcurrentJobs": 1,
            "SaveJobs": False,
            "StorageCompression": False,
            "Plugins": [_plugin()],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }


def _secured(certificate: Certificate, ca: str) -> dict[str, Any]:
    """Return the options that turn TLS on for DICOM. Over HTTPS, Debian's Orthanc ends with a fault."""
    return {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": certificate.cert,
        "DicomTlsPrivateKey": certificate.key,
        "DicomTlsTrustedCertificates": ca,
        "DicomTlsRemoteCertificateRequired": True,
    }


def _plugin() -> str:
    found = [path for folder in _PLUGINS if (path := Path(folder) / _PLUGIN).exists()]
    if not found:
        pytest.skip(f"{_PLUGIN} is not installed: apt-get install orthanc-dicomweb")
    return str(found[0])


def _instance() -> bytes:
    """Return the smallest instance that a server files: one without pixels."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"{STUDY}.1.1"
    data.StudyInstanceUID, data.SeriesInstanceUID = STUDY, f"{STUDY}.1"
    data.PatientID, data.PatientName, data.StudyDate, data.Modality = "P1", "Test^Mooring", "20260101", "OT"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = meta
    file = BytesIO()
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


StartOrthanc: TypeAlias = Callable[..., AbstractContextManager[Orthanc]]
"""`with start_orthanc({"DicomAlwaysAllowStore": False}) as server:`"""


@pytest.fixture(scope="session")
def start_orthanc(namespace: None, certificates: Certificates) -> StartOrthanc:
    """Starts a server that the test may mistreat."""

    @contextmanager
    def start(
        options: dict[str, Any] | None = None, certificate: Certificate | None = None
    ) -> Iterator[Orthanc]:
        with (
            private_folder() as folder,
            Orthanc(folder, options or {}, certificate, certificates.ca) as server,
        ):
            yield server

    return start


@pytest.fixture(scope="session")
def orthanc(start_orthanc: StartOrthanc) -> Iterator[Orthanc]:
    """One server for the session; only ask it."""
    with start_orthanc() as server:
        server.store()
        yield server


@pytest.fixture(scope="session")
def orthanc_tls(start_orthanc: StartOrthanc, certificates: Certificates) -> Iterator[Orthanc]:
    """One server for the session that speaks DICOM over TLS only; only ask it."""
    with start_orthanc(certificate=certificates.good) as server:
        yield server
