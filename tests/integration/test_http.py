"""HTTP against nginx, and against servers that answer oddly: each failure with its exact stage and code."""

from __future__ import annotations

import asyncio
import gzip
import socketserver
import ssl
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import pytest
import uvloop

import mooring
from mooring.core.failure import InputError
from mooring.core.result import CheckResult
from mooring.core.stage import Stage, StageStatus
from mooring.core.status import Status
from tests.servers.nginx import BIG, LOGIN, Nginx, StartNginx
from tests.servers.played import playing
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run[Any]]:
    """Runs a coroutine on each kind of event loop."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


class Odd:
    """A server that answers every request with the same bytes, and what it was asked."""

    def __init__(self, answer: bytes, then: str) -> None:
        self._answer = answer
        self._then = then
        self.asked: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, with its body where one is announced; answer; then close, reset or hold."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
        self.asked.append(head + await reader.readexactly(int(length[0].split(b":")[1]) if length else 0))
        writer.write(self._answer)
        await writer.drain()
        if self._then == "hold":
            await reader.read()
        if self._then == "reset":
            writer.transport.abort()


@asynccontextmanager
async def answering(
    answer: bytes, then: str = "close", *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Odd]:
    """Serve these bytes."""
    odd = Odd(answer, then)
    async with playing(odd.serve, tls=tls) as odd.port:
        yield odd


async def ask(answer: bytes, then: str = "close", **settings: Any) -> CheckResult:
    """Check a server that answers these bytes."""
    async with answering(answer, then) as odd:
        return await mooring.check(odd.url, **settings)


def told(result: CheckResult) -> tuple[str, str | None, str, str]:
    """Return status, stage, reason and code of a check that failed; its trail fails at the same stage."""
    assert result.failure is not None
    failed = [stage.stage for stage in result.stages if stage.status is StageStatus.FAILED]
    assert failed == ([result.failure.stage] if result.failure.stage else [])
    failure = result.failure
    return result.status.value, failure.stage and failure.stage.value, failure.reason.value, failure.code


def passed(result: CheckResult) -> list[str]:
    """Return the stages that ran and passed."""
    return [s.stage.value for s in result.stages if s.status in (StageStatus.PASSED, StageStatus.WARNING)]


def message(result: CheckResult) -> str:
    """Return what a failed check says."""
    assert result.failure is not None
    return result.failure.message


# What works


def test_service_that_answers_is_up(run: Run[CheckResult], nginx: Nginx) -> None:
    """A 200 is up, with every stage timed, and says what was seen."""
    result = run(mooring.check(nginx.url("/")))
    assert (result.status, result.failure) == (Status.UP, None)
    assert passed(result) == ["dns", "tcp", "protocol", "function"]
    assert all(stage.seconds is not None for stage in result.stages if stage.status is StageStatus.PASSED)
    assert result.observation.details == {
        "address": f"127.0.0.1:{nginx.port}",
        "status_code": 200,
        "final_url": nginx.url("/"),
        "http_version": "1.1",
        "server": "nginx/1.22.1",
    }
    assert result.observation.numbers.keys() == {"first_byte_seconds", "transfer_seconds", "body_bytes"}
    assert result.observation.numbers["body_bytes"] == 3
    assert result.target.address == nginx.url("/")


def test_stages_take_no_longer_than_the_check(run: Run[CheckResult], nginx: Nginx) -> None:
    """The stages' times follow one another within the whole."""
    result = run(mooring.check(nginx.url("/")))
    assert 0 < sum(stage.seconds or 0 for stage in result.stages) <= result.seconds


def test_name_is_resolved(run: Run[CheckResult], nginx: Nginx) -> None:
    """A name with several addresses is up when one of them answers."""
    result = run(mooring.check(f"http://localhost:{nginx.port}/"))
    assert result.status is Status.UP
    assert result.observation.details["address"] == f"127.0.0.1:{nginx.port}"


