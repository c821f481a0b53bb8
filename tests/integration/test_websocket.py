"""Websockets against real servers: each failure with its exact stage, reason and code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest
import uvloop

import mooring
from mooring.core.failure import InputError
from mooring.core.result import CheckResult
from mooring.core.stage import StageStatus
from mooring.core.status import Status
from tests.servers.nginx import Nginx
from tests.servers.played import playing
from tests.servers.process import poll_until
from tests.servers.tls import Certificates
from tests.servers.websocket import TOKEN, StartWebSocketServer, WebSocketServer

pytestmark = pytest.mark.integration

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run[Any]]:
    """Runs a coroutine on each kind of event loop."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


def told(result: CheckResult) -> tuple[str, str | None, str, str]:
    """Return status, stage, reason and code of a check that failed; its trail fails at the same stage."""
    failure = result.failure
    assert failure is not None
    failed = [stage.stage for stage in result.stages if stage.status is StageStatus.FAILED]
    assert failed == ([failure.stage] if failure.stage else [])
    return result.status.value, failure.stage and failure.stage.value, failure.reason.value, failure.code


def passed(result: CheckResult) -> list[str]:
    """Return the stages that ran and passed."""
    return [s.stage.value for s in result.stages if s.status is StageStatus.PASSED]


def message(result: CheckResult) -> str:
    """Return what a failed check says."""
    assert result.failure is not None
    return result.failure.message


def test_websocket_that_stays_open_is_up(run: Run[CheckResult], websocket_server: WebSocketServer) -> None:
    """An upgrade, a ping and its pong are up, and the round trip is a number."""
    result = run(mooring.check(websocket_server.url()))
    assert (result.status, result.failure) == (Status.UP, None)
    assert passed(result) == ["dns", "tcp", "protocol", "function"]
    assert result.observation.details["status_code"] == 101
    assert 0 < result.observation.numbers["ping_seconds"] < result.seconds


@pytest.mark.parametrize(
    "settings",
    [
        {"expect": "hello"},
        {"send": "ahoy", "expect": "ahoy"},
        {"send": "a" * 100_000, "expect": "a" * 100_000},
        {"hold": 0},
        {"subprotocols": ["other", "chat"]},
    ],
)
def test_expected_message_is_up(
    run: Run[CheckResult], websocket_server: WebSocketServer, settings: dict[str, Any]
) -> None:
    """A greeting, an echo, a long message and a chosen subprotocol are what was expected."""
    result = run(mooring.check(websocket_server.url(), **settings))
    assert result.failure is None
    assert result.observation.details.get("subprotocol") == ("chat" if "subprotocols" in settings else None)


def test_login_is_sent(run: Run[CheckResult], websocket_server: WebSocketServer) -> None:
    """A token passes auth and permission; a wrong one and none are told apart."""
    url = websocket_server.url("/private")
    assert passed(run(mooring.check(url, token=TOKEN))) == [
        "dns",
        "tcp",
        "protocol",
        "auth",
        "permission",
        "function",
    ]
    for settings, hint in (
        ({"token": "wrong"}, "The server answers and rejects"),
        ({}, "The server asks for"),
    ):
        result = run(mooring.check(url, **settings))
        assert told(result) == ("down", "auth", "auth", "HTTP_401")
        assert result.failure is not None
        assert result.failure.hint is not None
        assert result.failure.hint.startswith(hint)


def test_headers_are_sent(run: Run[CheckResult], websocket_server: WebSocketServer) -> None:
    """Headers arrive once each, those that we would set as well."""
    url = websocket_server.url("/header/X-A")
    assert run(mooring.check(url, headers={"X-A": "seen"})).failure is None
    assert told(run(mooring.check(url)))[3] == "HTTP_400"
    for name in ("Host", "User-Agent", "Origin"):
        url = websocket_server.url(f"/header/{name}")
        assert run(mooring.check(url, headers={name: "seen"})).failure is None


