"""Errors of statements that leave the block of their connection, such as `with pool.connection()`."""

from __future__ import annotations

from types import FrameType
from typing import Any

from mooring.pools.tracker import PoolTracker

_OF = ("connection", "_connection", "_conn")
"""How a driver's cursor, transaction or prepared statement calls its connection."""


class Blocks:
    """Counts what statements raised, as it leaves the block of their connection. Nothing here raises.

    Args:
        tracker: the pool's book.
        package: of the driver's connections.
        pool: the package of its pool, where that is another one.
        errors: what all of the driver's own errors are of.
    """

    def __init__(
        self,
        tracker: PoolTracker,
        package: str,
        errors: tuple[type[Exception], ...],
        *,
        pool: str | None = None,
    ) -> None:
        self._tracker = tracker
        self._package = package
        self._pool = pool or package
        self._errors = errors

    def left(self, error: BaseException, connection: Any, frame: FrameType) -> None:
        """Note that a connection comes back while an error is handled, perhaps one of another place.

        It counts where it is the driver's own, was raised by this connection, and ends its block: `frame`
        is then that of the block itself. What the program raises, or handles meanwhile, does not.
        """
        try:
            if not isinstance(error, self._errors) or not self._ends(error, frame):
                return
            if self._is_of(error, connection):
                self._tracker.errors.add_once(error)
        except Exception as fault:
            self._tracker.broken(fault)

    def _ends(self, error: BaseException, frame: FrameType) -> bool:
        """Whether a frame is the driver's end of a block, and the error is what it ends with."""
        if _package(frame) != self._pool or error.__traceback__ is None:
            return False
        if error.__traceback__.tb_frame is frame:  # a generator's, into which it was thrown
            return True
        given = frame.f_locals.values()  # to __exit__ or __aexit__, one by one or as a tuple
        return any(
            each is error for value in given for each in (value if isinstance(value, tuple) else (value,))
        )

    def _is_of(self, error: BaseException, connection: Any) -> bool:
        """Whether it came through a method of a connection, or of what works on it."""
        trace = error.__traceback__
        while trace is not None:
            frame, trace = trace.tb_frame, trace.tb_next
            if _package(frame) == self._package:
                at = frame.f_locals.get("self")
                if at is connection or any(getattr(at, name, None) is connection for name in _OF):
                    return True
        return False


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]
