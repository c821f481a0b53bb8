"""Reports of real processes: they begin by themselves, survive a fork, and end with a last report."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from mooring.pools import PoolTracker, Watch
from mooring.pools.driver import ByHand, Gauges
from mooring.pools.environment import report_as_told
from mooring.pools.frames import is_within
from mooring.pools.reporter import Reporter
from tests.report_server import TOKEN, Handler, ReportServer, hang, yes
from tests.servers.process import poll_until
from tests.sources import SRC

BEGIN = "from mooring.pools import PoolTracker; t = PoolTracker('shop'); lease = t.track();"


@pytest.fixture
def server() -> Iterator[ReportServer]:
    """A server that takes every report."""
    with ReportServer() as running:
        yield running


def program(server: ReportServer, code: str, **environ: str) -> subprocess.Popen[str]:
    """Start a program that its environment tells where to report."""
    environment: Mapping[str, str] = {
        **os.environ,
        "PYTHONPATH": str(SRC.parent),
        "MOORING_SERVER": server.url,
        "MOORING_TOKEN": TOKEN,
        **environ,
    }
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_program_reports_as_its_environment_says(server: ReportServer) -> None:
    """Two variables are enough; a third one says how often, in milliseconds."""
    server.answer = yes(interval=1.5)
    with program(server, BEGIN + "input()", METRICS_COLLECTION_INTERVAL="1500") as running:
        poll_until(lambda: len(server.reports) >= 2, "two reports")
        _, told = running.communicate("\n")
    assert {report["interval"] for report in server.reports} == {1.5}
    assert server.reports[0]["instance"]["pid"] == running.pid
    assert [report["last"] for report in server.reports][-2:] == [False, True]
    assert (running.returncode, told) == (0, "")


def test_the_end_of_a_program_sends_the_last_report(server: ReportServer) -> None:
    """A program that ends before the first report was due tells what it did all the same."""
    with program(server, BEGIN + "t.release(lease)") as running:
        _, told = running.communicate()
    [report] = server.reports
    assert report["last"]
    assert report["pools"][0]["totals"]["returned"] == 1
    assert (running.returncode, told) == (0, "")


def test_a_tracker_that_is_closed_at_the_end_is_in_the_last_report(server: ReportServer) -> None:
    """Closing first and ending then loses nothing."""
    with program(server, BEGIN + "t.release(lease); t.close()") as running:
        running.communicate()
    assert server.reports[-1]["last"]
    told = [pool["totals"]["returned"] for report in server.reports for pool in report["pools"]]
    assert told[-1] == 1


def test_a_server_that_hangs_does_not_hold_a_program_up(server: ReportServer) -> None:
    """A program ends within three seconds, whatever the server does."""
    server.answer = hang
    with program(server, BEGIN + "input()") as running:
        poll_until(lambda: bool(server.reports), "a report that hangs")
        began = monotonic()
        _, told = running.communicate("\n")
    assert monotonic() - began < 3
    assert (running.returncode, told) == (0, "")


def test_sigterm_is_the_programs_own(server: ReportServer) -> None:
    """Handled as workers of gunicorn do, it sends the last report; unhandled it kills, as without Mooring."""
    handled = "import signal, sys; signal.signal(15, lambda *_: sys.exit(0));"
    for code, status, last in ((handled + BEGIN, 0, True), (BEGIN, -signal.SIGTERM, False)):
        server.reports.clear()
        with program(server, code + "import time; time.sleep(60)") as running:
            poll_until(lambda: bool(server.reports), "a report")
            running.terminate()
            running.communicate()
        assert running.returncode == status
        assert server.reports[-1]["last"] is last


UVICORN = """
import sys, uvicorn
from mooring.contrib.asgi import PoolsMiddleware
async def app(scope, receive, send):
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        print(message["type"], file=sys.stderr, flush=True)
        if message["type"] == "lifespan.shutdown":
            return
