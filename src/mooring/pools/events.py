"""Whom to call when something happens to a pool."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Hashable
from inspect import iscoroutinefunction
from typing import Any

from mooring.core.pool import PoolRule

RETURNED_LATE = "returned_late"
ENDED = "alert_ended"
ALERT = "alert"
LEAK = "leak"
OF_RULE = {
    PoolRule.UTILIZATION: "utilization_high",
    PoolRule.WAITING: "waiting",
    PoolRule.TIMEOUTS: "timeouts",
    PoolRule.ERRORS: "errors",
    PoolRule.ABANDONED: "leak_confirmed",
    PoolRule.SUSPECT: "leak_suspected",
    PoolRule.IDLE_IN_TRANSACTION: "idle_in_transaction",
}
EVENTS = (ALERT, ENDED, LEAK, RETURNED_LATE, *OF_RULE.values())
"""`alert` comes with every new alert besides the name of its rule, `alert_ended` when it is over: both with
the PoolAlert. `leak` comes with each Leak once for each kind of it, however many one alert is about;
`returned_late` with the Leak that was returned after all."""

Callback = Callable[[Any], object]


class Callbacks:
    """Calls what was registered. What a callback raises is counted, and never reaches the application."""

    def __init__(self, broken: Callable[[BaseException], None]) -> None:
        self._broken = broken
        self._callbacks: dict[str, dict[Hashable, Callback]] = {}

    def on(self, event: str, callback: Callback, key: Hashable | None = None) -> None:
        """Call back on an event, from the thread that watches; of those with one key the first alone.

        Raises ValueError for an unknown one, and TypeError for what cannot be called, and for a coroutine
        function: nobody would await it.
        """
        if event not in EVENTS:
            raise ValueError(f"there is no event {event!r}; there are {', '.join(EVENTS)}")
        if not callable(callback):
            raise TypeError(f"callback: {callback!r:.80} cannot be called; give a function of one argument")
        if iscoroutinefunction(callback):
            name = getattr(callback, "__name__", "it")
            raise TypeError(
                f"{name}: a callback is called in a thread without an event loop; give a plain function, "
                f"such as one that calls asyncio.run_coroutine_threadsafe({name}(what), loop)"
            )
        self._callbacks.setdefault(event, {}).setdefault(object() if key is None else key, callback)

    def tell(self, event: str, what: Any) -> None:
        """Call all that wait for an event."""
        for callback in list(self._callbacks.get(event, {}).values()):
            try:
                callback(what)
            except (Exception, CancelledError, SystemExit) as error:  # none of them is to end the watch
                self._broken(error)
