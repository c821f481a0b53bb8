"""What asyncpg is told: within a bound, and never for longer than a check may take."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from typing import Any

import asyncpg
import pytest

from mooring.core.failure import CheckError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes import _answer
from mooring.probes._asyncpg import Answer, Listener
from mooring.probes._registry import Kinds
from mooring.probes.postgresql import PostgreSQL as Kind
from mooring.targets import TargetReader
from tests.servers.played import conversing, saying
from tests.servers.postgresql import PostgreSQL

KINDS = ("postgresql", "pgbouncer")
WELCOME = b"R\0\0\0\x08\0\0\0\0"
READY = b"Z\0\0\0\x05I"
SETTING = b"S\0\0\0\x08a\0b\0"
LIFTED = 1 << 40
SCRAM = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"
FIRST = b"r=abc,s=c2FsdA==,i=%d"
LATE = 0.5


def going_on(first: bytes) -> bytes:
    """Return the message in which a server goes on with SCRAM."""
    return b"R" + (len(first) + 8).to_bytes(4, "big") + b"\0\0\0\x0b" + first


async def flooded(kind: str, words: bytes, again: bytes, timeout: float) -> CheckResult:
    """Check what says this, then that without end."""
    with saying(words, after=b"user", again=again) as port:
        target = TargetReader(Kinds()).from_url(
            f"{kind}://u:p@127.0.0.1:{port}/?sslmode=disable", timeout=timeout
        )
        async with Network() as net:
            return await Runner(net).run(target, Trigger.CLI)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("words", "again"),
    [
        (WELCOME + b"E\x3f\xff\xff\xff", b"x" * 65536),
        (WELCOME, SETTING * 8192),
        (b"", b"R\0\0\0\x08\0\0\0\x03" * 8192),
    ],
    ids=["one message", "many messages", "asks for the password for ever"],
)
async def test_flood_is_cut_off(kind: str, words: bytes, again: bytes) -> None:
    """What comes without end ends the check at its bound."""
    failure = (await flooded(kind, words, again, timeout=30)).failure
    assert failure is not None
    assert (failure.stage, failure.reason, failure.code) == (Stage.AUTH, Reason.PROTOCOL, "TOO_LARGE")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", ["42501", "28000", "08P01", "53300"])
async def test_deadline_holds_where_an_error_is_long(kind: str, code: str) -> None:
    """To read what an error says takes no longer than a check may, however the server words it."""
    said = b"permission denied for " * 20_000 + b'"password"" host "'
    fields = b"SERROR\0C" + code.encode() + b"\0M" + said + b"\0\0"
    error = b"E" + (len(fields) + 4).to_bytes(4, "big") + fields
    began = time.process_time()
    result = await flooded(kind, WELCOME + error, b"", timeout=5)
    assert time.process_time() - began < 0.5 + LATE  # what is made of the error counts too
    assert result.failure is not None
    assert result.failure.reason is not Reason.TIMEOUT


@pytest.mark.parametrize("kind", KINDS)
async def test_deadline_holds_in_a_flood(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even without a bound a check ends in time while bytes come in faster than they are read."""
    monkeypatch.setattr(_answer, "MOST_HEARD", LIFTED)
    result = await flooded(kind, WELCOME, SETTING * 8192, timeout=0.5)
    assert result.failure is not None
    assert (result.failure.stage, result.failure.reason) == (Stage.AUTH, Reason.TIMEOUT)
    assert result.seconds < 0.5 + LATE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("each", "times"), [(10_000_000, 1), (1_000_000, 10)])
async def test_deadline_holds_where_a_login_takes_much_hashing(kind: str, each: int, times: int) -> None:
    """The server names the rounds of hashing, and the driver does them while nothing else goes on."""

    def first(said: bytes) -> bytes:
        nonce = re.search(rb"r=([^,]+)", said)
        assert nonce is not None
        return going_on(b"r=%szz,s=%s,i=%d" % (nonce[1], b64encode(b"salt"), each)) * times

    began = time.process_time()  # hashing is our own work: what others do meanwhile takes none of it
    with conversing(lambda _: SCRAM, first) as port:
        target = TargetReader(Kinds()).from_url(f"{kind}://u:p@127.0.0.1:{port}/?sslmode=disable", timeout=1)
        async with Network() as net:
            failure = (await Runner(net).run(target, Trigger.CLI)).failure
    assert time.process_time() - began < 1
    assert failure is not None
    assert (failure.stage, failure.reason, failure.code) == (
        Stage.AUTH,
        Reason.PROTOCOL,
        "SCRAM_ITERATIONS",
    )


