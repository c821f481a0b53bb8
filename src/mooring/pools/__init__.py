"""Watch the pools inside a program: who holds what, who leaks, when it runs out.

Needs the standard library only. `mooring.instrument(pool)` does it for a driver's pool in one line;
`PoolTracker` is for pools of one's own.
"""

from __future__ import annotations

from mooring.pools.instrument import instrument
from mooring.pools.rules import Rules
from mooring.pools.scope import holding
from mooring.pools.tracker import PoolTracker
from mooring.pools.watch import Watch

__all__ = ["PoolTracker", "Rules", "Watch", "holding", "instrument"]
