"""DICOM: real peers, and a scripted one for what real ones do only when they break down."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mooring.core.failure import InputError
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Trigger
from mooring.core.stage import Stage
from mooring.core.status import Status
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.net.trail import Trail
from mooring.probes._dicom import Service, Titles, aborted, failed, rejected, unacceptable
from mooring.probes._registry import Kinds
from mooring.probes.dicom import Dicom
from mooring.targets import TargetReader
from mooring.testing.leaks import no_leaks
from tests.servers.dcmtk import Qrscp, Receiver
from tests.servers.orthanc import Orthanc
from tests.servers.played import playing
from tests.servers.process import eventually
from tests.servers.tls import Certificates

pytestmark = pytest.mark.integration
READER = TargetReader(Kinds())
TITLES = Titles("MOORING", "PACS", "192.0.2.7")

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Script = Callable[[Reader, Writer], Awaitable[None]]


async def check(url: str, **settings: Any) -> CheckResult:
    """Check an address once."""
    target = READER.from_url(url, **{"timeout": 5, **settings})
    async with Network() as net:
        return await Runner(net).run(target, Trigger.CLI)


def told(result: CheckResult) -> tuple[Reason, Stage | None, str, str]:
    """Return reason, stage, code and message of a failure."""
    assert result.failure is not None
    return result.failure.reason, result.failure.stage, result.failure.code, result.failure.message


# Real peers


async def test_good_peer_tells_who_it_is(orthanc: Orthanc) -> None:
    """A check that passes says both titles, the peer's implementation, and how long the C-ECHO took."""
    result = await check(orthanc.url())
    assert (result.status, result.failure) == (Status.UP, None)
    details, numbers = result.observation.details, result.observation.numbers
    assert (details["called_aet"], details["calling_aet"]) == ("ORTHANC", "MOORING")
    assert details["implementation"].startswith("OFFIS_DCMTK_")
    assert numbers.keys() == {"echo_seconds"}


@pytest.mark.parametrize(
    ("level", "keys", "matches"),
    [
        ("STUDY", {}, 0),
        ("STUDY", {"PatientID": "P*"}, 1),
        ("PATIENT", {"PatientName": "Test^*"}, 1),
        ("series", {}, 0),
        ("IMAGE", {}, 0),
    ],
)
async def test_query_counts_its_matches(
    orthanc: Orthanc, level: str, keys: dict[str, str], matches: int
) -> None:
    """A C-FIND is sent at each level; without keys it matches nothing."""
    result = await check(orthanc.url(), find=level, find_keys=keys, find_matches=matches)
    assert result.failure is None
    assert result.observation.numbers["matches"] == matches
    assert result.observation.numbers["find_seconds"] > 0


async def test_archive_of_dcmtk_is_queried(qrscp: Qrscp) -> None:
    """Another implementation answers the same."""
    result = await check(qrscp.url(), find="STUDY")
    assert (result.failure, result.observation.numbers["matches"]) == (None, 0)


@pytest.mark.parametrize("server", ["orthanc_tls", "receiver_tls"])
async def test_client_certificate_is_accepted(
    server: str, certificates: Certificates, request: pytest.FixtureRequest
) -> None:
    """Over TLS, with a certificate of ours, the association stands as in the clear."""
    peer: Orthanc | Receiver = request.getfixturevalue(server)
    called = "ORTHANC" if server == "orthanc_tls" else "ANY"
    tls = {"ca": certificates.ca, "cert": certificates.client.cert, "key": certificates.client.key}
    url = peer.url(called, scheme="dicoms").replace("127.0.0.1", "localhost")
    result = await check(url, tls=tls)
    assert (result.status, result.failure) == (Status.UP, None)
    assert result.observation.details["tls_version"].startswith("TLSv1")


async def test_peer_is_left_politely(orthanc: Orthanc) -> None:
    """After a check that passed the association was released, not cut: the peer's log holds no complaint."""
    await eventually(lambda: orthanc.sessions() == 0, "the peer's forgetting others")
    before = orthanc.log
    await check(orthanc.url(), find="STUDY")
    assert orthanc.log == before