@pytest.mark.parametrize(
    ("path", "settings"),
    [
        ("/", {"method": "HEAD"}),
        ("/status/204", {}),
        ("/status/304", {}),
        ("/status/503", {"expect_status": [200, "5xx"]}),
        ("/to/ok", {"follow_redirects": False}),
        ("/", {"expect_body": "ok", "expect_regex": "^o.$", "expect_headers": {"X-Answer": "42"}}),
        ("/json", {"expect_json": {"status": "ok", "db.connected": True, "db.lag": "< 5"}}),
        ("/json", {"expect_headers": {"content-type": "application/json"}}),
        ("/private", {"headers": {"Authorization": "Basic bW9uOnMzY3JldC1vZi1uZ2lueA=="}}),
    ],
)
def test_expected_answer_is_up(
    run: Run[CheckResult], nginx: Nginx, path: str, settings: dict[str, Any]
) -> None:
    """Whatever is expected and comes is up."""
    assert run(mooring.check(nginx.url(path), **settings)).failure is None


def test_login_in_the_address_is_sent(run: Run[CheckResult], nginx: Nginx) -> None:
    """The address's login passes auth and permission."""
    result = run(
        mooring.check(nginx.url("/private", user=LOGIN[0], password=LOGIN[1]), expect_body="welcome")
    )
    assert passed(result) == ["dns", "tcp", "protocol", "auth", "permission", "function"]


# Status codes


@pytest.mark.parametrize(
    ("code", "stage", "reason"),
    [
        (400, "function", "assertion"),
        (401, "auth", "auth"),
        (403, "permission", "permission"),
        (404, "function", "not_found"),
        (407, "auth", "auth"),
        (410, "function", "not_found"),
        (418, "function", "assertion"),
        (429, "function", "overloaded"),
        (500, "function", "unavailable"),
        (502, "function", "unavailable"),
        (503, "function", "unavailable"),
        (504, "function", "unavailable"),
    ],
)
def test_status_code_has_its_reason(
    run: Run[CheckResult], nginx: Nginx, code: int, stage: str, reason: str
) -> None:
    """Each status code fails at its stage for its reason, and is in code and details."""
    result = run(mooring.check(nginx.url(f"/status/{code}")))
    assert told(result) == ("down", stage, reason, f"HTTP_{code}")
    assert result.observation.details["status_code"] == code
    assert message(result).startswith(f"the server answers {code}")
    assert message(result).endswith(", expected 200-399")


def test_success_that_is_not_expected_is_told(run: Run[CheckResult], nginx: Nginx) -> None:
    """A 200 where 404 has to come is an assertion."""
    result = run(mooring.check(nginx.url("/"), expect_status=[404]))
    assert told(result) == ("down", "function", "assertion", "HTTP_200")
    assert message(result) == "the server answers 200 OK, expected 404"


@pytest.mark.parametrize(
    ("login", "hint"),
    [
        (None, "The server asks for a login: put user:password into the address, or set token."),
        ("wrong", "The server answers and rejects the login: compare it with the service's own."),
    ],
)
def test_missing_and_rejected_logins_are_told_apart(
    run: Run[CheckResult], nginx: Nginx, login: str | None, hint: str
) -> None:
    """A 401 says whether a login is missing or wrong."""
    url = nginx.url("/private", user=login and LOGIN[0], password=login or "")
    result = run(mooring.check(url))
    assert told(result) == ("down", "auth", "auth", "HTTP_401")
    assert result.failure is not None
    assert result.failure.hint == hint


# What the answer holds


@pytest.mark.parametrize(
    ("path", "settings", "code", "text"),
    [
        ("/", {"expect_body": "ko"}, "BODY_WITHOUT_TEXT", "the body does not hold 'ko'"),
        ("/", {"expect_regex": "^k"}, "BODY_WITHOUT_MATCH", "nothing in the body matches '^k'"),
        ("/", {"expect_headers": {"X-None": "1"}}, "HEADER_MISSING", "the answer has no header X-None"),
        (
            "/",
            {"expect_headers": {"x-answer": "43"}},
            "HEADER_MISMATCH",
            "the header x-answer is '42', expected '43' in it",
        ),
        (
            "/json",
            {"expect_json": {"db.lag": "< 3"}},
            "JSON_MISMATCH",
            "the JSON has 3 at 'db.lag', expected \"< 3\"",
        ),
        ("/json", {"expect_json": {"db.size": 3}}, "JSON_MISSING", "the JSON has nothing at 'db.size'"),
        ("/page", {"expect_json": {"a": 1}}, "HTML_NOT_JSON", "the answer is HTML, expected JSON"),
        ("/", {"expect_json": {"a": 1}}, "NOT_JSON", "the body is no JSON: b'ok\\n'"),
    ],
)
def test_answer_that_differs_is_an_assertion(
    run: Run[CheckResult], nginx: Nginx, path: str, settings: dict[str, Any], code: str, text: str
) -> None:
    """Whatever else comes fails at function, and says what was there."""
    result = run(mooring.check(nginx.url(path), **settings))
    assert told(result) == ("down", "function", "assertion", code)
    assert message(result) == text
    assert result.observation.details["status_code"] == 200


