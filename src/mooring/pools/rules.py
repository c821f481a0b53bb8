"""When to alert about a pool, and when it is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Self

from mooring.core.pool import PoolAlert, PoolRule, Severity
from mooring.pools.errors import MOST


class Rules(NamedTuple):
    """Limits of a pool. Shares are of its limit, times are seconds."""

    warning: float = 0.80
    """Use from which there is an alert."""
    critical: float = 0.95
    """Use from which that alert is critical."""
    hysteresis: float = 0.05
    """How far use has to fall below a limit before its alert is over."""
    cooldown: float = 300.0
    """The same alert is told once within this time; how often it came again is told with the next one."""
    held: float = 10.0
    """A lease held for less is no suspect."""
    usual: float = 10.0
    """Nor is one held for less than this times what 99 of 100 leases of its site were held for."""
    stale_after: float = 300.0
    """The book-keeping of an abandoned lease is forgotten after this time, unless the driver says that its
    connection is still out."""
    calm: float = 60.0
    """Errors and time-outs are over when this time brought none."""
    errors: int = 5
    """Errors within `calm` that are worth an alert."""

    def checked(self) -> Self:
        """Return these rules. Raises ValueError where no pool can follow them."""
        for name in ("warning", "critical", "hysteresis", "cooldown", "held", "usual", "stale_after", "calm"):
            value = getattr(self, name)
            if not _is_number(value):
                raise ValueError(f"{name}: {value!r:.80} is no number")
        if not 0 < self.warning <= self.critical <= 1:
            raise ValueError(
                f"warning, critical: {self.warning:g}, {self.critical:g}; 0 < warning <= critical <= 1"
            )
        if not 0 <= self.hysteresis < self.warning:
            raise ValueError(f"hysteresis: {self.hysteresis!r} is no share below warning; give 0 or more")
        for name in ("cooldown", "held", "usual", "stale_after", "calm"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: {getattr(self, name)!r} is no number of seconds; give 0 or more")
        if not _is_number(self.errors) or self.errors not in range(1, MOST + 1):
            raise ValueError(
                f"errors: {self.errors!r:.80} is no number of errors; give a whole one, 1 to {MOST}"
            )
        return self


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class _State:
    """What is known of one rule."""

    __slots__ = ("alert", "quiet", "suppressed", "told", "told_at")

    def __init__(self) -> None:
        self.alert: PoolAlert | None = None
        self.told: PoolAlert | None = None
        """The last one that was told."""
        self.told_at = float("-inf")
        self.suppressed = 0
        self.quiet = False
        """Whether the open one was not told, since it came within the cooldown."""


class Alerts:
    """Tells each alert of one pool once, and when it is over."""

    def __init__(self, cooldown: float) -> None:
        self._cooldown = cooldown
        self._states: dict[PoolRule, _State] = {}

    @property
    def open(self) -> tuple[PoolAlert, ...]:
        """Those that are not over, the told and the suppressed ones."""
        return tuple([state.alert for state in self._states.values() if state.alert])

    def severity(self, rule: PoolRule) -> Severity | None:
        """Return how severe a rule's open alert is; None where there is none."""
        alert = self._states[rule].alert if rule in self._states else None
        return alert.severity if alert else None

    def settle(self, found: Iterable[PoolAlert], seconds: float, at: datetime) -> list[PoolAlert]:
        """Take what is wrong now, and return what is to be told: new alerts, worse ones, and ended ones.

        `seconds` is a monotonic time, `at` the same moment of the wall clock.
        """
        now = {alert.rule: alert for alert in found}
        told: list[PoolAlert] = []
        for rule in {**self._states, **now}:
            state = self._states.setdefault(rule, _State())
            alert = now.get(rule)
            if alert is None:
                told += self._ended(state, at)
            else:
                told += self._seen(state, alert, seconds)
        return told

    def _ended(self, state: _State, at: datetime) -> list[PoolAlert]:
        alert, state.alert = state.alert, None
        return [alert._replace(ended=at)] if alert is not None and not state.quiet else []

    def _seen(self, state: _State, alert: PoolAlert, seconds: float) -> list[PoolAlert]:
        known = state.alert
        worse = known is None or (
            alert.severity is Severity.CRITICAL and known.severity is not Severity.CRITICAL
        )
        if known is not None:
            alert = alert._replace(since=known.since, suppressed=known.suppressed)
        recent = seconds - state.told_at < self._cooldown
        escalates = state.told is not None and alert.severity is not state.told.severity
        if worse and recent and not (escalates and alert.severity is Severity.CRITICAL):
            state.suppressed += 1
            state.quiet = True
        elif worse or (state.quiet and not recent):
            alert = alert._replace(suppressed=state.suppressed)
            state.alert = state.told = alert
            state.told_at, state.suppressed, state.quiet = seconds, 0, False
            return [alert]
        state.alert = alert
        return []
