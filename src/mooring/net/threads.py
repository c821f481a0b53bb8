"""Blocking calls, kept away from the event loop and from each other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason

T = TypeVar("T")

MOST_THREADS = 64
"""Calls at one time. What hangs, such as a service or a file on a dead network disk, keeps its place: with
few of them, healthy targets would wait behind it until their own time is up, and be told as down."""


class Threads:
    """Runs blocking calls in threads that never keep the program from ending. Belongs to one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MOST_THREADS)

    async def run(self, work: Callable[[], T], within: float | None = None) -> T:
        """Return what `work` returns, or raise what it raises.

        Raises CheckError(internal) where no place is free `within` seconds.

        Who is cancelled stops waiting at once; the call goes on until it ends by itself, so give it a
        deadline of its own.
        """
        loop = asyncio.get_running_loop()
        await self._take_place(within)
        outcome: asyncio.Future[T] = loop.create_future()
        body = threading.Thread(
            target=self._body, args=(loop, outcome, work), name="mooring-blocking", daemon=True
        )
        try:
            body.start()
        except RuntimeError:
            self._free.release()
            raise
        return await outcome

    async def _take_place(self, within: float | None) -> None:
        try:
            async with asyncio.timeout(within):
                await self._free.acquire()
        except TimeoutError:
            raise CheckError(
                Reason.INTERNAL,
                Prose("all {most} threads for blocking calls are held by others", most=MOST_THREADS),
                code="NO_THREAD",
                hint=Prose(
                    "It says nothing about this target: what hangs holds them. Repair or pause the targets"
                    " that time out, or check them less often."
                ),
            ) from None

    def _body(
        self, loop: asyncio.AbstractEventLoop, outcome: asyncio.Future[Any], work: Callable[[], Any]
    ) -> None:
        error: Exception | None = None
        result = None
        try:
            result = work()
        except Exception as caught:
            error = caught
        with suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
            loop.call_soon_threadsafe(self._tell, outcome, result, error)

    def _tell(self, outcome: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
        self._free.release()
        if outcome.done():  # its caller gave up
            return
        if error is None:
            outcome.set_result(result)
        else:
            outcome.set_exception(error)