def test_long_body_is_cut_and_said_to_be(run: Run[CheckResult], nginx: Nginx) -> None:
    """Of a long body the first MiB is read, and an expectation that is not met says so."""
    result = run(mooring.check(nginx.url("/big")))
    assert result.status is Status.UP
    assert result.observation.numbers["body_bytes"] == BIG / 2
    assert result.observation.details["body_cut"] is True
    result = run(mooring.check(nginx.url("/big"), expect_body="not there", body_limit=100))
    assert message(result) == "the body does not hold 'not there' (only its first 100 bytes were read)"


def test_body_that_drips_times_out_at_function(run: Run[CheckResult], nginx: Nginx) -> None:
    """A server that answered and does not get to the end has passed protocol."""
    result = run(mooring.check(nginx.url("/drip"), timeout=0.3))
    assert told(result) == ("down", "function", "timeout", "TIMEOUT")
    assert passed(result) == ["dns", "tcp", "protocol"]
    assert message(result) == "no answer at function within 0.3 s"


# Redirects


def test_redirect_is_followed(run: Run[CheckResult], nginx: Nginx) -> None:
    """The place that a redirect points to counts, and is told."""
    result = run(mooring.check(nginx.url("/to/ok"), expect_body="ok"))
    assert result.status is Status.UP
    details = result.observation.details
    assert (details["final_url"], details["redirects"], details["status_code"]) == (nginx.url("/"), 1, 200)
    assert passed(result) == ["dns", "tcp", "protocol", "function"]


def test_login_follows_within_one_host(run: Run[CheckResult], nginx: Nginx) -> None:
    """A 307 within one host takes the login along."""
    assert run(mooring.check(nginx.url("/to/private", user=LOGIN[0], password=LOGIN[1]))).failure is None


def test_login_never_goes_to_another_host(run: Run[CheckResult]) -> None:
    """A redirect to another host loses login, secret headers and the Host header, and keeps harmless ones."""

    async def check() -> tuple[CheckResult, bytes]:
        async with answering(OK) as there:
            elsewhere = f"http://localhost:{there.port}/there"
            redirect = (
                b"HTTP/1.1 302 Found\r\nLocation: " + elsewhere.encode() + b"\r\nContent-Length: 0\r\n\r\n"
            )
            async with answering(redirect) as here:
                headers = {"X-Api-Key": "geheim", "Accept": "text/x", "Host": "shop.example"}
                result = await mooring.check(here.url, token="geheim", headers=headers)
                assert b"Bearer geheim" in here.asked[0]
                assert b"X-Api-Key: geheim" in here.asked[0]
        return result, there.asked[0]

    result, asked = run(check())
    assert result.failure is None
    assert b"geheim" not in asked
    assert asked.startswith(b"GET /there HTTP/1.1\r\nHost: localhost:")
    assert b"Accept: text/x\r\n" in asked


def test_missing_login_after_a_redirect_is_not_a_rejected_one(run: Run[CheckResult], nginx: Nginx) -> None:
    """Where the login was left behind, nobody is told to correct it."""
    url = nginx.url(f"/to/elsewhere?port={nginx.port}", user=LOGIN[0], password=LOGIN[1])
    result = run(mooring.check(url))
    assert told(result) == ("down", "auth", "auth", "HTTP_401")
    assert message(result) == (
        "the server answers 401 Unauthorized, expected 200-399"
        f" (redirected to http://localhost:{nginx.port}/private)"
    )
    assert result.failure is not None
    assert result.failure.hint is not None
    assert result.failure.hint.startswith("The server asks for a login")


