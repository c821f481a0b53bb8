"""Answers, however they come: the parser's corners, and every way to cut an answer into pieces."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.net.http import Response
from mooring.net.http_protocol import HEAD_LIMIT, Exchange

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "length": (HELLO, 200, b"hello"),
    "chunked": (CHUNKED + b"3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nTrailer: t\r\n\r\n", 200, b"hello"),
    "to the end": (b"HTTP/1.1 200 OK\r\n\r\nhello", 200, b"hello"),
    "old": (b"HTTP/1.0 404 Not Found\r\n\r\nhello", 404, b"hello"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
    "after 1xx": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" + HELLO,
        200,
        b"hello",
    ),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 5\nServer: x\n\nhello", 200, b"hello"),
    "upgrade offered": (
        b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nhello",
        200,
        b"hello",
    ),
    "keep alive": (b"HTTP/1.1 503 No\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", 503, b""),
    "no phrase": (b"HTTP/1.1 418\r\nContent-Length: 5\r\n\r\nhello", 418, b"hello"),
    "twice": (HELLO + b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nwho", 200, b"hello"),
    "switched": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nnoise", 101, b""),
}


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.dropped = False

    def write(self, data: Any) -> None:
        self.sent += data

    def abort(self) -> None:
        self.dropped = True


def exchange(*, bodyless: bool = False, limit: int = 1000, data: bytes | None = b"ask") -> Exchange:
    """Return a connected exchange on a loop that never runs; its clock counts questions."""
    loop = asyncio.new_event_loop()
    ticks = itertools.count()
    made = Exchange(loop, lambda: float(next(ticks)), data, bodyless=bodyless, limit=limit)
    loop.close()
    made.connection_made(Wire())
    return made


def fed(pieces: Sequence[bytes], *, end: bool = True, **options: Any) -> Exchange:
    """Return an exchange that got these pieces, and then the end of the connection."""
    made = exchange(**options)
    for piece in pieces:
        made.data_received(piece)
    if end:
        made.eof_received()
        made.connection_lost(None)
    return made


def failure(made: Exchange) -> tuple[Reason, str | None]:
    """Return reason and code of a failed exchange."""
    error = made.done.exception()
    assert isinstance(error, CheckError)
    return error.cause.reason, error.cause.code


def cuts(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Return ways to cut bytes into pieces."""

    def cut(places: set[int]) -> list[bytes]:
        edges = [0, *sorted(places), len(data)]
        return [data[a:b] for a, b in itertools.pairwise(edges) if a < b]

    return st.sets(st.integers(1, len(data) - 1), max_size=len(data)).map(cut)


@pytest.mark.parametrize("name", ANSWERS)
@given(data=st.data())
def test_answer_is_the_same_however_it_is_cut(name: str, data: st.DataObject) -> None:
    """Status and body do not depend on how the network cuts an answer into pieces."""
    whole, status, body = ANSWERS[name]
    made = fed(data.draw(cuts(whole)))
    assert made.done.exception() is None
    assert (made.status, made.body, made.cut) == (status, body, False)


@pytest.mark.parametrize("name", [name for name in ANSWERS if name not in ("to the end", "old")])
def test_answer_that_says_its_length_needs_no_end(name: str) -> None:
    """An answer is done with its last byte, while the connection is still open."""
    whole, _, _ = ANSWERS[name]
    assert fed([whole], end=False).done.done()


@pytest.mark.parametrize("name", ["to the end", "old"])
def test_answer_without_length_ends_with_the_connection(name: str) -> None:
    """A body of no told length goes on until the connection ends."""
    whole, _, body = ANSWERS[name]
    made = fed([whole], end=False)
    assert not made.done.done()
    made.eof_received()
    assert (made.done.exception(), made.body) == (None, body)


@given(st.sampled_from(["length", "chunked"]), st.data())
def test_cut_answer_is_told(name: str, data: st.DataObject) -> None:
    """An answer that ends too early is a cut connection, never a short body."""
    whole, _, _ = ANSWERS[name]
    end = data.draw(st.integers(1, len(whole) - 1))
    assert failure(fed([whole[:end]])) == (Reason.NETWORK, "CUT_OFF")


@pytest.mark.parametrize("name", ["to the end", "old"])
def test_reset_body_is_told(name: str) -> None:
    """A body without a length that ends by a reset is not whole."""
    made = fed([ANSWERS[name][0]], end=False)
    made.connection_lost(ConnectionResetError(104, "reset"))
    assert failure(made) == (Reason.NETWORK, "CUT_OFF")


