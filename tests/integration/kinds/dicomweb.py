"""DICOMweb against Orthanc, alone and behind nginx; broken by a wrong password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Example, Fault, asking
from tests.integration.over_tls import asking_over_tls, certified
from tests.servers.orthanc import ADMIN, NOBODY, READER, SEARCHER, Orthanc

DIALS = True


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """The session's Orthanc, searched, retrieved from and asked about storing."""
    server: Orthanc = request.getfixturevalue("orthanc")
    yield Example(
        settings={"url": server.web(), "retrieve": True, "store": True},
        broken={"url": server.web((ADMIN[0], "wrong"))},
        port=server.http_port,
        sessions=lambda: server.sessions(server.http_port),
        secret=ADMIN[1],
        server=server,
    )


FAULTS = (
    Fault(
        "no login is given and one is needed",
        (Stage.AUTH, Reason.AUTH, "HTTP_401"),
        asking("orthanc", lambda server: {"url": server.web(None)}),
        hint="The server asks for a login: put user:password into the address, or set token.",
    ),
    Fault(
        "the password is wrong",
        (Stage.AUTH, Reason.AUTH, "HTTP_401"),
        asking("orthanc", lambda server: {"url": server.web((ADMIN[0], "wrong"))}),
        hint="The server answers and rejects the login: compare it with the service's own.",
    ),
    Fault(
        "the bearer token is not accepted",
        (Stage.AUTH, Reason.AUTH, "HTTP_401"),
        asking("pacs_gateway", lambda server: {"url": server.web("/bearer"), "token": "wrong"}),
        hint="The server answers and rejects the login: compare it with the service's own.",
    ),
    Fault(
        "the API key is sent in another header than the server reads",
        (Stage.AUTH, Reason.AUTH, "HTTP_401"),
        asking("pacs_gateway", lambda server: {"url": server.web("/key"), "api_key": "any"}),
        hint="The server answers and rejects the login: compare it with the service's own.",
    ),
    Fault(
        "the login may not search",
        (Stage.PERMISSION, Reason.PERMISSION, "HTTP_403"),
        asking("orthanc", lambda server: {"url": server.web(NOBODY)}),
        hint="Grant whoever asks the right to search for studies (QIDO-RS).",
    ),
    Fault(
        "the login may search and not retrieve",
        (Stage.PERMISSION, Reason.PERMISSION, "WADO_403"),
        asking("orthanc", lambda server: {"url": server.web(SEARCHER), "retrieve": True}),
        hint="Grant this login the right to retrieve (WADO-RS).",
    ),
    Fault(
        "the login may read and not store",
        (Stage.PERMISSION, Reason.PERMISSION, "STOW_403"),
        asking("orthanc", lambda server: {"url": server.web(READER), "retrieve": True, "store": True}),
        hint="Grant this login the right to store (STOW-RS).",
    ),
    Fault(
        "nothing can be stored at that address",
        (Stage.FUNCTION, Reason.NOT_FOUND, "STOW_405"),
        asking("pacs_gateway", lambda server: {"url": server.web("/read-only", login=ADMIN), "store": True}),
        hint="The server does not store at that path: see what its manual says.",
    ),
    Fault(
        "the path is wrong",
        (Stage.FUNCTION, Reason.NOT_FOUND, "HTTP_404"),
        asking("orthanc", lambda server: {"url": server.web(path="/dicomweb")}),
        hint="Compare the path with the server's own: it is /dicom-web on an Orthanc, "
        "/dcm4chee-arc/aets/AET/rs on a dcm4chee; where searching has a path of its own, set "
        "qido_prefix.",
    ),
    Fault(
        "a viewer's page answers instead",
        (Stage.FUNCTION, Reason.PROTOCOL, "HTML"),
        asking("pacs_gateway", lambda server: {"url": server.web("/viewer")}),
        hint="A viewer or a sign-in page answers there: compare the path, and what stands before it.",
    ),
    Fault(
        "an API of another kind answers",
        (Stage.FUNCTION, Reason.PROTOCOL, "NOT_DICOM_JSON"),
        asking("pacs_gateway", lambda server: {"url": server.web("/api")}),
        hint="Compare the path with the server's own: it is /dicom-web on an Orthanc, "
        "/dcm4chee-arc/aets/AET/rs on a dcm4chee; where searching has a path of its own, set "
        "qido_prefix.",
    ),
    Fault(
        "the answer is no JSON",
        (Stage.FUNCTION, Reason.PROTOCOL, "NOT_JSON"),
        asking("pacs_gateway", lambda server: {"url": server.web("/text")}),
        hint="Compare the path with the server's own: it is /dicom-web on an Orthanc, "
        "/dcm4chee-arc/aets/AET/rs on a dcm4chee; where searching has a path of its own, set "
        "qido_prefix.",
    ),
    Fault(
        "what answers is JSON too deep to be read",
        (Stage.FUNCTION, Reason.PROTOCOL, "NOT_JSON"),
        asking("pacs_gateway", lambda server: {"url": server.web("/deep")}),
        hint="Compare the path with the server's own: it is /dicom-web on an Orthanc, "
        "/dcm4chee-arc/aets/AET/rs on a dcm4chee; where searching has a path of its own, set "
        "qido_prefix.",
    ),
    Fault(
        "a gateway redirects to its sign-in page",
        (Stage.FUNCTION, Reason.ASSERTION, "HTTP_302"),
        asking("pacs_gateway", lambda server: {"url": server.web("/sign-in")}),
        hint="It points to https://login.example/realms/hospital: write that address, or have the login let "
        "through.",
    ),
    Fault(
        "the server has no answer in DICOM's JSON",
        (Stage.FUNCTION, Reason.PROTOCOL, "HTTP_406"),
        asking("pacs_gateway", lambda server: {"url": server.web("/status/406")}),
        hint="Something answers there that takes no search for studies: compare the path.",
    ),
    Fault(
        "the server limits how often it is asked",
        (Stage.FUNCTION, Reason.OVERLOADED, "HTTP_429"),
        asking("pacs_gateway", lambda server: {"url": server.web("/status/429")}),
        hint="The server limits how often it is asked: raise the interval.",
    ),
    Fault(
        "the archive is starting",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "HTTP_503"),
        asking("pacs_gateway", lambda server: {"url": server.web("/status/503")}),
        hint="The service says that it is not ready: starting, stopping or overwhelmed.",
    ),
    Fault(
        "the gateway runs, and the archive behind it does not",
        (Stage.FUNCTION, Reason.UNAVAILABLE, "HTTP_502"),
        asking("pacs_gateway", lambda server: {"url": server.web("/gone")}),
        hint="A proxy answers, and the service behind it does not.",
    ),
    Fault(
        "the address is that of the DICOM port",
        (Stage.PROTOCOL, Reason.NETWORK, "EOF"),
        asking("orthanc", lambda server: {"url": f"dicomweb+http://127.0.0.1:{server.port}/dicom-web"}),
        hint="The peer hung up: it may speak TLS or something else on that port, or a proxy cuts "
        "connections.",
    ),
    Fault(
        "HTTPS is asked of a port without TLS",
        (Stage.TLS, Reason.TLS, "PLAIN_TEXT"),
        asking("pacs_gateway", lambda server: {"url": server.web("/open", port=server.port)}),
        hint="Write the address with dicomweb+http://, or ask the port that speaks TLS.",
    ),
    Fault(
        "HTTP is asked of a port with TLS",
        (Stage.PROTOCOL, Reason.PROTOCOL, "TLS_EXPECTED"),
        asking("pacs_gateway", lambda server: {"url": f"dicomweb+http://localhost:{server.tls_port}/open"}),
        hint="Write the address with dicomweb+https://.",
    ),
    tls_faults.cert_unknown_issuer(
        asking("pacs_gateway", lambda server: {"url": server.web("/open", port=server.tls_port)})
    ),
    tls_faults.cert_expired(
        certified(
            "start_gateway", "expired", lambda server: {"url": server.web("/open", port=server.tls_port)}
        )
    ),
    tls_faults.client_cert_required(
        asking_over_tls("pacs_gateway", lambda server: {"url": server.web("/open", port=server.mtls_port)})
    ),
)