def test_body_never_goes_to_another_host(run: Run[CheckResult], nginx: Nginx) -> None:
    """A 307 to another host is not followed with a body."""
    result = run(mooring.check(nginx.url("/to/elsewhere?port=1"), method="POST", body="geheim"))
    assert told(result) == ("down", "function", "assertion", "BAD_REDIRECT")
    assert message(result) == (
        "the redirect 307 to 'http://localhost:1/private' cannot be followed:"
        " the body would have to be sent to another host"
    )


@pytest.mark.parametrize(
    ("path", "stage", "reason", "code", "text"),
    [
        (
            "/to/itself",
            "function",
            "assertion",
            "TOO_MANY_REDIRECTS",
            "more than 10 redirects, the last one to ",
        ),
        (
            "/to/ftp",
            "function",
            "assertion",
            "BAD_REDIRECT",
            "the redirect 302 to 'ftp://localhost/' cannot be",
        ),
        ("/to/nowhere", "tcp", "refused", "ECONNREFUSED", "the connection was refused"),
        (
            "/to/metadata",
            "function",
            "assertion",
            "BAD_REDIRECT",
            "the redirect 302 to 'http://169.254.169.254/latest/' cannot be followed: the egress",
        ),
    ],
)
def test_bad_redirect_is_told(
    run: Run[CheckResult], nginx: Nginx, path: str, stage: str, reason: str, code: str, text: str
) -> None:
    """Every hop is policed, timed and told as a first request would be; loops end."""
    result = run(mooring.check(nginx.url(path)))
    assert told(result)[1:] == (stage, reason, code)
    assert message(result).startswith(text)


def test_redirect_to_a_denied_address_fails_at_the_answer(run: Run[CheckResult], nginx: Nginx) -> None:
    """The stages told are those of the answer that leads there, not of an address that nobody dialled."""
    result = run(mooring.check(nginx.url("/to/metadata")))
    assert passed(result) == ["dns", "tcp", "protocol"]
    assert [each.stage for each in result.stages if each.status is StageStatus.FAILED] == [Stage.FUNCTION]


def test_hop_that_fails_is_named(run: Run[CheckResult], nginx: Nginx) -> None:
    """A hop that fails shows no stages of the hop before it, and the details say where it led."""
    result = run(mooring.check(nginx.url("/to/nowhere")))
    assert passed(result) == ["dns"]
    assert result.observation.details["final_url"] == "http://127.0.0.1:1/"


# TLS


def secure(nginx: Nginx, path: str = "/", *, mutual: bool = False) -> str:
    """Return an https address."""
    return f"https://127.0.0.1:{nginx.mtls_port if mutual else nginx.tls_port}{path}"


def test_trusted_certificate_is_up(run: Run[CheckResult], nginx: Nginx, certificates: Certificates) -> None:
    """TLS is a stage of its own, and the days left are a number."""
    result = run(mooring.check(secure(nginx), tls={"ca": certificates.ca}))
    assert result.status is Status.UP
    assert passed(result) == ["dns", "tcp", "tls", "protocol", "function"]
    assert 690 < result.observation.numbers["certificate_days_left"] < 700
    assert result.observation.details["tls_version"] == "TLSv1.3"


def test_expiring_certificate_degrades(
    run: Run[CheckResult], start_nginx: StartNginx, certificates: Certificates
) -> None:
    """A certificate that ends in five days works and warns."""
    with start_nginx(certificates.expiring) as server:
        result = run(mooring.check(secure(server), tls={"ca": certificates.ca}))
    assert (result.status, result.failure) == (Status.DEGRADED, None)
    assert [w.partition(" days,")[0] for w in result.observation.warnings] == ["the certificate expires in 5"]


def test_pin_is_checked_before_anything_secret_is_sent(
    run: Run[CheckResult], certificates: Certificates
) -> None:
    """A server with another certificate than the pinned one gets no request."""

    async def check() -> tuple[CheckResult, list[bytes]]:
        async with answering(OK, tls=certificates.good.server_context()) as odd:
            url = odd.url.replace("http", "https")
            up = await mooring.check(url, token="geheim", tls={"pin": certificates.good.pin})
            assert up.failure is None
            odd.asked.clear()
            return await mooring.check(url, token="geheim", tls={"pin": certificates.client.pin}), odd.asked

    result, asked = run(check())
    assert told(result) == ("down", "tls", "tls", "PIN_MISMATCH")
    assert asked == []


