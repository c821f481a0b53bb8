"""`mooring.check`: one target, once, without a server or a store."""

from __future__ import annotations

from typing import Any

from mooring.core.result import CheckResult, Trigger
from mooring.core.target import Target
from mooring.engine.monitor import Monitor
from mooring.engine.runner import Runner
from mooring.net.network import Network
from mooring.probes._registry import Kinds
from mooring.targets import TargetReader


async def check(target: str | Target, *, timeout: float | None = None, **settings: Any) -> CheckResult:
    """Test a connection once, every stage made and timed, and return what was found.

    `target` is an address or a Target; `timeout` is in seconds; further keywords are settings of the
    kind. It never raises for a connection that does not work: the result says so. Raises InputError
    where the address or a setting cannot be used.
    """
    if isinstance(target, str):
        keys = settings if timeout is None else {**settings, "timeout": timeout}
        target = TargetReader(Kinds()).from_url(target, **keys)
    async with Network() as net:
        return await Monitor(Runner(net), net.clock).check(target, Trigger.CLI, timeout=timeout)
