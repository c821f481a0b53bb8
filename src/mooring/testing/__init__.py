"""Tools for tests of what is connected: shipped for users, and used by Mooring's own tests.

`fault_proxy` breaks a real connection in every way a network can, `no_leaks` proves that nothing is
left behind, `FakeClock` steps time, `ScriptedProbe` answers what a test tells it to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mooring.testing.clock import FakeClock
    from mooring.testing.faults import FaultProxy, fault_proxy
    from mooring.testing.leaks import no_leaks
    from mooring.testing.probe import ScriptedProbe

__all__ = ["FakeClock", "FaultProxy", "ScriptedProbe", "fault_proxy", "no_leaks"]

_HOMES = {
    "FakeClock": "mooring.testing.clock",
    "FaultProxy": "mooring.testing.faults",
    "ScriptedProbe": "mooring.testing.probe",
    "fault_proxy": "mooring.testing.faults",
    "no_leaks": "mooring.testing.leaks",
}


def __getattr__(name: str) -> Any:
    """Import each tool on first use: none needs what the others import."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