def test_tls_and_plain_text_are_told_apart(
    run: Run[CheckResult], nginx: Nginx, certificates: Certificates
) -> None:
    """An https address of a plain port, and http to a TLS port, each say what to write instead."""
    result = run(mooring.check(nginx.url("/").replace("http", "https")))
    assert told(result) == ("down", "tls", "tls", "PLAIN_TEXT")
    assert result.failure is not None
    assert result.failure.hint == "Write the address with http://, or ask the port that speaks TLS."
    result = run(mooring.check(f"http://127.0.0.1:{nginx.tls_port}/"))
    assert told(result) == ("down", "protocol", "protocol", "TLS_EXPECTED")
    assert result.failure is not None
    assert result.failure.hint == "Write the address with https:// (wss:// for a websocket)."


def test_client_certificate_is_sent(run: Run[CheckResult], nginx: Nginx, certificates: Certificates) -> None:
    """A server that demands a certificate gets ours; without one, or with a stranger's, it fails at tls."""
    url, ca = secure(nginx, mutual=True), certificates.ca
    ours, others = certificates.client, certificates.unknown_client
    assert run(mooring.check(url, tls={"ca": ca, "cert": ours.cert, "key": ours.key})).failure is None
    result = run(mooring.check(url, tls={"ca": ca}))
    assert told(result) == ("down", "tls", "tls", "CLIENT_CERT_REQUIRED")
    result = run(mooring.check(url, tls={"ca": ca, "cert": others.cert, "key": others.key}))
    assert told(result) == ("down", "tls", "tls", "CLIENT_CERT_REFUSED")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_client_certificate_that_the_handshake_refuses_is_told(
    run: Run[CheckResult], certificates: Certificates, version: ssl.TLSVersion
) -> None:
    """A server that ends the handshake over our certificate is told at tls, in both versions."""
    context = certificates.good.server_context(client_ca=certificates.ca)
    context.maximum_version = version
    ca, others = certificates.ca, certificates.unknown_client
    with strict(context) as port:
        url = f"https://127.0.0.1:{port}/"
        result = run(mooring.check(url, tls={"ca": ca, "cert": others.cert, "key": others.key}))
    assert told(result) == ("down", "tls", "tls", "CLIENT_CERT_REFUSED")


@contextmanager
def strict(context: ssl.SSLContext) -> Iterator[int]:
    """Serve in a thread: asyncio's own servers cut a failed handshake before its alert is sent."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as tls:
                tls.recv(1000)
                tls.sendall(OK)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


# Odd answers


@pytest.mark.parametrize(
    ("answer", "then", "stage", "reason", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "close", "protocol", "protocol", "NOT_HTTP"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "close", "protocol", "protocol", "TLS_EXPECTED"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "close", "protocol", "protocol", "BAD_HTTP"),
        (b"", "close", "protocol", "network", "EOF"),
        (b"", "reset", "protocol", "network", "EOF"),
        (b"HTTP/1.1 200 OK\r\nServ", "close", "protocol", "network", "CUT_OFF"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "close", "function", "network", "CUT_OFF"),
        (
            b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "hold",
            "function",
            "assertion",
            "HTTP_101",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://a:b/\r\n\r\n",
            "close",
            "function",
            "assertion",
            "BAD_REDIRECT",
        ),
        (b"HTTP/1.0 408 Too late\r\n\r\n", "close", "function", "unavailable", "HTTP_408"),
        (b"HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n", "close", "function", "unavailable", "HTTP_599"),
        (b"", "hold", "protocol", "timeout", "TIMEOUT"),
        (b"HTTP/1.1 200 OK\r\nX-A: b", "hold", "protocol", "timeout", "TIMEOUT"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "hold", "function", "timeout", "TIMEOUT"),
    ],
)
def test_odd_answer_is_told(
    run: Run[CheckResult], answer: bytes, then: str, stage: str, reason: str, code: str
) -> None:
    """Every way not to answer in HTTP has its stage, reason and code."""
    assert told(run(ask(answer, then, timeout=0.3))) == ("down", stage, reason, code)


def test_redirect_without_a_location_is_an_answer(run: Run[CheckResult]) -> None:
    """A 302 that leads nowhere is itself what the server answers."""
    assert run(ask(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")).failure is None


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"all is well", mtime=0)),
        ("deflate", zlib.compress(b"all is well")),
        ("identity", b"all is well"),
    ],
    ids=["gzip", "deflate", "identity"],
)
def test_packed_body_is_unpacked(run: Run[CheckResult], encoding: str, body: bytes) -> None:
    """Both gzip and deflate are read though nobody asked for them."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert run(ask(head + body, expect_body="all is well")).failure is None