async def test_answers_of_one_session_count_each_for_itself(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that is held for long is not ended for what all its answers come to."""
    monkeypatch.setattr(_answer, "MOST_HEARD", 20_000)
    probe = Kind.model_validate({"url": postgresql.url()})
    async with Network() as net, probe.session(Trail(net, timeout=5)) as session:
        for _ in range(100):
            await probe.ping(session)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError) as caught:
            await session.fetchval("SELECT repeat('x', 20000)")
    assert isinstance(caught.value.__cause__, CheckError)
    assert caught.value.__cause__.cause.code == "TOO_LARGE"


class Heard:
    """Stands for asyncpg's protocol, and for the transport: keeps what each is told."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.lost: list[Exception | None] = []
        self.aborted = 0

    def data_received(self, data: bytes) -> None:
        """Keep a piece."""
        self.pieces.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Keep why."""
        self.lost.append(error)

    def abort(self) -> None:
        """Count."""
        self.aborted += 1


def told(*pieces: bytes) -> tuple[Heard, Listener]:
    """Say this to a listener."""
    heard: Any = Heard()
    listener = Listener(Answer(), heard, heard)
    for piece in pieces:
        listener.data_received(piece)
    return heard, listener


def test_ordinary_answer_is_passed_on_as_it_is() -> None:
    """What comes in one piece is not copied."""
    answer = WELCOME + SETTING + READY
    heard, _ = told(answer)
    assert [id(piece) for piece in heard.pieces] == [id(answer)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1000])
def test_messages_are_followed_wherever_they_are_cut(size: int) -> None:
    """All bytes arrive in their order, and the length that makes no sense is found behind them."""
    said = WELCOME + SETTING + b"E\0\0\0\x68" + b"x" * 100 + READY
    pieces = [said[at : at + size] for at in range(0, len(said), size)]
    heard, listener = told(*pieces)
    assert (b"".join(heard.pieces), heard.aborted) == (said, 0)
    listener.data_received(b"S\0\0\0\x03")
    listener.data_received(READY)
    listener.connection_lost(None)
    assert (b"".join(heard.pieces), heard.aborted) == (said, 1)
    assert [str(error) for error in heard.lost] == ["an answer's length makes no sense"]


def test_pieces_of_a_long_message_are_put_together() -> None:
    """A driver that copies a message once for each of its pieces gets a long one in two."""
    heard, _ = told(b"E\0\1\0\4", *[b"x" * 16] * 4096, READY)
    assert [len(piece) for piece in heard.pieces] == [5, 65536, 6]


def test_answer_ends_only_where_something_was_asked() -> None:
    """A server that says again and again that it is ready does not get around the bound."""
    heard, listener = told(WELCOME, *[(SETTING + READY) * 1000] * 40)
    assert heard.aborted == 1
    assert listener.lost is not None
    assert listener.lost.cause.code == "TOO_LARGE"
    assert len(heard.pieces) < 40


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1000])
def test_rounds_are_counted_wherever_the_message_is_cut(size: int) -> None:
    """What asks for a round too many never gets to the driver whole, and what comes before it does."""
    said = SCRAM + going_on(FIRST % 1_000_000)
    heard, listener = told(*[said[at : at + size] for at in range(0, len(said), size)])
    assert (b"".join(heard.pieces), heard.aborted) == (said, 0)
    again = going_on(FIRST % 1)
    for at in range(0, len(again), size):
        listener.data_received(again[at : at + size])
    assert heard.aborted == 1
    assert len(b"".join(heard.pieces)) < len(said + again)
    assert listener.lost is not None
    assert str(listener.lost) == (
        "the server wants the password hashed 1000001 times, of which Mooring does 1000000 at most"
    )


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (going_on(b"r=" * 500), "UNREADABLE"),
        (going_on(b"r=abc,s=c2FsdA==,i=4096,i=9999999"), "UNREADABLE"),
        (going_on(b"r=abc,s=c2FsdA==,i=0"), "UNREADABLE"),
        (going_on(b""), "UNREADABLE"),
        (b"R\0\0\x07\xd5", "PROTOCOL"),
    ],
    ids=["never says it", "says it twice", "says none", "says nothing", "too long"],
)
def test_login_that_makes_no_sense_is_told_as_such(said: bytes, code: str) -> None:
    """The driver would search what a server says of SCRAM in many ways, of which some have no end."""
    heard, listener = told(said)
    assert (heard.pieces, heard.aborted) == ([], 1)
    assert listener.lost is not None
    assert (listener.lost.cause.reason, listener.lost.cause.code) == (Reason.PROTOCOL, code)
