"""The page of the metrics, read from what an exposition says of itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from docs.generator.schema import table
from mooring.core.failure import Failure
from mooring.core.health import Health
from mooring.core.pool import Durations, Leak, LeakKind, PoolAlert, PoolRule, PoolTotals, Severity
from mooring.core.pool_view import PoolLeak, PoolSum, PoolView
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.core.status import Status
from mooring.core.target import Target
from mooring.export.pool_metrics import pool_metrics
from mooring.export.prometheus import Itself, Tally, exposition
from mooring.probes._registry import Kinds

INTRODUCTION = """
# Metrics

What `/metrics` gives, in the Prometheus text format. Counters and the histogram begin anew when Mooring
starts; what is said of targets is their health as stored. Those of pools (`mooring_pool_*`) go on: each is
summed over the processes that report it, what is counted also over those that have ended. The process' own
metrics (`process_*`) are Prometheus' usual ones.
"""
EPOCH = datetime.fromtimestamp(0, UTC)


def metrics() -> str:
    """Return the page of the metrics."""
    lines = _sample().splitlines()
    helps = dict(line.removeprefix("# HELP ").split(" ", 1) for line in lines if line.startswith("# HELP "))
    types = dict(line.removeprefix("# TYPE ").split(" ", 1) for line in lines if line.startswith("# TYPE "))
    labels: dict[str, set[str]] = {name: set() for name in helps}
    for line in lines:
        name = re.match(r"\w*", line)[0]  # type: ignore[index]  # an empty match is one too
        for known in (name, *(name.removesuffix(end) for end in ("_bucket", "_sum", "_count"))):
            if known in labels:
                labels[known] |= set(re.findall(r'(\w+)="', line)) - {"label_team"}
    rows = [
        [f"`{name}`", types[name], ", ".join(f"`{each}`" for each in sorted(labels[name])), helps[name]]
        for name in helps
    ]
    return "\n\n".join([INTRODUCTION.strip(), table(("metric", "type", "labels", "meaning"), rows), LABELS])


LABELS = (
    "A target's own labels stand on `mooring_target_info` as `label_NAME`: join by `target` to group by them."
)


def _sample() -> str:
    """Return the exposition of one target that failed, so that every metric shows its labels."""
    probe = Kinds().get("tcp").from_url("tcp://db.example:5432")
    target = Target("orders", probe, labels={"team": "shop"}, id=1)
    failure = Failure(Reason.REFUSED, Stage.TCP, "ECONNREFUSED", "refused")
    stages = [StageResult(Stage.TCP, StageStatus.FAILED, 0.001)]
    seen = Observation(numbers={"days_left": 1.0})
    result = CheckResult(target.ref, Status.DOWN, failure, stages, seen, EPOCH, 0.001)
    tally = Tally()
    tally.add(result)
    itself = Itself("", True, 0, EPOCH, EPOCH, True, 0, 0, 0, 0)
    return exposition([(target, Health(Status.DOWN, last=result))], tally, itself, pool_metrics([_pool()]))


def _pool() -> PoolView:
    """Return a pool that has something of everything."""
    times = Durations({40: 1})
    leak = Leak(LeakKind.ABANDONED, "orders.py:88", "load", 1.0, None, "Task-1", None, None)
    alert = PoolAlert(PoolRule.ABANDONED, Severity.CRITICAL, "", "", EPOCH, 1, None)
    return PoolView(
        id=1,
        service="shop",
        name="main",
        driver="sqlalchemy",
        address=None,
        database=None,
        active=True,
        heard_at=EPOCH,
        sum=PoolSum(1, 1, 1, 0, 1, 1),
        totals=PoolTotals(),
        wait=times,
        use=times,
        create=times,
        leaks=(PoolLeak(leak, "web1:41"),),
        alerts=(alert,),
    )