def test_body_packed_in_another_way_is_told(run: Run[CheckResult]) -> None:
    """What cannot be unpacked is told where the body matters, and only there."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"
    assert run(ask(answer)).failure is None
    result = run(ask(answer, expect_body="abc"))
    assert told(result) == ("down", "function", "protocol", "CONTENT_ENCODING")


def test_small_bomb_stays_small(run: Run[CheckResult]) -> None:
    """A body that unpacks to far more than was read is unpacked to a MiB only."""
    body = gzip.compress(b"a" * 50_000_000 + b"end")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert told(run(ask(head + body, expect_body="end")))[3] == "BODY_WITHOUT_TEXT"


@pytest.mark.parametrize(
    ("charset", "body"),
    [("iso-8859-1", "grün".encode("latin-1")), ("no-such", "grün".encode()), ("rot13", "grün".encode())],
)
def test_body_is_read_in_its_character_set(run: Run[CheckResult], charset: str, body: bytes) -> None:
    """The body is compared as the text that it is; without a known character set as UTF-8."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert run(ask(head + body, expect_body="grün")).failure is None


def test_request_is_sent_as_it_is_set(run: Run[CheckResult]) -> None:
    """Method, headers, token and body arrive."""

    async def check() -> bytes:
        async with answering(OK) as odd:
            headers = {"Content-Type": "application/json", "X-Key": "k"}
            await mooring.check(odd.url, method="POST", body='{"a": "ä"}', token="geheim", headers=headers)
            return odd.asked[0]

    head, _, body = run(check()).partition(b"\r\n\r\n")
    assert body == '{"a": "ä"}'.encode()
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert {b"Content-Type: application/json", b"X-Key: k", b"Authorization: Bearer geheim"} < set(
        head.split(b"\r\n")
    )


def test_echoed_login_is_masked(run: Run[CheckResult]) -> None:
    """A server that sends our login back puts it into no message: neither the token nor its header."""

    async def check() -> CheckResult:
        answer = b"HTTP/1.1 200 OK\r\nX-Seen: Bearer s3cret-token\r\nContent-Length: 0\r\n\r\n"
        async with answering(answer) as odd:
            return await mooring.check(odd.url, token="s3cret-token", expect_headers={"X-Seen": "nobody"})

    result = run(check())
    assert told(result)[3] == "HEADER_MISMATCH"
    assert "s3cret" not in repr(result)
    assert message(result) == "the header X-Seen is '***', expected 'nobody' in it"


# Settings


@pytest.mark.parametrize(
    ("settings", "field", "text"),
    [
        (
            {"expect_status": ["9xx"]},
            "expect_status",
            '\'9xx\' is no status code: 200, "2xx" and "200-399" are',
        ),
        ({"expect_regex": "("}, "expect_regex", "is no regular expression: missing ) at position 1"),
        ({"headers": {"a b": "c"}}, "headers", "'a b' is no header name: letters, digits and - only"),
        ({"token": "ä"}, "token", "holds a letter that is not ASCII"),
        ({"token": ""}, "token", "is empty, or holds a line break or spaces around it"),
        ({"token": "a\nb"}, "token", "is empty, or holds a line break or spaces around it"),
        (
            {"token": "x", "headers": {"authorization": "y"}},
            "url",
            "a login stands in token and in headers; one is enough",
        ),
    ],
)
async def test_setting_that_cannot_be_used_is_refused(
    settings: dict[str, Any], field: str, text: str
) -> None:
    """A mistake in the settings is told before anything is asked."""
    with pytest.raises(InputError) as caught:
        await mooring.check("http://127.0.0.1:1/", **settings)
    assert [(p.field, p.message) for p in caught.value.problems] == [(field, text)]
