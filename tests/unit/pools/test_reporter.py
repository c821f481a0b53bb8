"""Reports of pools: what is told, when, and what becomes of it where the server is in trouble."""

from __future__ import annotations

import gc
import gzip
import json
import logging
import socket
import threading
import traceback
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mooring.pools import PoolTracker, Watch
from mooring.pools.delivery import Answer, Delivery, Undelivered
from mooring.pools.destination import address_of
from mooring.pools.driver import ByHand, Gauges
from mooring.pools.line import refusal
from mooring.pools.reporter import Reporter
from tests.report_server import TOKEN, Answering, Handler, ReportServer, drip, hang, no, reset, yes
from tests.servers.tls import Certificates
from tests.unit.pools.desk import Desk


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged, from informations on."""
    caplog.set_level(logging.INFO, logger="mooring.pools")
    return caplog


def test_a_report_tells_every_pool_of_a_service(desk: Desk, server: ReportServer) -> None:
    """One report has the process, the interval and all pools of the service, as the contract says."""
    orders, stock = desk.tracker(name="orders", max_size=5), desk.tracker(name="stock")
    lease = orders.track("load")
    assert desk.round() == 30.0
    [report] = server.reports
    assert set(report) == {
        "version",
        "service",
        "instance",
        "sent_at",
        "interval",
        "last",
        "pools",
        "done",
        "sequence",
    }
    assert (report["version"], report["service"], report["interval"]) == (1, "shop", 30.0)
    assert (report["sent_at"], report["last"], report["done"]) == ("2026-01-01T00:00:00+00:00", False, [])
    assert set(report["instance"]) == {"id", "host", "pid", "started_at"}
    assert [(pool["name"], pool["used"], pool["limit"]) for pool in report["pools"]] == [
        ("orders", 1, 5),
        ("stock", 0, None),
    ]
    assert "service" not in report["pools"][0]
    assert server.paths == ["/api/v1/pools/report"]
    assert server.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    orders.release(lease)
    stock.close()


def test_each_service_has_a_report_of_its_own(desk: Desk, server: ReportServer) -> None:
    """Two services in one process are told in two reports of one instance."""
    kept = [desk.tracker("shop"), desk.tracker("jobs")]
    desk.round()
    assert [report["service"] for report in server.reports] == ["shop", "jobs"]
    assert len({report["instance"]["id"] for report in server.reports}) == 1
    assert len(kept) == 2


def test_every_report_has_a_higher_number(desk: Desk, server: ReportServer) -> None:
    """Also one that was refused or lost, whatever the program's clock says."""
    kept = [desk.tracker("shop"), desk.tracker("jobs")]
    desk.round()
    server.answer = no(500)
    desk.round()
    server.answer = yes()
    desk.round()
    assert [report["sequence"] for report in server.reports] == [1, 2, 3, 4, 5]
    assert len(kept) == 2


def test_two_pools_of_one_name_are_told_apart(desk: Desk, server: ReportServer) -> None:
    """The second pool of a name gets a number, and keeps it."""
    kept = [desk.tracker(), desk.tracker()]
    desk.round()
    desk.round()
    assert [[pool["name"] for pool in report["pools"]] for report in server.reports] == [
        ["main", "main-2"]
    ] * 2
    assert len(kept) == 2


def test_a_tracker_that_is_collected_drops_out(desk: Desk, server: ReportServer) -> None:
    """What nobody holds is reported no more; the last of a service takes the service with it."""
    tracker = desk.tracker(name="kept")
    other: PoolTracker | None = desk.tracker(name="gone")
    desk.round()
    del other
    gc.collect()
    desk.round()
    del tracker
    gc.collect()
    desk.round()
    desk.round()
    told = [([pool["name"] for pool in report["pools"]], report["last"]) for report in server.reports]
    assert told == [(["kept", "gone"], False), (["kept"], False), ([], True)]