uvicorn.run(PoolsMiddleware(app), port=0, log_level="warning")
"""


def test_a_program_of_uvicorn_sends_the_last_report_on_sigterm(server: ReportServer) -> None:
    """In the end uvicorn has the signal kill it, but the middleware saw its lifespan end."""
    with program(server, BEGIN + UVICORN) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "lifespan.startup\n"
        poll_until(lambda: bool(server.reports), "a report")
        running.terminate()
        running.communicate()
    assert running.returncode == -signal.SIGTERM
    assert [report["last"] for report in server.reports] == [False, True]


def test_a_process_that_lives_on_after_its_farewell_reports_again(server: ReportServer) -> None:
    """A farewell is no end: the next report takes it back."""
    server.answer = yes(interval=1)
    watch = Watch()
    watch.report_to(server.url, TOKEN, interval=1)
    tracker = PoolTracker("shop", watch=watch)
    poll_until(lambda: bool(server.reports), "a report")
    watch.farewell()
    told = server.reports[-1]["last"]
    poll_until(lambda: not server.reports[-1]["last"], "a further report")
    watch.close()
    assert told
    assert server.reports[-1]["last"]
    assert tracker.active


FORK = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on: of a fork where threads run
child = os.fork()
if child == 0:
    t.track()
    sys.exit(0)
os.waitpid(child, 0)
input()
"""


def test_a_forked_child_reports_for_itself(server: ReportServer) -> None:
    """The child has an id, a thread and an empty book of its own; the parent goes on as before."""
    server.answer = yes(interval=1)
    with program(server, BEGIN + FORK, METRICS_COLLECTION_INTERVAL="1000") as running:
        poll_until(lambda: any(report["last"] for report in server.reports), "the child's last report")
        count = len(server.reports)
        poll_until(lambda: len(server.reports) >= count + 2, "further reports of the parent")
        _, told = running.communicate("\n")
    last = {report["instance"]["pid"]: report for report in server.reports if report["last"]}
    ids = {report["instance"]["pid"]: report["instance"]["id"] for report in server.reports}
    assert len(set(ids.values())) == len(last) == 2
    assert {pid: report["pools"][0]["used"] for pid, report in last.items()} == {
        running.pid: 1,
        next(pid for pid in ids if pid != running.pid): 1,
    }
    assert last[running.pid]["pools"][0]["totals"]["taken"] == 1
    assert (running.returncode, told) == (0, "")


POOL = """
import multiprocessing
def work():
    t.track()
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
"""


def test_a_child_of_multiprocessing_sends_a_last_report(server: ReportServer) -> None:
    """It ends without what atexit knows, and its report is sent all the same."""
    with program(server, BEGIN + POOL) as running:
        _, told = running.communicate()
    last = [report["instance"]["pid"] for report in server.reports if report["last"]]
    assert len(set(last)) == 2
    assert last[-1] == running.pid
    assert (running.returncode, told) == (0, "")


def test_a_program_without_pools_reports_nothing(server: ReportServer) -> None:
    """Where nothing is tracked there is nothing to tell, not even at the end."""
    with program(server, "from mooring.pools.watch import watch_of_this_process as w; w()") as running:
        running.communicate()
    assert (running.returncode, server.reports) == (0, [])


def test_monitoring_that_is_off_reports_nothing(server: ReportServer) -> None:
    """DB_CONNECTION_MONITORING=false says that nothing is to be sent."""
    with program(server, BEGIN, DB_CONNECTION_MONITORING="false") as running:
        running.communicate()
    assert (running.returncode, server.reports) == (0, [])


def test_a_wrong_environment_stops_no_program(server: ReportServer) -> None:
    """What cannot be reported to is told in one line, without the token."""
    with program(server, BEGIN, MOORING_SERVER=f"http://{TOKEN}@nowhere") as running:
        _, told = running.communicate()
    assert running.returncode == 0
    assert told == (
        "pools are not reported, as the environment says it wrongly: "
        "server: leave the login out of the address, and give a token\n"
    )