async def test_session_is_held_and_pinged(orthanc: Orthanc) -> None:
    """An association stays, and each ping is a C-ECHO over it."""
    await eventually(lambda: orthanc.sessions() == 0, "the peer's forgetting others")
    probe = Dicom.from_url(orthanc.url())
    async with no_leaks(), Network() as net, probe.session(Trail(net, timeout=5)) as session:
        for _ in range(3):
            await probe.ping(session)
        await eventually(lambda: orthanc.sessions() == 1, "one association on its books")


# Addresses


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("dicom://PACS@pacs.example", "PACS@pacs.example:104"),
        ("dicom://PACS@pacs.example:11112", "PACS@pacs.example:11112"),
        ("dicom://pacs.example/PACS", "PACS@pacs.example:104"),
        ("dicom://MY%20PACS%20@pacs.example", "MY PACS@pacs.example:104"),
        ("dicoms://PACS@pacs.example", "PACS@pacs.example:2762"),
        ("dicom-tls://PACS@[::1]:2762", "PACS@[::1]:2762"),
    ],
)
def test_address_shows_the_title(url: str, address: str) -> None:
    """The title belongs to the address; ports are those of the standard."""
    assert READER.from_url(url).probe.address == address


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        ({"url": "dicom://pacs.example"}, "url: name the peer's AE title: dicom://CALLED_AET@host:port"),
        ({"url": "dicom://PACS:pw@h"}, "DICOM knows no password; what stands before the @ is the peer's AE"),
        ({"url": "dicom://PACS@h/OTHER"}, "url: the peer's AE title stands before the @; leave out what"),
        ({"url": "dicom://A_TITLE_TOO_LONG_@h"}, "url: an AE title has 1 to 16 characters, this one 17"),
        (
            {"url": "dicom://A%5CB@h"},
            "url: an AE title holds ASCII letters, digits, spaces and signs, and no",
        ),
        ({"url": "dicom://P@h?calling_aet=%C3%84"}, "calling_aet: an AE title holds ASCII letters"),
        ({"url": "dicom://P@h", "calling_aet": " "}, "calling_aet: an AE title has 1 to 16 characters"),
        (
            {"url": "dicom://P@h?caling_aet=X"},
            "url: unknown 'caling_aet'; the address takes only calling_aet",
        ),
        (
            {"url": "dicom://P@h?calling_aet=X", "calling_aet": "Y"},
            "calling_aet: stands in the address as well",
        ),
        ({"url": "dicom://P@h", "tls": {"verify": False}}, "tls: is of no use without TLS; write dicoms://"),
        (
            {"url": "dicom://P@h", "find_matches": 1},
            "find: has to name a level where find_keys or find_matches",
        ),
        ({"url": "dicom://P@h", "find": "ROOM"}, "PATIENT"),
    ],
)
def test_mistake_is_named(settings: dict[str, Any], mistake: str) -> None:
    """What cannot be used is told with its field and with what would be right."""
    with pytest.raises(InputError) as caught:
        READER.read({"name": "pacs", "kind": "dicom", **settings})
    assert mistake in str(caught.value)


# What peers say, in words