def test_a_closed_tracker_is_reported_once_more(desk: Desk, server: ReportServer) -> None:
    """Closing sends the last counts soon; the service is over with its last pool."""
    tracker = desk.tracker()
    desk.round()
    tracker.release(tracker.track())
    tracker.close()
    desk.round()
    desk.round()
    assert [report["last"] for report in server.reports] == [False, True]
    assert server.reports[-1]["pools"][0]["totals"]["returned"] == 1


def test_the_end_of_the_process_is_told(desk: Desk, server: ReportServer) -> None:
    """The last report says that it is the last, though it was not yet due."""
    tracker = desk.tracker()
    desk.round()
    desk.clock.seconds -= 20
    desk.reporter.close()
    desk.reporter.round()
    assert [report["last"] for report in server.reports] == [False, True]
    assert tracker.active


@pytest.mark.parametrize(
    ("answering", "problem"),
    [
        (reset, "Connection reset by peer"),
        (no(500), "it answers 500"),
        (no(503), "it answers 503"),
        (lambda handler: handler.say(200, b"<html>hello"), "what answers there is no Mooring server"),
        (lambda handler: handler.say(200, b"[" * 50_000), "what answers there is no Mooring server"),
        (lambda handler: handler.say(200, b"x" * 100_000), "its answer has more than 65,536 bytes"),
        (lambda _: None, "it closed the connection without an answer"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-x\r\n"), "what answers there does not speak HTTP"),
    ],
    ids=["reset", "500", "503", "garbage", "nested", "huge", "silent", "no-http"],
)
def test_trouble_is_told_once_and_nothing_is_lost(
    desk: Desk, server: ReportServer, logged: pytest.LogCaptureFixture, answering: Answering, problem: str
) -> None:
    """Whatever a server does, there is one warning, one line when it is well, and the counts are right."""
    tracker = desk.tracker()
    server.answer = answering
    delays = [desk.round() for _ in range(7)]
    assert delays == [1, 2, 4, 8, 16, 30, 30]
    for _ in range(3):
        tracker.release(tracker.track())
    server.answer = yes()
    assert desk.round() == 30
    assert [record.levelname for record in logged.records] == ["WARNING", "WARNING"]
    assert f"pools cannot be reported to {server.url}: {problem};" in logged.records[0].message
    assert logged.records[1].message == f"pools of shop are reported to {server.url} again"
    assert server.reports[-1]["pools"][0]["totals"]["returned"] == 3


def test_retries_come_at_random(server: ReportServer) -> None:
    """Processes that lost their server do not come back all at once: each waits a share by chance."""
    shares = iter([0.5, 0.25, 0.0, 1.0])
    desk = Desk(server, random=lambda: next(shares))
    tracker = desk.tracker()
    server.answer = no(503)
    assert [desk.round() for _ in range(4)] == [0.5 * 1, 0.25 * 2, 0.0 * 4, 1.0 * 8]
    assert tracker.faults == 0


def test_an_hour_without_the_server_costs_nothing(
    desk: Desk, server: ReportServer, logged: pytest.LogCaptureFixture
) -> None:
    """While the server is away memory stays as it was; afterwards the totals are right."""
    tracker = desk.tracker()
    desk.round()
    server.stop()
    while desk.clock.seconds < 600:
        desk.round()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    while desk.clock.seconds < 4200:
        tracker.release(tracker.track())
        desk.round()
        logged.clear()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000
    server.start()
    desk.round()
    totals = server.reports[-1]["pools"][0]["totals"]
    assert totals["taken"] == totals["returned"] == tracker.taken


def test_closed_trackers_are_bounded_while_the_server_is_away(desk: Desk, server: ReportServer) -> None:
    """Of a thousand trackers that were closed during an outage the newest hundred are told."""
    server.stop()
    desk.round()
    for number in range(1000):
        desk.tracker(name=f"pool-{number}").close()
    server.start()
    desk.clock.seconds += 60
    desk.round()
    assert [pool["name"] for pool in server.reports[0]["pools"]] == [f"pool-{n}" for n in range(900, 1000)]


REFUSALS = {
    "401": "it does not know the token (401: x); give one of the server's as token=, MOORING_TOKEN or the "
    "file MOORING_TOKEN_FILE",
    "403": "the token may not report pools (403: x); give one with the role reporter",
    "404": "there is no /api/v1/pools/report (404: x); see whether the address has the right base path, or "
    "update it",
    "409": "it has no room (409: x); remove the pools there that are gone",
    "422": "it refuses the reports of shop (422: x); see whether the server and this program have the same "
    "version of Mooring",
    "307": "it redirects to http://127.0.0.1:1/x/***, where the token is not sent; give the address that is "
    "right",
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_is_told_once_and_tried_rarely(
    desk: Desk, server: ReportServer, logged: pytest.LogCaptureFixture, status: str
) -> None:
    """Who refuses is asked again after minutes, and the log says once what to do."""
    tracker = desk.tracker()
    location = {"Location": f"http://127.0.0.1:1/x/{TOKEN}"} if status == "307" else {}
    server.answer = no(int(status), "x", **location)
    assert [desk.round() for _ in range(3)] == [300, 300, 300]
    assert [record.message for record in logged.records] == [f"{server.url}: {REFUSALS[status]}"]
    server.answer = yes()
    desk.round()
    assert logged.records[-1].message == f"pools of shop are reported to {server.url} again"
    assert len(server.reports) == 4
    assert tracker.active


def test_the_first_mistake_of_a_report_is_named() -> None:
    """A server that is older says which key it does not know; nonsense in its place is left out."""
    body = {"detail": "Mistakes.", "errors": [{"field": "pools.0.leaks.0.x", "message": "is not known here"}]}
    told = refusal(Answer(422, json.dumps(body).encode()), "shop")
    assert told == (
        "it refuses the reports of shop (422: Mistakes. pools.0.leaks.0.x: is not known here); see whether "
        "the server and this program have the same version of Mooring"
    )
    for nonsense in ({}, [], ["x"], {"field": "x"}):
        answer = Answer(422, json.dumps({"detail": "x", "errors": nonsense}).encode())
        assert refusal(answer, "shop") == REFUSALS["422"]


def test_a_refused_service_leaves_the_others_alone(desk: Desk, server: ReportServer) -> None:
    """What the server refuses of one service is no reason to report the other one less."""
    kept = [desk.tracker("shop"), desk.tracker("jobs")]

    def one_only(handler: Handler) -> None:
        (yes() if server.reports[-1]["service"] == "jobs" else no(422))(handler)

    server.answer = one_only
    assert [desk.round() for _ in range(3)] == [30, 30, 30]
    assert [report["service"] for report in server.reports] == ["shop", "jobs", "jobs", "jobs"]
    assert len(kept) == 2


def test_what_is_too_large_is_halved(desk: Desk, server: ReportServer) -> None:
    """413 halves the details, then the number of pools, until it is small enough."""
    kept = [desk.tracker(name=f"pool-{number}") for number in range(101)]
    for tracker in kept:
        tracker.release(tracker.track())

    def small_only(handler: Handler) -> None:
        (yes() if len(server.reports[-1]["pools"]) < 60 else no(413))(handler)

    server.answer = small_only
    delays = [desk.round() for _ in range(11)]
    sizes = [(len(report["pools"]), len(report["pools"][0]["sites"])) for report in server.reports]
    assert sizes == [(100, 1)] * 7 + [(100, 0), (50, 0), (50, 0), (1, 0)]
    assert delays == [0] * 10 + [30]


def test_a_server_that_never_finds_it_small_enough_is_asked_rarely(desk: Desk, server: ReportServer) -> None:
    """When nothing is left to be halved, 413 is a refusal like any other."""
    tracker = desk.tracker()
    server.answer = no(413)
    delays = [desk.round() for _ in range(15)]
    assert delays == [0] * 13 + [300, 300]
    assert tracker.active


def test_a_busy_server_says_when_to_come_again(desk: Desk, server: ReportServer) -> None:
    """Retry-After is kept to, up to five minutes."""
    tracker = desk.tracker()
    server.answer = no(429, Retry_After="17")
    assert desk.round() == 17
    server.answer = no(503, Retry_After="86400")
    assert desk.round() == 300
    assert tracker.active


@pytest.mark.parametrize(
    ("wanted", "first", "then"),
    [(5, 5, 5), (0, 1, 1), (100, 30, 100), (1e9, 30, 300), (None, 30, 30), (True, 30, 30), ("9", 30, 30)],
)
def test_the_server_may_change_the_interval(
    desk: Desk, server: ReportServer, wanted: Any, first: float, then: float
) -> None:
    """It stays from 1 to 300 s; a longer one is told within the one that the server still expects."""
    tracker = desk.tracker()
    server.answer = yes(interval=wanted)
    assert [desk.round(), desk.round()] == [first, then]
    assert [report["interval"] for report in server.reports] == [30, then]
    assert tracker.active


def wish(number: int, do: str = "stop", pool: str = "main") -> dict[str, Any]:
    """Return a wish of the server."""
    return {"pool": pool, "do": do, "id": number}


def test_a_wish_is_carried_out_once_and_acknowledged(desk: Desk, server: ReportServer) -> None:
    """A wish that comes again is acknowledged again, and not carried out."""
    tracker = desk.tracker()
    server.answer = yes(wish(7))
    desk.round()
    assert not tracker.active
    tracker.start()
    desk.round()
    assert tracker.active
    server.answer = yes()
    desk.round()
    desk.round()
    assert [report["done"] for report in server.reports] == [[], [7], [7], []]


def test_a_wish_of_a_server_whose_clock_was_set_back_is_carried_out(desk: Desk, server: ReportServer) -> None:
    """A wish is known by its id, not by being older than another; the ids of many are remembered."""
    tracker = desk.tracker()
    for first in range(1000, 2000, 100):
        server.answer = yes(*[wish(number, "start") for number in range(first, first + 100)])
        desk.round()
    server.answer = yes(wish(7))
    desk.round()
    assert not tracker.active
    server.answer = yes(wish(1001, "start"), wish(1999, "start"))
    desk.round()
    assert not tracker.active


def test_an_acknowledgement_waits_until_the_server_hears_it(desk: Desk, server: ReportServer) -> None:
    """What was carried out is told until a report is accepted."""
    tracker = desk.tracker()
    server.answer = yes(wish(1))
    desk.round()
    server.answer = no(500)
    desk.round()
    server.answer = yes()
    desk.round()
    desk.round()
    assert [report["done"] for report in server.reports] == [[], [1], [1], []]
    assert not tracker.active


def test_every_wish_does_what_it_says(desk: Desk, server: ReportServer) -> None:
    """Reset, stop and start go to the pool that is named, in the order of their ids."""
    tracker, other = desk.tracker(), desk.tracker(name="other")
    for each in (tracker, other):
        each.release(each.track())
    server.answer = yes(
        wish(3, "start"), wish(1, "reset"), wish(2, "stop"), wish(4, "cleanup"), wish(5, "stop", "other")
    )
    desk.round()
    assert (tracker.taken, tracker.active) == (0, True)
    assert (other.taken, other.active) == (1, False)
    desk.round()
    assert server.reports[-1]["done"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "wishes",
    [
        "x",
        [1, None, [], "stop"],
        [{"pool": "main", "do": "stop"}],
        [{"pool": "main", "do": "explode", "id": 1}],
        [{"pool": "main", "do": ["stop"], "id": 1}],
        [{"pool": 1, "do": "stop", "id": 1}],
        [{"pool": "main", "do": "stop", "id": True}],
        [{"pool": "main", "do": "stop", "id": -1}],
        [{"pool": "main", "do": "stop", "id": 2**70}],
    ],
)
def test_wishes_that_make_no_sense_do_nothing(desk: Desk, server: ReportServer, wishes: Any) -> None:
    """What cannot be understood is neither carried out nor acknowledged."""
    tracker = desk.tracker()
    server.answer = lambda handler: handler.say(200, json.dumps({"interval": 30, "wishes": wishes}).encode())
    assert [desk.round(), desk.round()] == [30, 30]
    assert tracker.active
    assert server.reports[-1]["done"] == []


def test_a_number_that_cannot_be_true_harms_no_other_pool(desk: Desk, server: ReportServer) -> None:
    """A driver that says "no limit" by a huge number is told without one; what is negative is left out."""

    class Odd(ByHand):
        def gauges(self) -> Gauges:
            return Gauges(size=-1, idle=-5, limit=2**31, least=3)

    tracker = desk.tracker(driver=Odd(None))
    desk.round()
    [pool] = server.reports[0]["pools"]
    assert {name: pool[name] for name in ("size", "idle", "limit", "least", "used")} == {
        "size": None,
        "idle": None,
        "limit": None,
        "least": 3,
        "used": 4,
    }
    assert tracker.active


def test_what_is_reported_holds_no_secret(desk: Desk, server: ReportServer) -> None:
    """Operations, errors and names of tasks pass the redactor; so does the token."""
    tracker = desk.tracker(name="postgresql://ann:s3cret@db/shop")
    leases = [tracker.track(f"password=s3cret {TOKEN} \x1b[31m")]
    for _ in range(5):
        tracker.record_error(ConnectionResetError("cannot reach postgresql://ann:s3cret@db/shop"))
    desk.clock.seconds = 60
    desk.watch.look()
    desk.round()
    [pool] = server.reports[0]["pools"]
    text = json.dumps(server.reports)
    assert "s3cret" not in text
    assert TOKEN not in text
    assert pool["name"] == "postgresql://***@db/shop"
    assert pool["leaks"][0]["operation"] == "password=*** *** \ufffd[31m"
    assert "postgresql://***@db/shop" in next(
        a["recommendation"] for a in pool["alerts"] if a["rule"] == "errors"
    )
    assert len(leases) == 1


def test_the_token_is_never_shown(server: ReportServer) -> None:
    """Neither what stands for a reporter nor what it raises repeats the token."""
    reporter = Reporter(server.url, TOKEN, watch=Watch(threaded=False), threaded=False)
    assert repr(reporter) == f"<Reporter to {server.url} each 30 s>"
    assert repr(reporter._delivery.token) == "Token(***)"
    with pytest.raises(ValueError) as refused:
        Reporter(server.url, f"{TOKEN} {TOKEN}", watch=Watch(threaded=False), threaded=False)
    assert TOKEN not in "".join(traceback.format_exception(refused.value))
    assert str(refused.value) == "token: what was given is no token; it is one word, as the server printed it"


def test_a_token_in_a_file_may_be_replaced(server: ReportServer, tmp_path: Path) -> None:
    """The file is read for each report, and that it is not there yet is told."""
    file = tmp_path / "token"
    desk = Desk(server, token=file)
    tracker = desk.tracker()
    desk.round()
    assert server.reports == []
    for token in ("first", "second\n"):
        file.write_text(token)
        desk.round()
    assert [each["Authorization"] for each in server.headers] == ["Bearer first", "Bearer second"]
    assert tracker.active


def test_a_relative_path_of_a_token_is_that_of_the_beginning(
    server: ReportServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that goes to another folder, as daemons do, still finds its token; a missing one is named."""
    monkeypatch.chdir(tmp_path)
    delivery = Delivery(server.url, Path("token"))
    monkeypatch.chdir("/")
    with pytest.raises(Undelivered) as missing:
        delivery.post(gzip.compress(b"{}"))
    assert str(missing.value) == f"{tmp_path}/token: No such file or directory"
    (tmp_path / "token").write_text(TOKEN)
    assert delivery.post(gzip.compress(b'{"pools": []}')).status == 200


@pytest.mark.parametrize("answering", [hang, drip], ids=["hang", "drip"])
def test_a_slow_answer_is_not_waited_for(server: ReportServer, answering: Answering) -> None:
    """The time of a report is bounded, also where bytes keep coming."""
    server.answer = answering
    with pytest.raises(Undelivered) as slow:
        Delivery(server.url, TOKEN).post(gzip.compress(b"{}"), 0.3)
    assert str(slow.value) == "it did not answer within 0.3 s"


def test_an_address_may_have_a_base_path_and_be_ipv6() -> None:
    """What people give is what is asked."""
    assert str(address_of("https://mooring.example/base/")) == "https://mooring.example/base"
    assert address_of("http://[::1]:9000").authority == "[::1]:9000"
    assert address_of("http://bücher.example").host == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "server",
    [
        "",
        "mooring:9000",
        "ftp://x",
        "http://",
        "http://[::1",
        "http://x:99999",
        "http://x/?a",
        "http://x/#a",
        "http://x/a b",
    ],
)
def test_what_is_no_address_is_refused(server: str) -> None:
    """A wrong address is told when it is given."""
    with pytest.raises(ValueError) as refused:
        address_of(server)
    assert str(refused.value).startswith("server: give an address such as https://mooring.example.com:9000")


def test_a_login_in_the_address_is_refused_and_not_repeated() -> None:
    """A token is given apart, so that the address can be shown."""
    with pytest.raises(ValueError) as refused:
        address_of("http://ann:s3cret@mooring:9000")
    assert str(refused.value) == "server: leave the login out of the address, and give a token"


def test_the_base_path_is_asked(server: ReportServer) -> None:
    """Reports go below the base path."""
    desk = Desk(server, url=f"{server.url}/mooring/")
    tracker = desk.tracker()
    desk.round()
    assert server.paths == ["/mooring/api/v1/pools/report"]
    assert tracker.active


def test_a_server_is_verified(certificates: Certificates, logged: pytest.LogCaptureFixture) -> None:
    """A certificate of an unknown authority gets no token; with the authority's file it is fine."""
    with ReportServer(certificates.good.server_context()) as server:
        desk = Desk(server)
        tracker = desk.tracker()
        desk.round()
        assert server.reports == []
        assert "its certificate is not trusted (" in logged.records[0].message
        assert "; name the file of its authority in SSL_CERT_FILE" in logged.records[0].message
        desk = Desk(server, ca=certificates.ca)
        other = desk.tracker()
        desk.round()
        assert len(server.reports) == 1
        assert tracker.active == other.active


def test_a_certificate_of_another_host_is_told_as_that(
    certificates: Certificates, logged: pytest.LogCaptureFixture
) -> None:
    """No file of an authority would help there."""
    with ReportServer(certificates.wrong_host.server_context()) as server:
        desk = Desk(server, ca=certificates.ca)
        tracker = desk.tracker()
        desk.round()
        assert (server.reports, tracker.active) == ([], True)
        assert ".); use a name that it is for; trying again" in logged.records[0].message


def test_a_server_without_tls_is_told_as_that(server: ReportServer, logged: pytest.LogCaptureFixture) -> None:
    """`https://` to a port that speaks plain HTTP says so, without OpenSSL's place in its source."""
    desk = Desk(server, url=server.url.replace("http://", "https://"))
    tracker = desk.tracker()
    desk.round()
    assert tracker.active
    assert "TLS failed (WRONG_VERSION_NUMBER); does it speak plain http://?" in logged.records[0].message


def test_a_handshake_that_drips_is_not_waited_for() -> None:
    """The time of a report is bounded, also where TLS never gets done."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip_records() -> None:
            connection, _ = listener.accept()
            pace = threading.Event()
            with connection, suppress(OSError):
                connection.sendall(b"\x16\x03\x03\x40\x00")
                while not pace.wait(0.05):
                    connection.sendall(b"\x02")

        thread = threading.Thread(target=drip_records)
        thread.start()
        with pytest.raises(Undelivered) as slow:
            Delivery(f"https://127.0.0.1:{listener.getsockname()[1]}", TOKEN).post(b"", 0.5)
        thread.join(10)
    assert str(slow.value) == "it did not answer within 0.5 s"
    assert not thread.is_alive()


def test_no_proxy_gets_the_token(desk: Desk, server: ReportServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is for other things."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    tracker = desk.tracker()
    desk.round()
    assert len(server.reports) == 1
    assert tracker.active