def test_the_code_stands_above_the_environment(tmp_path: Path) -> None:
    """What the code leaves open the environment says; without a token there is an error."""
    told: list[tuple[object, ...]] = []

    def report_to(server: str, token: str | Path, *, interval: float | None = None) -> None:
        told.append((server, token, interval))

    file = tmp_path / "token"
    environ = {
        "MOORING_SERVER": "http://a",
        "MOORING_TOKEN_FILE": str(file),
        "METRICS_COLLECTION_INTERVAL": "x",
    }
    report_as_told(report_to, environ=environ)
    report_as_told(report_to, "http://b", environ=environ)
    report_as_told(report_to, "http://b", "t", environ={"METRICS_COLLECTION_INTERVAL": "5000"})
    report_as_told(report_to, environ={})
    assert told == [("http://a", file, None), ("http://b", file, None), ("http://b", "t", 5.0)]
    with pytest.raises(ValueError) as refused:
        report_as_told(report_to, "http://b", environ={})
    assert str(refused.value) == (
        "token: there is none; give one of the server's as token=, MOORING_TOKEN or the file "
        "MOORING_TOKEN_FILE"
    )


def test_a_watch_has_one_reporter(server: ReportServer) -> None:
    """Told the same again nothing changes; told otherwise it reports there alone; closed it says so."""
    watch = Watch()
    first = watch.report_to(server.url, TOKEN)
    assert watch.report_to(server.url, TOKEN) is first
    second = watch.report_to(server.url, "another")
    tracker = PoolTracker("shop", watch=watch)
    poll_until(lambda: bool(server.reports), "a report")
    watch.close()
    assert second is not first
    assert {each["Authorization"] for each in server.headers} == {"Bearer another"}
    assert server.reports[-1]["last"]
    assert tracker.active
    assert "mooring-reports" not in {thread.name for thread in threading.enumerate()}


def test_two_threads_at_once_make_one_reporter(server: ReportServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library and the program that begin to report at once do not count every pool twice."""
    watch, told, make = Watch(threaded=False), [], Reporter.__init__
    other = threading.Thread(target=lambda: told.append(watch.report_to(server.url, TOKEN)))

    def stands_there() -> bool:
        return bool(told) or is_within("report_to", watch)

    def begin(*args: Any, **kwargs: Any) -> None:
        make(*args, **kwargs)
        if not other.ident:
            other.start()
            poll_until(stands_there, "the other thread waits, or has one of its own")

    monkeypatch.setattr(Reporter, "__init__", begin)
    told.append(watch.report_to(server.url, TOKEN))
    other.join()
    assert len(told) == 2
    assert told[0] is told[1]


def test_nothing_waits_for_a_report(server: ReportServer, caplog: pytest.LogCaptureFixture) -> None:
    """While a report hangs, leases are taken and trackers closed as ever."""
    caplog.set_level(logging.INFO, logger="mooring.pools")
    released = threading.Event()

    def wait(handler: Handler) -> None:
        released.wait(10)
        yes()(handler)

    server.answer = wait
    watch = Watch()
    watch.report_to(server.url, TOKEN)
    tracker, other = PoolTracker("shop", watch=watch), PoolTracker("shop", "other", watch=watch)
    poll_until(lambda: bool(server.reports), "a report that hangs")
    other.close()
    for _ in range(1000):
        tracker.release(tracker.track())
    released.set()
    watch.close()
    [report] = [report for report in server.reports if report["last"]]
    assert [(pool["name"], pool["totals"]["returned"]) for pool in report["pools"]][-1] == ("main", 1000)
    assert caplog.records == []


def test_no_thread_is_no_harm(server: ReportServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started nothing is reported, and the program goes on."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    watch = Watch()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        watch.report_to(server.url, TOKEN)
    tracker = PoolTracker("shop", watch=watch)
    watch.farewell()
    watch.close()
    assert server.reports == []
    assert tracker.active


def test_nothing_forks_while_a_driver_is_asked_for_a_report(server: ReportServer) -> None:
    """A driver's lock that the reporter holds during a fork would be held for ever in the child."""
    watch = Watch(threaded=False)
    held: list[bool] = []

    class Driver(ByHand):
        def gauges(self) -> Gauges:
            held.append(watch._looking._is_owned())  # type: ignore[attr-defined]
            return super().gauges()

    reporter = watch.report_to(server.url, TOKEN)
    tracker = PoolTracker("shop", driver=Driver(None), watch=watch)
    reporter.round()
    tracker.close()
    assert set(held) == {True}
    assert len(held) == 2