@pytest.mark.parametrize(
    ("said", "reason", "code", "message"),
    [
        ((1, 1, 1), Reason.AUTH, "REJECTED", "permanently: no reason given by its application"),
        (
            (1, 1, 2),
            Reason.PROTOCOL,
            "APPLICATION_CONTEXT",
            "permanently: it does not know DICOM's application",
        ),
        ((1, 1, 3), Reason.AUTH, "CALLING_AE_UNKNOWN", "permanently: calling AE title not recognised"),
        ((1, 1, 7), Reason.NOT_FOUND, "CALLED_AE_UNKNOWN", "permanently: called AE title not recognised"),
        ((2, 1, 7), Reason.UNAVAILABLE, "CALLED_AE_UNKNOWN", "for now: called AE title not recognised"),
        (
            (1, 2, 1),
            Reason.UNAVAILABLE,
            "REJECTED",
            "permanently: no reason given by its association service",
        ),
        ((1, 2, 2), Reason.PROTOCOL, "PROTOCOL_VERSION", "permanently: it does not speak our version"),
        ((2, 3, 1), Reason.OVERLOADED, "CONGESTED", "for now: temporary congestion"),
        ((1, 3, 2), Reason.OVERLOADED, "TOO_MANY_ASSOCIATIONS", "permanently: its limit of associations"),
        ((9, 9, 9), Reason.UNAVAILABLE, "REJECTED", "in an undefined way: for a reason that DICOM does not"),
    ],
)
def test_rejection_is_decoded(said: tuple[int, ...], reason: Reason, code: str, message: str) -> None:
    """Result, source and reason of a rejection become words, and a reason of ours."""
    cause = rejected(said, TITLES).cause
    assert (cause.reason, cause.code, cause.stage) == (reason, code, Stage.AUTH)
    numbers = "(result {}, source {}, reason {})".format(*said)
    assert cause.message is not None
    assert cause.message.startswith(f"the peer rejects the association {message}")
    assert cause.message.endswith(numbers)


def test_rejection_of_our_title_says_what_to_register() -> None:
    """Who has to be registered, where from, and the line that does it on an Orthanc."""
    cause = rejected((1, 1, 3), TITLES).cause
    assert cause.hint == (
        "Register calling AE title MOORING, coming from 192.0.2.7, on the peer; the line is for an Orthanc's"
        " DicomModalities."
    )
    assert cause.fix == '"MOORING": ["MOORING", "192.0.2.7", 104]'


@pytest.mark.parametrize(
    ("said", "service", "reason", "code"),
    [
        ((0, 0), None, Reason.UNAVAILABLE, "ABORTED"),
        ((0, 0), Service.ECHO, Reason.PERMISSION, "ECHO_ABORTED"),
        ((2, 0), Service.ECHO, Reason.UNAVAILABLE, "ABORTED"),
        ((2, 2), Service.FIND, Reason.PROTOCOL, "ABORTED"),
        ((2, 9), Service.FIND, Reason.UNAVAILABLE, "ABORTED"),
    ],
)
def test_abort_is_decoded(said: tuple[int, int], service: Service | None, reason: Reason, code: str) -> None:
    """Only an application that accepts and then aborts a request is told as a missing right."""
    cause = aborted(said, TITLES, service).cause
    assert (cause.reason, cause.code) == (reason, code)


@pytest.mark.parametrize(
    ("status", "reason", "stage"),
    [
        (0x0110, Reason.UNAVAILABLE, None),
        (0x0124, Reason.PERMISSION, Stage.PERMISSION),
        (0x0211, Reason.PROTOCOL, None),
        (0xA701, Reason.OVERLOADED, None),
        (0xA900, Reason.ASSERTION, None),
        (0xC123, Reason.UNAVAILABLE, None),
        (0x1234, Reason.ASSERTION, None),
    ],
)
def test_status_is_decoded(status: int, reason: Reason, stage: Stage | None) -> None:
    """A status has a reason; where a vendor fills its last digits, by the first ones."""
    cause = failed(Service.FIND, status, TITLES).cause
    assert (cause.reason, cause.stage, cause.code) == (reason, stage, f"FIND_{status:04X}")


def test_unknown_result_of_a_context_is_told() -> None:
    """A number that DICOM does not define is no accident of ours."""
    assert unacceptable(Service.ECHO, 77, TITLES).cause.message == (
        "the peer accepts the association, but not C-ECHO: for a reason that DICOM does not define"
    )


# A scripted peer


def item(kind: int, content: bytes) -> bytes:
    """Return an item of an association PDU."""
    return bytes((kind, 0)) + len(content).to_bytes(2, "big") + content


def pdu(kind: int, content: bytes) -> bytes:
    """Return a whole PDU."""
    return bytes((kind, 0)) + len(content).to_bytes(4, "big") + content


