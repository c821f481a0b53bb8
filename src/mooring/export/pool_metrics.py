"""Pools in the Prometheus text format: each summed over the processes that report it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from mooring.core import histogram
from mooring.core.pool_view import PoolView
from mooring.export.prometheus import labelled, metric

_NANOSECONDS = 1e9
_QUANTILES = (0.5, 0.95, 0.99)
_GAUGES: Sequence[tuple[str, str, Callable[[PoolView], float | None]]] = (
    ("instances", "Processes that report the pool.", lambda view: view.sum.instances),
    ("connections_used", "Connections that are in use.", lambda view: view.sum.used),
    ("connections_idle", "Connections that are open and nobody uses.", lambda view: view.sum.idle),
    ("connections_open", "Connections that are open.", lambda view: view.sum.size),
    ("connections_limit", "How many connections there may be.", lambda view: view.sum.limit),
    ("requests_waiting", "Requests that have no connection yet.", lambda view: view.sum.waiting),
    ("utilization", "Connections in use as a share of the limit.", lambda view: view.sum.utilization),
)
_COUNTERS: Sequence[tuple[str, str, Callable[[PoolView], float]]] = (
    ("leases_total", "Connections that were taken.", lambda view: view.totals.taken),
    ("timeouts_total", "Requests that got no connection in time.", lambda view: view.totals.timeouts),
    ("errors_total", "Errors of the application.", lambda view: view.totals.errors),
    ("session_errors_total", "Errors of a login or a session.", lambda view: view.totals.session_errors),
    ("connections_created_total", "Connections that were opened.", lambda view: view.totals.created),
    ("connections_closed_total", "Connections that were closed.", lambda view: view.totals.closed),
)


def pool_metrics(views: Sequence[PoolView]) -> Iterator[list[str]]:
    """Yield each metric with its samples.

    Of several targets for one pool the one that was reported last is told: Prometheus refuses everything
    where one sample is there twice.
    """
    newest = {(each.service, each.name): each for each in sorted(views, key=_heard)}
    views = [each for each in views if newest[each.service, each.name] is each]
    for name, text, read in _GAUGES:
        told = [(labelled(_of(view)), read(view)) for view in views]
        yield metric(f"mooring_pool_{name}", "gauge", text, told)
    for name, text, count in _COUNTERS:
        counted = [(labelled(_of(view)), count(view)) for view in views]
        yield metric(f"mooring_pool_{name}", "counter", text, counted)
    leaks = [
        (labelled({**_of(view), "kind": kind.value}), float(many))
        for view in views
        for kind, many in Counter(each.leak.kind for each in view.leaks).items()
    ]
    yield metric("mooring_pool_leaks", "gauge", "Leases that are not returned, by what they are.", leaks)
    alerts = [
        (labelled({**_of(view), "rule": alert.rule.value, "severity": alert.severity.value}), 1.0)
        for view in views
        for alert in view.alerts
    ]
    yield metric("mooring_pool_alert", "gauge", "1 while something is wrong with a pool.", alerts)
    for name, text in (("wait", "waited for"), ("use", "held"), ("create", "opened")):
        yield _times(f"mooring_pool_{name}_seconds", f"How long connections were {text}.", name, views)


def _times(name: str, text: str, what: str, views: Sequence[PoolView]) -> list[str]:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} summary"]
    for view in views:
        durations = getattr(view, what)
        for quantile in _QUANTILES:
            value = histogram.quantile(durations.counts, quantile)
            if value is not None:
                labels = labelled({**_of(view), "quantile": str(quantile)})
                lines.append(f"{name}{labels} {value / _NANOSECONDS!r}")
        lines.append(f"{name}_count{labelled(_of(view))} {durations.total}")
    return lines


def _heard(view: PoolView) -> float:
    return view.heard_at.timestamp() if view.heard_at else 0.0


def _of(view: PoolView) -> dict[str, str]:
    return {"service": view.service, "pool": view.name}