@pytest.mark.parametrize(
    ("code", "stage", "reason"),
    [
        (200, "function", "protocol"),
        (400, "function", "assertion"),
        (401, "auth", "auth"),
        (403, "permission", "permission"),
        (404, "function", "not_found"),
        (426, "function", "assertion"),
        (429, "function", "overloaded"),
        (500, "function", "unavailable"),
        (503, "function", "unavailable"),
    ],
)
def test_refused_upgrade_has_its_reason(
    run: Run[CheckResult], websocket_server: WebSocketServer, code: int, stage: str, reason: str
) -> None:
    """Each status code instead of an upgrade fails at its stage for its reason."""
    result = run(mooring.check(websocket_server.url(f"/status/{code}")))
    assert told(result) == ("down", stage, reason, f"HTTP_{code}")
    assert message(result).startswith(f"the server answers {code} ")
    assert result.observation.details["status_code"] == code


@pytest.mark.parametrize("path", ["close", "late"])
@pytest.mark.parametrize(
    ("code", "stage", "reason"),
    [
        (1000, "function", "assertion"),
        (1001, "function", "unavailable"),
        (1002, "function", "protocol"),
        (1003, "function", "protocol"),
        (1008, "permission", "permission"),
        (1009, "function", "protocol"),
        (1011, "function", "unavailable"),
        (1012, "function", "unavailable"),
        (1013, "function", "overloaded"),
        (3000, "function", "protocol"),
        (4000, "function", "assertion"),
        (4401, "auth", "auth"),
        (4403, "permission", "permission"),
        (4404, "function", "not_found"),
        (4429, "function", "overloaded"),
        (4503, "function", "unavailable"),
        (4999, "function", "assertion"),
    ],
)
def test_close_code_has_its_reason(
    websocket_server: WebSocketServer, path: str, code: int, stage: str, reason: str
) -> None:
    """A server that upgrades and then closes, at once or after a moment, is not up: its code says why."""
    url = websocket_server.url(f"/{path}/{code}")
    result = asyncio.run(mooring.check(url, token="any", hold=1))
    assert told(result) == ("down", stage, reason, f"CLOSE_{code}")
    assert message(result) == f"the server closed the connection with code {code}: says the path"
    assert passed(result) == ["dns", "tcp", "protocol"]


@pytest.mark.parametrize(
    ("path", "settings", "stage", "reason", "code"),
    [
        ("/cut", {}, "function", "network", "CLOSE_1006"),
        ("/garbage", {}, "function", "protocol", "BAD_FRAME"),
        ("/mute", {}, "function", "timeout", "TIMEOUT"),
        ("/", {"expect": "not sent"}, "function", "assertion", "UNEXPECTED_MESSAGE"),
        ("/", {"send": "one", "expect": "two"}, "function", "assertion", "UNEXPECTED_MESSAGE"),
        ("/", {"subprotocols": ["other"]}, "function", "assertion", "NO_SUBPROTOCOL"),
    ],
)
def test_websocket_that_does_not_work_is_told(
    run: Run[CheckResult],
    websocket_server: WebSocketServer,
    path: str,
    settings: dict[str, Any],
    stage: str,
    reason: str,
    code: str,
) -> None:
    """What goes wrong after the upgrade fails at function."""
    result = run(mooring.check(websocket_server.url(path), timeout=0.5, **settings))
    assert told(result) == ("down", stage, reason, code)


def test_ordinary_web_server_is_told(run: Run[CheckResult], nginx: Nginx) -> None:
    """A page where a websocket should be is no websocket."""
    result = run(mooring.check(nginx.url("/").replace("http", "ws")))
    assert told(result) == ("down", "function", "protocol", "HTTP_200")
    assert message(result) == "the server answers 200 OK and does not upgrade to a websocket"