def accepted(contexts: int = 1, *, largest: int = 16384, implementation: bytes = b"1.2.3") -> bytes:
    """Return an A-ASSOCIATE-AC that accepts that many contexts."""
    syntax = item(0x40, b"1.2.840.10008.1.2")
    body = bytes((0, 1, 0, 0)) + b"PACS".ljust(16) + b"MOORING".ljust(16) + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1")
    body += b"".join(item(0x21, bytes((2 * n + 1, 0, 0, 0)) + syntax) for n in range(contexts))
    return pdu(2, body + item(0x50, item(0x51, largest.to_bytes(4, "big")) + item(0x52, implementation)))


def response(field: int, status: int, context: int = 1) -> bytes:
    """Return a P-DATA-TF with a response that brings no data set."""
    elements = ((0x0100, field), (0x0120, 1), (0x0800, 0x0101), (0x0900, status))
    body = b"".join(
        bytes(2) + tag.to_bytes(2, "little") + b"\2\0\0\0" + value.to_bytes(2, "little")
        for tag, value in elements
    )
    value = bytes((context, 3)) + bytes(4) + b"\4\0\0\0" + len(body).to_bytes(4, "little") + body
    return pdu(4, len(value).to_bytes(4, "big") + value)


ECHOED = response(0x8030, 0)


@asynccontextmanager
async def peer(script: Script) -> AsyncIterator[str]:
    """Run a peer that plays a script once it was asked for an association; yields its address."""

    async def play(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        await script(reader, writer)
        await reader.read()

    async with playing(play) as port:
        yield f"dicom://PACS@127.0.0.1:{port}"


async def heard(reader: Reader) -> int:
    """Read one PDU and return its type."""
    header = await reader.readexactly(6)
    await reader.readexactly(int.from_bytes(header[2:], "big"))
    return header[0]


async def answers_of(*answers: bytes, **settings: Any) -> CheckResult:
    """Check a peer that gives these answers, each to one request."""

    async def script(reader: Reader, writer: Writer) -> None:
        for number, answer in enumerate(answers):
            if number:
                await heard(reader)
            writer.write(answer)

    async with peer(script) as url:
        return await check(url, **{"timeout": 1, **settings})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what answers is no DICOM"),
        (pdu(2, b"")[:2] + b"\x7f\xff\xff\xff", "what answers is no DICOM"),
        (pdu(2, b"no acceptance"), "the peer's answer cannot be read as DICOM"),
        (pdu(6, bytes(4)), "the peer answers a request for an association with something else"),
    ],
)
async def test_answer_that_is_no_dicom_is_told(answer: bytes, message: str) -> None:
    """Whatever else answers on the port is told at protocol, at once."""
    expected = (Reason.PROTOCOL, Stage.PROTOCOL, "NOT_DICOM", message)
    assert told(await answers_of(answer)) == expected


@pytest.mark.parametrize("largest", [1, 5, 6, 7])
async def test_peer_that_takes_nothing_is_told(largest: int) -> None:
    """A maximum length that leaves no room is the peer's mistake, in our own words."""
    assert told(await answers_of(accepted(largest=largest))) == (
        Reason.PROTOCOL,
        Stage.PROTOCOL,
        "UNREADABLE",
        f"the peer takes {largest} bytes at once, which holds nothing",
    )


@pytest.mark.parametrize("largest", [0, 8, 16384])
async def test_request_is_cut_as_the_peer_wants_it(largest: int) -> None:
    """A request comes in as many pieces as the peer's maximum length asks for; 0 means any length."""
    sizes: list[int] = []

    async def script(reader: Reader, writer: Writer) -> None:
        writer.write(accepted(largest=largest))
        last = False
        while not last:
            header = await reader.readexactly(6)
            body = await reader.readexactly(int.from_bytes(header[2:], "big"))
            sizes.append(len(body))
            last = bool(body[5] & 2)
        writer.write(ECHOED)
        await heard(reader)
        writer.write(pdu(6, bytes(4)))

    async with peer(script) as url:
        assert (await check(url)).failure is None
    assert max(sizes) <= (largest or 16384)
    assert len(sizes) == (1 if largest != 8 else max(len(sizes), 2))


