"""HTTP against nginx."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from tests.integration import tls_faults
from tests.integration.kinds import Arrangement, Example, Fault, asking, asking_cut, asking_played
from tests.integration.kinds._http_sequences import SEQUENCES
from tests.integration.over_tls import another_ca, another_pin, asking_over_tls, certified, stranger
from tests.servers.nginx import LOGIN, Nginx

DIALS = True


_COMPARE = "Ask the service by hand: correct it, or what this target expects of its answer."
_DOWN = "The service says that it is not ready: starting, stopping or overwhelmed."
_BEHIND = "A proxy answers, and the service behind it does not."
_OTHER = "Send the request by hand and read the answer: correct the request, or expect_status."
_OURS = "Set tls.cert and tls.key to a certificate that the server accepts."
_REDIRECT = "Correct where the server redirects to, or give the address of the place meant."
_CUT = "The peer hung up: it may speak TLS or something else on that port, or a proxy cuts connections."
_LATE = "Nothing came back in time: a firewall that drops packets, or a service that hangs."


@contextmanager
def good(request: pytest.FixtureRequest) -> Iterator[Example]:
    """A path behind a login; broken by a wrong password."""
    server: Nginx = request.getfixturevalue("nginx")
    user, password = LOGIN
    yield Example(
        settings={"url": server.url("/private", user=user, password=password)},
        broken={"url": server.url("/private", user=user, password="wrong")},
        port=server.port,
        sessions=server.sessions,
        secret=password,
        server=server,
    )


def asked_for(path: str, **settings: Any) -> Arrangement:
    """Return the arrangement of nginx, asked for a path."""
    return asking("nginx", lambda server: {"url": server.url(path), **settings})


def _secure(server: Nginx) -> Mapping[str, Any]:
    return {"url": f"https://localhost:{server.tls_port}/"}


def _mutual(server: Nginx) -> Mapping[str, Any]:
    return {"url": f"https://localhost:{server.mtls_port}/"}


def played(answer: bytes, then: str = "close", **settings: Any) -> Arrangement:
    """Return the arrangement of a server that answers oddly, as no real one does."""
    return asking_played(
        answer, lambda port: {"url": f"http://127.0.0.1:{port}/", **settings}, after=b"\r\n\r\n", then=then
    )


def _fails(reason: Reason, code: str, stage: Stage = Stage.FUNCTION) -> tuple[Stage, Reason, str]:
    return stage, reason, code


_CODES = (
    Fault(
        "no login is given and one is needed",
        _fails(Reason.AUTH, "HTTP_401", Stage.AUTH),
        asked_for("/private"),
        hint="The server asks for a login: put user:password into the address, or set token.",
    ),
    Fault(
        "the login is rejected",
        _fails(Reason.AUTH, "HTTP_401", Stage.AUTH),
        asking("nginx", lambda server: {"url": server.url("/private", user=LOGIN[0], password="wrong")}),
        hint="The server answers and rejects the login: compare it with the service's own.",
    ),
    Fault(
        "the login may not ask for this",
        _fails(Reason.PERMISSION, "HTTP_403", Stage.PERMISSION),
        asked_for("/status/403", token="any-token"),
        hint="The server does not allow this to whoever asks: look at the rights on this path.",
    ),
    Fault(
        "a proxy in between asks for a login",
        _fails(Reason.AUTH, "HTTP_407", Stage.AUTH),
        asked_for("/status/407"),
        hint="A proxy stands in between and asks for a login of its own.",
    ),
    Fault(
        "the path does not exist",
        _fails(Reason.NOT_FOUND, "HTTP_404"),
        asked_for("/no/such/path"),
        hint="Compare the path with the service's own; a reverse proxy may route it elsewhere.",
    ),
    Fault(
        "the path was taken away for good",
        _fails(Reason.NOT_FOUND, "HTTP_410"),
        asked_for("/status/410"),
        hint="It was taken away for good: ask whoever runs the service what stands in its place.",
    ),
    Fault(
        "the service finds fault with the request",
        _fails(Reason.ASSERTION, "HTTP_400"),
        asked_for("/status/400"),
        hint=_OTHER,
    ),
    Fault(
        "the service is asked too often",
        _fails(Reason.OVERLOADED, "HTTP_429"),
        asked_for("/status/429"),
        hint="The server limits how often it is asked: raise the interval.",
    ),
    Fault(
        "the service crashes", _fails(Reason.UNAVAILABLE, "HTTP_500"), asked_for("/status/500"), hint=_DOWN
    ),
    Fault(
        "the service behind a proxy is not there",
        _fails(Reason.UNAVAILABLE, "HTTP_502"),
        asked_for("/status/502"),
        hint=_BEHIND,
    ),
    Fault(
        "the service is not ready",
        _fails(Reason.UNAVAILABLE, "HTTP_503"),
        asked_for("/status/503"),
        hint=_DOWN,
    ),
    Fault(
        "the service behind a proxy does not answer in time",
        _fails(Reason.UNAVAILABLE, "HTTP_504"),
        asked_for("/status/504"),
        hint=_BEHIND,
    ),
    Fault(
        "the service answers where it should not",
        _fails(Reason.ASSERTION, "HTTP_200"),
        asked_for("/", expect_status=[404]),
        hint=_OTHER,
    ),
    Fault(
        "the service redirects and that is not expected",
        _fails(Reason.ASSERTION, "HTTP_302"),
        asked_for("/to/ftp", follow_redirects=False, expect_status=[200]),
        hint="It points to ftp://localhost/.",
    ),
)
_CONTENT = (
    Fault(
        "the body does not hold the text",
        _fails(Reason.ASSERTION, "BODY_WITHOUT_TEXT"),
        asked_for("/", expect_body="all is well"),
        hint=_COMPARE,
    ),
    Fault(
        "nothing in the body matches",
        _fails(Reason.ASSERTION, "BODY_WITHOUT_MATCH"),
        asked_for("/", expect_regex="^k"),
        hint=_COMPARE,
    ),
    Fault(
        "a header is missing",
        _fails(Reason.ASSERTION, "HEADER_MISSING"),
        asked_for("/", expect_headers={"X-None": "1"}),
        hint=_COMPARE,
    ),
    Fault(
        "a header is another",
        _fails(Reason.ASSERTION, "HEADER_MISMATCH"),
        asked_for("/", expect_headers={"X-Answer": "43"}),
        hint=_COMPARE,
    ),
    Fault(
        "a value in the JSON is another",
        _fails(Reason.ASSERTION, "JSON_MISMATCH"),
        asked_for("/json", expect_json={"db.lag": "< 3"}),
        hint=_COMPARE,
    ),
    Fault(
        "a value in the JSON is missing",
        _fails(Reason.ASSERTION, "JSON_MISSING"),
        asked_for("/json", expect_json={"db.size": 3}),
        hint=_COMPARE,
    ),
    Fault(
        "a page for people comes instead of JSON",
        _fails(Reason.ASSERTION, "HTML_NOT_JSON"),
        asked_for("/page", expect_json={"a": 1}),
        hint="This is a page for people: a login page, a front end or an error page. Compare the path.",
    ),
    Fault(
        "the body is no JSON",
        _fails(Reason.ASSERTION, "NOT_JSON"),
        asked_for("/", expect_json={"a": 1}),
        hint=_COMPARE,
    ),
    Fault(
        "the body is packed in a way that nobody asked for (played)",
        _fails(Reason.PROTOCOL, "CONTENT_ENCODING"),
        played(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc", expect_body="abc"),
        hint="Let the server send it as it is where nobody asks for another encoding.",
    ),
    Fault(
        "the body does not end",
        _fails(Reason.TIMEOUT, "TIMEOUT"),
        asked_for("/drip"),
        hint=_LATE,
        timeout=0.4,
    ),
)
_REDIRECTS = (
    Fault(
        "the redirects run in circles",
        _fails(Reason.ASSERTION, "TOO_MANY_REDIRECTS"),
        asked_for("/to/itself"),
        hint="The redirects run in circles.",
    ),
    Fault(
        "a redirect leads to what is no HTTP",
        _fails(Reason.ASSERTION, "BAD_REDIRECT"),
        asked_for("/to/ftp"),
        hint=_REDIRECT,
    ),
    Fault(
        "a redirect would take the body to another host",
        _fails(Reason.ASSERTION, "BAD_REDIRECT"),
        asked_for("/to/elsewhere?port=1", method="POST", body="secret"),
        hint=_REDIRECT,
    ),
    Fault(
        "a redirect leads where nothing listens",
        _fails(Reason.REFUSED, "ECONNREFUSED", Stage.TCP),
        asked_for("/to/nowhere"),
        hint="The machine is there: is the service running, and is the port right?",
    ),
    Fault(
        "a redirect leads to what the egress policy refuses",
        _fails(Reason.ASSERTION, "BAD_REDIRECT"),
        asked_for("/to/metadata"),
        hint=_REDIRECT,
    ),
)
_ENCRYPTION = (
    tls_faults.cert_expired(certified("start_nginx", "expired", _secure)),
    tls_faults.cert_host_mismatch(certified("start_nginx", "wrong_host", _secure)),
    tls_faults.cert_of_another_ca(asking_over_tls("nginx", _secure, another_ca), sent=False),
    tls_faults.pin_mismatch(asking_over_tls("nginx", _secure, another_pin)),
    tls_faults.client_cert_required(asking_over_tls("nginx", _mutual)),
    tls_faults.client_cert_refused(asking_over_tls("nginx", _mutual, stranger)),
    Fault(
        "https is asked of a port in plain text",
        _fails(Reason.TLS, "PLAIN_TEXT", Stage.TLS),
        asking("nginx", lambda server: {"url": f"https://127.0.0.1:{server.port}/"}),
        hint="Write the address with http://, or ask the port that speaks TLS.",
    ),
    Fault(
        "http is asked of a port with TLS",
        _fails(Reason.PROTOCOL, "TLS_EXPECTED", Stage.PROTOCOL),
        asking("nginx", lambda server: {"url": f"http://127.0.0.1:{server.tls_port}/"}),
        hint="Write the address with https:// (wss:// for a websocket).",
    ),
    Fault(
        "http is asked of a port with TLS that hangs up",
        _fails(Reason.PROTOCOL, "TLS_EXPECTED", Stage.PROTOCOL),
        asking_cut(lambda port: {"url": f"http://localhost:{port}/"}),
        hint="Write the address with https:// (wss:// for a websocket).",
    ),
)
_PROTOCOL = (
    Fault(
        "something else listens on the port",
        _fails(Reason.PROTOCOL, "NOT_HTTP", Stage.PROTOCOL),
        asking("mariadb", lambda server: {"url": f"http://127.0.0.1:{server.port}/"}),
        hint="Something else listens on that port: compare host and port with the service's own.",
    ),
    Fault(
        "the server hangs up in the middle of its headers (played)",
        _fails(Reason.NETWORK, "CUT_OFF", Stage.PROTOCOL),
        played(b"HTTP/1.1 200 OK\r\nServ"),
        hint=_CUT,
    ),
    Fault(
        "the server hangs up in the middle of its body (played)",
        _fails(Reason.NETWORK, "CUT_OFF"),
        played(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"),
        hint=_CUT,
    ),
    Fault(
        "the server answers nothing (played)",
        _fails(Reason.TIMEOUT, "TIMEOUT", Stage.PROTOCOL),
        played(b"", "hold"),
        hint=_LATE,
        timeout=0.3,
    ),
)
FAULTS = (*_CODES, *_CONTENT, *_REDIRECTS, *_ENCRYPTION, *_PROTOCOL, *SEQUENCES)
