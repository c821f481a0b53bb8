"""The public interface as users write it: mypy checks this file and nobody runs it."""

from __future__ import annotations

from typing import ClassVar, Literal, assert_type

from pydantic import SecretStr

import mooring
from mooring.core.health import Health, Settled, settle
from mooring.core.pool import Leak, PoolSnapshot
from mooring.core.result import CheckResult
from mooring.core.stage import StageResult
from mooring.core.status import Status
from mooring.core.target import Schedule, Target
from mooring.pools import PoolTracker, Rules, Watch, holding
from mooring.pools.lease import Lease
from mooring.probes import Cause, CheckError, KindDefaults, Observation, Probe, Reason, Stage, Trail


async def one_check() -> None:
    """`mooring.check` takes an address, a deadline and a kind's settings, and answers with a result."""
    result = await mooring.check("postgresql://app@db.example/orders", timeout=3.0, query="select 1")
    assert_type(result, CheckResult)
    assert_type(result.status, Status)
    assert_type(result.status.works, bool)
    for stage in result.stages:
        assert_type(stage, StageResult)
        assert_type(stage.seconds, float | None)
    if result.failure is not None:
        assert_type(result.failure.reason, Reason)
        assert_type(result.failure.stage, Stage | None)
        assert_type(result.failure.hint, str | None)
        assert_type(result.failure.fix, str | None)


async def check_of_a_target(target: Target) -> CheckResult:
    """A target that was read before can be checked too."""
    return await mooring.check(target)


async def embedded() -> None:
    """An App is opened in the user's own loop and tells of transitions."""

    def changed(target: Target, old: Status, new: Status) -> None: ...

    async with mooring.App.from_config("mooring.toml") as app:
        app.on("transition", changed)
        assert_type(app, mooring.App)


class Greeting(Probe):
    """Greeting: a kind as another package writes it."""

    kind: Literal["greeting"] = "greeting"
    schemes: ClassVar[tuple[str, ...]] = ("greeting",)
    defaults: ClassVar[KindDefaults] = KindDefaults(interval=60, timeout=2)

    url: SecretStr

    async def check(self, trail: Trail) -> Observation:
        async with trail.stage("function"):
            if trail.remaining < 1:
                raise CheckError(Reason.ASSERTION, "no greeting", code="SILENT")
        return Observation({"greeting": "hello"}, {"words": 1.0}, ["short"])

    def reason(self, error: Exception) -> Reason | Cause | None:
        return Cause(Reason.AUTH, "REJECTED") if isinstance(error, PermissionError) else None


def health_is_a_fold(result: CheckResult) -> None:
    """`settle` is a function of values only."""
    settled = settle(Health(), result, Schedule(failures_before_down=2))
    assert_type(settled, Settled)
    assert_type(settled.health, Health)
    assert_type(settled.delay, float)


async def pool_by_hand() -> None:
    """A tracker takes plain values; its lease is a block, with and without `async`."""
    tracker = PoolTracker("shop", "orders", max_size=25, rules=Rules(held=30), watch=Watch(threaded=False))
    with tracker.lease("load") as lease, holding("nightly", seconds=3600):
        assert_type(lease, Lease)
    async with tracker.lease() as lease:
        assert_type(lease, Lease)
    asked = tracker.ask()
    tracker.release(tracker.track("load", asked=asked))
    tracker.on("leak_confirmed", print)
    tracker.record_error(ValueError("no row"), operation="load")
    assert_type(tracker.snapshot(), PoolSnapshot)
    assert_type(mooring.instrument(object(), name="orders", service="shop"), PoolTracker)
    assert_type(tracker.utilization, float)
    assert_type(tracker.cleanup(), int)
    for leak in tracker.leaks():
        assert_type(leak, Leak)
    assert_type(tracker.aggregated(hours=24).used_max, int | None)
