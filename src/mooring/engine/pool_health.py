"""What is wrong with a pool, told once, and as the health of its target."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from mooring.core.clock import Clock
from mooring.core.pool import PoolAlert, PoolRule
from mooring.core.pool_view import PoolView
from mooring.engine.catalogue import Catalogue
from mooring.engine.pool_ledger import Ledger
from mooring.engine.pool_verdict import Silence, judge, result_of
from mooring.engine.recorder import Recorder
from mooring.settings import PoolSettings

LINGERS = 120.0
"""Seconds for which a request that got no connection is still told: such come and go."""
_LINGERING = (PoolRule.TIMEOUTS,)

log = logging.getLogger(__name__)


class PoolHealth:
    """Judges pools whenever something was heard of them, or nothing was. Belongs to one event loop."""

    def __init__(
        self, catalogue: Catalogue, recorder: Recorder, clock: Clock, settings: PoolSettings, began: float
    ) -> None:
        self._catalogue = catalogue
        self._recorder = recorder
        self._clock = clock
        self._settings = settings
        self._began = began
        """When somebody began to listen: nobody was silent before."""

    def settle(self, ledger: Ledger) -> bool:
        """Settle what is wrong with a pool, tell what is new, and have its target know.

        Returns whether the target hears something new.
        """
        now, at = self._clock.monotonic(), self._clock.now()
        view = ledger.view(now)
        silent = self._silence(ledger, now)
        ledger.judged = ledger.counting(now)
        level, found = judge(view, ledger.level, silent, self._settings, at)
        if not view.sum.instances:
            if not found and not (silent and silent.ended):
                return False  # silent, but not for long: what was told last holds
            ledger.lingering.clear()
        ledger.level = level
        for alert in ledger.alerts.settle(_with_lingering(ledger, found, now), now, at):
            self._tell(ledger, alert)
        return self._record(ledger, view._replace(alerts=ledger.alerts.open), now)

    def _silence(self, ledger: Ledger, now: float) -> Silence | None:
        """Return for how long a pool was silent; who has ended was so before anybody listened, too."""
        if ledger.heard_at is None:
            return None
        ended = ledger.ended(now)
        return Silence(now - (ledger.heard if ended else max(ledger.heard, self._began)), ended)

    def catch_up(self, ledger: Ledger, now: float) -> None:
        """Settle anew where a process fell silent since: what it told leaves with what it held."""
        if ledger.judged - ledger.counting(now):
            self.settle(ledger)

    def _record(self, ledger: Ledger, view: PoolView, now: float) -> bool:
        """Make a result of what a pool is like, where it is another or the last one is old."""
        target = self._catalogue.targets.get(ledger.target_id)
        if target is None or not target.enabled:
            return False
        result = result_of(target, view, self._clock.now())
        said = (result.status, result.failure and result.failure.code, len(result.observation.warnings))
        is_news = ledger.recorded is None or ledger.recorded[0] != said
        is_old = ledger.recorded is None or now - ledger.recorded[1] >= self._settings.report_interval
        if is_news or (is_old and view.sum.instances):
            ledger.recorded = (said, now)
            self._recorder.take(target, result)
        return is_news

    def _tell(self, ledger: Ledger, alert: PoolAlert) -> None:
        if alert.ended is not None:
            log.info("%s/%s: over: %s", ledger.service, ledger.name, alert.message)
        else:
            log.warning("%s/%s: %s. %s", ledger.service, ledger.name, alert.message, alert.recommendation)


def _with_lingering(ledger: Ledger, found: Sequence[PoolAlert], now: float) -> list[PoolAlert]:
    """Return what is wrong, and what was a moment ago, of the rules that come and go."""
    rules = {alert.rule: alert for alert in found}
    for rule in _LINGERING:
        if rule in rules:
            ledger.lingering[rule] = (rules[rule], now)
        elif rule in ledger.lingering and now - ledger.lingering[rule][1] < LINGERS:
            rules[rule] = ledger.lingering[rule][0]
    return list(rules.values())
