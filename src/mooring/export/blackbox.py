"""One check in the Prometheus text format, under the names that blackbox_exporter uses where it has them."""

from __future__ import annotations

from mooring.core.result import CheckResult
from mooring.export.prometheus import labelled, metric


def probe_text(result: CheckResult) -> str:
    """Return what `/probe` answers: whether it passed, how long it took, and where and why it failed."""
    failure = result.failure
    why = {
        "reason": failure.reason.value if failure else "",
        "stage": failure.stage.value if failure and failure.stage else "",
        "code": failure.code if failure else "",
    }
    stages = [(labelled({"stage": each.stage.value}), each.seconds) for each in result.stages]
    numbers = [(labelled({"number": name}), value) for name, value in result.observation.numbers.items()]
    lines = [
        *metric("probe_success", "gauge", "1 where the check passed.", [("", failure is None)]),
        *metric("probe_duration_seconds", "gauge", "How long it took.", [("", result.seconds)]),
        *metric("probe_stage_seconds", "gauge", "How long each stage took.", stages),
        *metric(
            "probe_degraded", "gauge", "1 where it passed with warnings.", [("", result.status == "degraded")]
        ),
        *metric("probe_number", "gauge", "What the check read.", numbers),
    ]
    if failure is not None:
        lines += metric("probe_failure_info", "gauge", "Why it failed.", [(labelled(why), 1)])
    return "\n".join([*lines, ""])