def test_no_answer_is_the_end_of_file() -> None:
    """A connection that ends without an answer is an EOFError, and a reset stays what it is."""
    assert isinstance(fed([]).done.exception(), EOFError)
    made, reset = exchange(), ConnectionResetError(104, "reset")
    made.connection_lost(reset)
    assert made.done.exception() is reset


def test_answer_to_head_has_no_body() -> None:
    """HEAD is done with the headers, whatever length they tell."""
    made = fed([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"], end=False, bodyless=True)
    assert (made.done.done(), made.status, made.body) == (True, 200, b"")


@given(st.integers(0, 12), st.data())
def test_long_body_is_cut(limit: int, data: st.DataObject) -> None:
    """A body longer than the limit is cut there and said to be; one that fits is not."""
    whole = CHUNKED + b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"
    made = fed(data.draw(cuts(whole)), limit=limit)
    assert made.done.exception() is None
    assert (made.body, made.cut) == (b"helloworld"[:limit], limit < 10)


def test_endless_headers_are_refused() -> None:
    """Headers beyond 64 KiB fail, in one line that never ends as well as in many."""
    for piece in (b"X-A: b\r\n" * 1000, b"a" * 8000):
        made = fed([b"HTTP/1.1 200 OK\r\nX: "], end=False)
        pieces = 0
        while not made.done.done():
            made.data_received(piece)
            pieces += 1
        assert pieces == HEAD_LIMIT // 8000 + 1
        assert failure(made) == (Reason.PROTOCOL, "HEADERS_TOO_LONG")


def test_endless_interim_answers_are_refused() -> None:
    """1xx answers without end are headers without end."""
    made = exchange()
    while not made.done.done():
        made.data_received(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)
    assert failure(made) == (Reason.PROTOCOL, "HEADERS_TOO_LONG")
    assert made.headers == []


def test_endless_framing_is_cut() -> None:
    """Bytes that never become body are not read for ever."""
    made = fed([CHUNKED], end=False, limit=10)
    while not made.done.done():
        made.data_received(b"1;" + b"x" * 1000 + b"\r\na\r\n")
    assert made.cut


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "NOT_HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS_EXPECTED"),
        (b"+OK ready\r\n", "NOT_HTTP"),
        (b"\x00\x01\x02", "NOT_HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "BAD_HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "BAD_HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "BAD_HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "BAD_HTTP"),
        (CHUNKED + b"zz\r\n", "BAD_HTTP"),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "BAD_HTTP"),
    ],
)
def test_what_is_no_http_is_told(data: bytes, code: str) -> None:
    """Another protocol, TLS, and HTTP that breaks the rules are told apart."""
    assert failure(fed([data])) == (Reason.PROTOCOL, code)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5))
def test_any_bytes_end_in_an_answer_or_an_error(pieces: list[bytes]) -> None:
    """Whatever comes, the exchange is done at the latest when the connection ends, without another error."""
    error = fed(pieces).done.exception()
    assert error is None or isinstance(error, CheckError | EOFError)


def test_request_is_sent_on_connecting() -> None:
    """The request leaves as soon as the connection is made; one that is held back waits for `send`."""
    at_once, held = exchange(), exchange(data=None)
    assert [each._transport.sent for each in (at_once, held)] == [b"ask", b""]  # type: ignore[union-attr]
    held.send(b"later")
    assert held._transport.sent == b"later"  # type: ignore[union-attr]


def test_dropping_leaves_nothing_to_warn_of() -> None:
    """A dropped exchange has aborted its connection, and its unseen error is no warning later."""
    made = fed([])
    wire = made._transport
    made.drop()
    assert isinstance(wire, Wire)
    assert wire.dropped
    assert made.done.exception() is not None


def response(headers: bytes, body: bytes) -> Response:
    """Return the response of an exchange."""
    made = fed([b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + body])
    return Response(made, "127.0.0.1", None, 9.0)


def test_headers_are_found_in_any_case() -> None:
    """A header's name counts in any case; several of one name are joined by commas."""
    seen = response(b"Server: x\r\nVIA: a\r\nvia: b\r\n", b"")
    assert (seen.header("SERVER"), seen.header("Via"), seen.header("none")) == ("x", "a, b", None)
