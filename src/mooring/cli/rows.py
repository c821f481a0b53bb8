"""Results as people read them: a row each, what failed, and an arrow to what can be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mooring.cli.terminal import MARKS, Palette, columns, pad, safe
from mooring.core.result import CheckResult, TargetRef
from mooring.core.stage import StageResult, StageStatus
from mooring.core.status import Status
from mooring.export.json import plain

_LARGE = 1000
"""From here on a number's whole part is shown, however long."""
_STATUS = max(len(status) for status in (Status.UP, Status.DOWN))


class Rows:
    """Lays results out in columns that are as wide as the targets need, known before the first result."""

    def __init__(self, targets: Sequence[TargetRef], palette: Palette, *, verbose: bool = False) -> None:
        cells = [_cells(target) for target in targets] or [("", "", "")]
        self._widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
        self._palette = palette
        self._verbose = verbose

    def lines(self, result: CheckResult) -> Iterator[str]:
        """Yield the lines of one result."""
        paint = self._palette
        mark = paint.status(result.status, MARKS[result.status])
        cells = map(pad, _cells(result.target), self._widths)
        status = paint.status(result.status, pad(result.status, _STATUS))
        yield "  ".join([f"{mark} {next(cells)}", *cells, status, headline(result)]).rstrip()
        indent = " " * (2 + sum(self._widths) + 2 * len(self._widths) + max(_STATUS, len(result.status)) + 2)
        for line in self._below(result):
            yield indent + line

    def _below(self, result: CheckResult) -> Iterator[str]:
        failure, dim = result.failure, self._palette.dim
        if failure is not None and failure.hint:
            yield dim(f"→ {safe(failure.hint)}")
        if failure is not None and failure.fix:
            yield f"  {safe(failure.fix)}"
        for warning in result.observation.warnings:
            yield dim(f"! {safe(warning)}")
        if self._verbose:
            yield from map(dim, _facts(result))


def headline(result: CheckResult) -> str:
    """Return what one line has room for: the stages with their times, or what failed."""
    failure = result.failure
    if failure is None:
        return timings(result.stages)
    stage = f"{failure.stage}: " if failure.stage is not None else ""
    return stage + safe(failure.message)


def timings(stages: Sequence[StageResult]) -> str:
    """Return the stages that ran with their milliseconds; the unit stands at the first."""
    ran = [stage for stage in stages if stage.status is not StageStatus.SKIPPED]
    timed = next((stage for stage in ran if stage.seconds is not None), None)
    return " · ".join(
        stage.stage
        if stage.seconds is None
        else f"{stage.stage} {stage.seconds * 1000:.1f}{' ms' if stage is timed else ''}"
        for stage in ran
    )


def _cells(target: TargetRef) -> tuple[str, str, str]:
    return safe(target.name), target.kind, safe(target.address)


def _facts(result: CheckResult) -> Iterator[str]:
    if result.failure is not None:
        yield f"reason {result.failure.reason}, code {safe(result.failure.code)}"
        yield timings(result.stages)
    for name, value in (*result.observation.details.items(), *result.observation.numbers.items()):
        yield f"{safe(name)}: {_short(value)}"
    yield f"took {result.seconds * 1000:.1f} ms"


def _short(value: Any) -> str:
    """Return a value for people: of a measured number no more digits than mean something."""
    value = plain(value)
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < _LARGE else safe(str(value))
