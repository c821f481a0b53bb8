"""DICOM against Orthanc and DCMTK; broken by a called AE title that is not the peer's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Example, Fault, asking
from tests.integration.over_tls import asking_over_tls, certified, stranger
from tests.servers.dcmtk import CLOSED, Receiver, StartQrscp, StartReceiver, held
from tests.servers.orthanc import Orthanc

DIALS = True
DRIVER_ERRORS = ("pynetdicom.fsm", "pydicom.errors")
BARE = {"url": "dicom://PACS@host"}


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's Orthanc, queried as well."""
    server: Orthanc = request.getfixturevalue("orthanc")
    yield Example(
        settings={"url": server.url(), "find": "STUDY"},
        broken={"url": server.url("WRONG")},
        port=server.port,
        sessions=server.sessions,
        server=server,
    )


@contextmanager
def _full(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartQrscp = request.getfixturevalue("start_qrscp")
    with start(1) as server, held(server):
        yield {"url": server.url()}


@contextmanager
def _refusing(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartReceiver = request.getfixturevalue("start_receiver")
    with start("--refuse") as server:
        yield {"url": server.url()}


@contextmanager
def _mute(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartReceiver = request.getfixturevalue("start_receiver")
    with start(mute=True) as server:
        yield {"url": server.url()}


@contextmanager
def _hanging(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Any]]:
    start: StartQrscp = request.getfixturevalue("start_qrscp")
    with start() as server, server.paused():
        yield {"url": server.url()}


def _over_tls(server: Receiver) -> Mapping[str, Any]:
    return {"url": server.url(scheme="dicoms", host="localhost")}


FAULTS = (
    Fault(
        "the peer does not know our AE title",
        (Stage.AUTH, Reason.AUTH, "CALLING_AE_UNKNOWN"),
        asking("orthanc", lambda server: {"url": server.url(calling="STRANGER")}),
        hint="Register calling AE title STRANGER, coming from 127.0.0.1, on the peer; the line is for an "
        "Orthanc's DicomModalities.",
        fix='"STRANGER": ["STRANGER", "127.0.0.1", 104]',
    ),
    Fault(
        "the peer has another AE title",
        (Stage.AUTH, Reason.NOT_FOUND, "CALLED_AE_UNKNOWN"),
        asking("orthanc", lambda server: {"url": server.url("WRONG")}),
        hint="Put the peer's own AE title before the @ of the address, where it is WRONG now."
        " DCMTK says the same where it does not know calling AE title MOORING.",
    ),
    Fault(
        "the archive keeps this AE title for others",
        (Stage.AUTH, Reason.NOT_FOUND, "CALLED_AE_UNKNOWN"),
        asking("qrscp", lambda server: {"url": server.url(CLOSED)}),
        hint="Put the peer's own AE title before the @ of the address, where it is CLOSED now."
        " DCMTK says the same where it does not know calling AE title MOORING.",
    ),
    Fault(
        "the peer accepts us and allows us no C-ECHO",
        (Stage.PERMISSION, Reason.PERMISSION, "ECHO_ABORTED"),
        asking("orthanc", lambda server: {"url": server.url(calling="MUTE")}),
        hint="Register calling AE title MUTE, coming from 127.0.0.1, on the peer, with the right to C-ECHO; "
        "the line is for an Orthanc's DicomModalities. If it is registered there, see that its "
        "AllowEcho is not false, and look into the peer's log.",
        fix='"MUTE": ["MUTE", "127.0.0.1", 104]',
    ),
    Fault(
        "the peer allows us C-ECHO and no C-FIND",
        (Stage.PERMISSION, Reason.PERMISSION, "FIND_ABORTED"),
        asking("orthanc", lambda server: {"url": server.url(calling="ECHOONLY"), "find": "STUDY"}),
        hint="Register calling AE title ECHOONLY, coming from 127.0.0.1, on the peer, with the right to "
        "C-FIND; the line is for an Orthanc's DicomModalities. If it is registered there, see that "
        "its AllowFind is not false, and look into the peer's log.",
        fix='"ECHOONLY": ["ECHOONLY", "127.0.0.1", 104]',
    ),
    Fault(
        "the peer receives images and cannot be queried",
        (Stage.PERMISSION, Reason.PERMISSION, "FIND_NOT_ACCEPTED"),
        asking("receiver", lambda server: {"url": server.url(), "find": "STUDY"}),
        hint="Allow C-FIND to calling AE title MOORING on the peer, or ask the AE and port that offer it.",
    ),
    Fault(
        "the peer has no worklist",
        (Stage.PERMISSION, Reason.PERMISSION, "FIND_NOT_ACCEPTED"),
        asking("orthanc", lambda server: {"url": server.url(), "find": "WORKLIST"}),
        hint="Allow C-FIND to calling AE title MOORING on the peer, or ask the AE and port that offer it.",
    ),
    Fault(
        "the peer does not offer C-ECHO",
        (Stage.PERMISSION, Reason.PERMISSION, "ECHO_NOT_ACCEPTED"),
        _mute,
        hint="Allow C-ECHO to calling AE title MOORING on the peer, or ask the AE and port that offer it.",
    ),
    Fault(
        "the peer rejects everybody and says no reason",
        (Stage.AUTH, Reason.AUTH, "REJECTED"),
        _refusing,
        hint="The peer says no more than no: look into its log, and whether it knows calling AE title "
        "MOORING, coming from 127.0.0.1.",
    ),
    Fault(
        "the peer has no room for another association",
        (Stage.AUTH, Reason.OVERLOADED, "TOO_MANY_ASSOCIATIONS"),
        _full,
        hint="Raise the peer's limit of associations, or find who keeps them open.",
    ),
    Fault(
        "the archive no longer has what it is asked for",
        (Stage.FUNCTION, Reason.ASSERTION, "TOO_FEW_MATCHES"),
        asking(
            "orthanc",
            lambda server: {
                "url": server.url(),
                "find": "STUDY",
                "find_keys": {"PatientID": "P2"},
                "find_matches": 1,
            },
        ),
        hint="Look whether the peer still has what find_keys asks for.",
    ),
    Fault(
        "a key of the C-FIND does not exist in DICOM",
        (Stage.FUNCTION, Reason.CONFIG, "UNKNOWN_KEYWORD"),
        asking(
            "orthanc", lambda server: {"url": server.url(), "find": "STUDY", "find_keys": {"Patient": "P1"}}
        ),
        hint="Keywords are written as in the standard: PatientID, StudyDate, ModalitiesInStudy.",
    ),
    Fault(
        "a web server listens on the port",
        (Stage.PROTOCOL, Reason.PROTOCOL, "NOT_DICOM"),
        asking("nginx", lambda server: {"url": f"dicom://X@127.0.0.1:{server.port}"}),
        hint="Something else may listen on that port: compare the address with the service's own.",
    ),
    Fault(
        "the server hangs",
        (Stage.PROTOCOL, Reason.TIMEOUT, "TIMEOUT"),
        _hanging,
        hint="Nothing came back in time: a firewall that drops packets, or a service that hangs.",
        timeout=0.5,
    ),
    Fault(
        "the peer speaks TLS and is asked without",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("receiver_tls", lambda server: {"url": server.url()}),
        hint="Write dicoms:// instead of dicom://, or use the port without TLS.",
    ),
    Fault(
        "an Orthanc speaks TLS and is asked without",
        (Stage.TLS, Reason.TLS, "TLS_EXPECTED"),
        asking("orthanc_tls", lambda server: {"url": server.url()}),
        hint="Write dicoms:// instead of dicom://, or use the port without TLS.",
    ),
    tls_faults.plain_text(
        asking("orthanc", lambda server: {"url": server.url(scheme="dicoms")}),
        "TLS is asked of an Orthanc without it",
    ),
    tls_faults.plain_text(
        asking("receiver", lambda server: {"url": server.url(scheme="dicoms", host="localhost")}),
        "TLS is asked of a port without it",
    ),
    tls_faults.cert_unknown_issuer_sent(
        asking("orthanc_tls", lambda server: {"url": server.url(scheme="dicoms")})
    ),
    tls_faults.cert_expired(certified("start_receiver", "expired", _over_tls)),
    tls_faults.cert_host_mismatch(certified("start_receiver", "wrong_host", _over_tls)),
    tls_faults.client_cert_required(
        asking_over_tls("receiver_tls", _over_tls), "the peer demands a client certificate"
    ),
    tls_faults.client_cert_refused(
        asking_over_tls("receiver_tls", _over_tls, stranger), "the peer does not trust our certificate"
    ),
)