async def test_odd_values_are_no_word_on_standard_error(recwarn: pytest.WarningsRecorder) -> None:
    """A UID that is none warns nobody: neither in an acceptance nor in an answer's command."""
    odd = response(0x8030, 0)
    uid = b"\0\0\2\0\6\0\0\0" + b"01.02\0"
    value = odd[10:] + uid
    odd = pdu(4, len(value).to_bytes(4, "big") + value)
    result = await answers_of(accepted(implementation=b"01.02"), odd, pdu(6, bytes(4)))
    assert (result.failure, list(recwarn)) == (None, [])


@pytest.mark.parametrize("control", [0, 1], ids=["data set", "command"])
async def test_fragments_without_end_are_not_kept(control: int) -> None:
    """A peer that never comes to an end is left at the deadline or before, and takes no memory of ours."""
    content = bytes((1, control)) + bytes(16000)
    fragment = pdu(4, len(content).to_bytes(4, "big") + content)

    async def flood(reader: Reader, writer: Writer) -> None:
        writer.write(accepted())
        await heard(reader)
        while True:
            writer.write(fragment * 10)
            await writer.drain()

    tracemalloc.start()
    try:
        async with peer(flood) as url:
            result = await check(url, timeout=0.5)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()
    expected = (Reason.TIMEOUT, "TIMEOUT") if control == 0 else (Reason.PROTOCOL, "NOT_DICOM")
    assert (told(result)[0], told(result)[2]) == expected


async def test_echo_that_fails_is_told() -> None:
    """A peer that answers its C-ECHO with a failure is not up."""
    assert told(await answers_of(accepted(), response(0x8030, 0x0110))) == (
        Reason.UNAVAILABLE,
        Stage.FUNCTION,
        "ECHO_0110",
        "the peer answers C-ECHO with status 0x0110: it failed at processing it",
    )


async def test_status_of_a_missing_right_is_told_at_permission() -> None:
    """A peer that says "not authorized" by status is told as one that aborts."""
    result = await answers_of(accepted(), response(0x8030, 0x0124))
    assert told(result)[:3] == (Reason.PERMISSION, Stage.PERMISSION, "ECHO_0124")


async def test_peer_that_releases_instead_of_answering_is_told() -> None:
    """A peer that shuts down ends its associations by itself."""
    assert told(await answers_of(accepted(), pdu(5, bytes(4)))) == (
        Reason.UNAVAILABLE,
        Stage.FUNCTION,
        "RELEASED",
        "the peer ends the association instead of answering a C-ECHO",
    )


async def test_silence_after_the_association_is_told_at_function() -> None:
    """A peer that accepts and then says nothing ran into the timeout of its C-ECHO, not of its login."""
    result = await answers_of(accepted(), timeout=0.3)
    assert told(result)[:3] == (Reason.TIMEOUT, Stage.FUNCTION, "TIMEOUT")


@pytest.mark.parametrize("cancels", [True, False], ids=["heeds C-CANCEL", "never heard of C-CANCEL"])
async def test_too_many_matches_are_cancelled(cancels: bool) -> None:
    """After a hundred matches the rest is not wanted, whether the peer can be stopped or not."""

    async def flood(reader: Reader, writer: Writer) -> None:
        writer.write(accepted(2))
        await heard(reader)
        writer.write(ECHOED)
        await heard(reader)
        await heard(reader)
        stop = asyncio.create_task(heard(reader))
        while not (cancels and stop.done()):
            writer.write(response(0x8020, 0xFF00, 3))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(response(0x8020, 0xFE00, 3))
        await heard(reader)
        writer.write(pdu(6, bytes(4)))

    async with no_leaks(), peer(flood) as url:
        result = await check(url, find="STUDY")
    assert (result.failure, result.observation.numbers["matches"]) == (None, 100)
