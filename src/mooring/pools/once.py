"""What a process has one of."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import update_wrapper
from threading import RLock
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class OwnLock:
    """Keeps a lock that is a new one in a forked child: whoever held it at the fork is not there."""

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.held: Any = RLock()
        """To be used as `with lock.held`, which gives back what it took, whatever forks meanwhile."""


class Once(Generic[T]):
    """A function without arguments that is run once, when it is first called.

    `functools.cache` runs it twice where two threads are the first.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self.made: T | None = None
        """What it returned; None until it is called."""
        self._make = make
        self._lock = OwnLock()
        update_wrapper(self, make)

    def __call__(self) -> T:
        if self.made is None:
            with self._lock.held:
                if self.made is None:
                    self.made = self._make()
        return self.made
