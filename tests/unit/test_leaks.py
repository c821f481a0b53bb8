"""`no_leaks` names what was left behind, and waits for what is just going away."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from mooring.pools import PoolTracker, Watch, holding
from mooring.pools.lease import Lease
from mooring.testing import fault_proxy, no_leaks
from tests.servers.played import playing


def test_leak_of_a_file_is_named(tmp_path: Path) -> None:
    """A file left open is named by its path."""
    path = tmp_path / "left-open"
    with (
        pytest.raises(AssertionError, match=r"left behind: file descriptor \d+ \(.*left-open\)"),
        no_leaks(within=0),
    ):
        file = path.open("w")
    file.close()


def test_leak_of_a_socket_is_named_by_both_ends() -> None:
    """A socket left open is named by its addresses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with (
            pytest.raises(AssertionError, match=rf"socket 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:{port}"),
            no_leaks(within=0),
        ):
            client = socket.create_connection(("127.0.0.1", port))
        client.close()


def test_leak_of_a_thread_is_named() -> None:
    """A thread that runs on is named."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="runs on")
    with pytest.raises(AssertionError, match="left behind: thread runs on"), no_leaks(within=0):
        thread.start()
    stop.set()
    thread.join()


async def test_leak_of_a_task_is_named() -> None:
    """A task that runs on is named."""
    with pytest.raises(AssertionError, match="left behind: task runs on"):
        async with no_leaks(within=0):
            task = asyncio.create_task(asyncio.Event().wait(), name="runs on")
    task.cancel()


async def test_closing_connections_are_waited_for() -> None:
    """Connections that are closed inside are no leak, though the loop closes them a turn later."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with playing(hang_up) as port, no_leaks(), fault_proxy(port) as proxy:
        _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.close()


def test_error_inside_is_not_covered_up() -> None:
    """Where the body raises, its own error stands."""
    left = []
    with pytest.raises(ZeroDivisionError), no_leaks(within=0):
        raise ZeroDivisionError(left.append(socket.socket()))
    left[0].close()


def taken(tracker: PoolTracker) -> Lease:
    """Take a connection at a line of this file."""
    return tracker.track()


LINE = taken.__code__.co_firstlineno + 2


def test_leak_of_a_lease_is_named_by_its_line() -> None:
    """A lease that is not returned is named by its pool, line and route, and like ones are counted."""
    tracker = PoolTracker("shop", "orders", watch=Watch(threaded=False))
    before = taken(tracker)

    def leak() -> None:
        taken(tracker)
        taken(tracker)
        with holding("GET /orders/{id}"):
            taken(tracker)
        tracker.release(taken(tracker))

    with pytest.raises(AssertionError) as raised, no_leaks(within=0, of=["leases"], trackers=[tracker]):
        leak()
    assert str(raised.value) == (
        f"left behind: 2 times a lease of shop/orders, taken at {__file__}:{LINE} in taken;"
        f" lease of shop/orders, taken at {__file__}:{LINE} in taken for GET /orders/{{id}}"
    )
    tracker.release(before)


def test_lease_is_told_before_the_connection_that_it_opened(tmp_path: Path) -> None:
    """The line that has to be mended stands first, where pytest's summary still shows it."""
    tracker = PoolTracker("shop", "orders", watch=Watch(threaded=False))
    with ExitStack() as opened:

        def leak() -> None:
            taken(tracker)
            opened.enter_context((tmp_path / "opened").open("w"))

        left = rf"^left behind: lease of .*:{LINE} in taken; file descriptor \d+ \(.*opened\)$"
        with pytest.raises(AssertionError, match=left), no_leaks(within=0, trackers=[tracker]):
            leak()


def test_leases_of_every_pool_of_the_process_are_seen() -> None:
    """A pool that is watched as usual needs no naming, and what watches it is left alone."""
    kept = []

    def leak() -> None:
        kept.append(PoolTracker("shop", "orders"))
        taken(kept[0])

    left = r"^left behind: lease of shop/orders, taken at"
    with pytest.raises(AssertionError, match=left), no_leaks(within=0):
        leak()
    kept[0].close()


def test_lease_that_is_just_being_returned_is_waited_for() -> None:
    """What another thread returns within the time is no leak."""
    tracker = PoolTracker("shop", "orders", watch=Watch(threaded=False))
    with no_leaks(trackers=[tracker]):
        threading.Timer(0.05, tracker.release, [taken(tracker)]).start()
    assert len(tracker.open) == 0


async def test_leak_of_a_lease_in_a_coroutine_is_named() -> None:
    """The same holds in a coroutine."""
    tracker = PoolTracker("shop", "orders", watch=Watch(threaded=False))
    with pytest.raises(AssertionError, match=rf"taken at {__file__}:{LINE} in taken"):
        async with no_leaks(within=0, trackers=[tracker]):
            taken(tracker)


def test_unknown_thing_to_judge_is_refused() -> None:
    """A misspelt thing is not silently left out."""
    with pytest.raises(
        ValueError, match=r"there is no \['lease'\]; there are leases, descriptors, threads, tasks"
    ):
        no_leaks(of=["lease"])