@pytest.mark.parametrize(
    ("answer", "stage", "reason", "code"),
    [
        (b"", "protocol", "network", "EOF"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol", "protocol", "NOT_HTTP"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "protocol", "protocol", "TLS_EXPECTED"),
        (b"HTTP/1.1 101 Switching\r\nUpgr", "protocol", "network", "CUT_OFF"),
        (b"HTTP/1.1 abc\r\n\r\n", "protocol", "protocol", "BAD_HTTP"),
        (
            b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "function",
            "protocol",
            "BAD_UPGRADE",
        ),
        (
            b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: a\r\n\r\n",
            "function",
            "protocol",
            "BAD_UPGRADE",
        ),
    ],
    ids=["nothing", "ssh", "tls", "cut", "no status", "another protocol", "another key"],
)
def test_odd_answer_is_told(run: Run[CheckResult], answer: bytes, stage: str, reason: str, code: str) -> None:
    """Every way not to answer in HTTP, or to upgrade wrongly, has its stage, reason and code."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)

    async def check() -> CheckResult:
        async with playing(serve) as port:
            return await mooring.check(f"ws://127.0.0.1:{port}/")

    assert told(run(check())) == ("down", stage, reason, code)


def test_tls_is_a_stage(
    run: Run[CheckResult], start_websocket_server: StartWebSocketServer, certificates: Certificates
) -> None:
    """A wss address passes tls with the right authority and fails there without."""
    with start_websocket_server(certificates.good) as server:
        result = run(mooring.check(server.url(), tls={"ca": certificates.ca}))
        assert passed(result) == ["dns", "tcp", "tls", "protocol", "function"]
        assert told(run(mooring.check(server.url()))) == ("down", "tls", "tls", "CERT_UNKNOWN_ISSUER")


def test_tls_and_plain_text_are_told_apart(run: Run[CheckResult], nginx: Nginx) -> None:
    """A wss address of a plain port, and ws to a TLS port, each say what to write instead."""
    result = run(mooring.check(nginx.url("/").replace("http", "wss")))
    assert told(result) == ("down", "tls", "tls", "PLAIN_TEXT")
    assert result.failure is not None
    assert result.failure.hint == "Write the address with ws://, or ask the port that speaks TLS."
    assert told(run(mooring.check(f"ws://127.0.0.1:{nginx.tls_port}/"))) == (
        "down",
        "protocol",
        "protocol",
        "TLS_EXPECTED",
    )


def test_server_sees_a_clean_goodbye(
    run: Run[CheckResult], start_websocket_server: StartWebSocketServer
) -> None:
    """A check that passes closes as the protocol asks, so that the server logs no fault."""
    with start_websocket_server() as server:
        assert run(mooring.check(server.url(), send="ahoy", expect="ahoy")).failure is None
        poll_until(lambda: server.sessions() == 0, "the server's forgetting us")
        assert "UNCLEAN" not in server.log
        assert run(mooring.check(server.url(), expect="not sent", timeout=0.2)).failure is not None
        poll_until(lambda: "UNCLEAN" in server.log, "the log of a client that had to leave at once")


def test_nothing_secret_is_logged(
    run: Run[CheckResult], websocket_server: WebSocketServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The websocket library's own debug log, which shows whole headers, shows none of ours."""
    caplog.set_level("DEBUG")
    run(mooring.check(websocket_server.url("/private"), token=TOKEN))
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("url", "settings", "field", "text"),
    [
        ("ws://", {}, "url", "the address names no host: ws://host/path"),
        ("ws://u:p@h/", {"token": "x"}, "url", "a login stands in the address and in token; one is enough"),
        ("ws://h/", {"hold": -1}, "hold", "has to be at least 0"),
        ("ws://h/", {"headers": {"Upgrade": "x"}}, "headers", "Upgrade is set by Mooring itself"),
    ],
)
async def test_setting_that_cannot_be_used_is_refused(
    url: str, settings: dict[str, Any], field: str, text: str
) -> None:
    """A mistake in the settings is told before anything is asked."""
    with pytest.raises(InputError) as caught:
        await mooring.check(url, **settings)
    assert [(p.field, p.message) for p in caught.value.problems] == [(field, text)]
