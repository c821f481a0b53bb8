"""Mooring tells people whether every connection they depend on really works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mooring.app import App
    from mooring.once import check
    from mooring.pools.instrument import instrument

__version__ = "0.1.0"
__all__ = ["App", "__version__", "check", "instrument"]

_HOMES = {"App": "mooring.app", "check": "mooring.once", "instrument": "mooring.pools.instrument"}


def __getattr__(name: str) -> Any:
    """Import public names on first use: `import mooring` itself stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
