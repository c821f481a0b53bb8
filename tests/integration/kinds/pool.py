"""Pool: nothing is asked, so that only what the kind says of itself is under the contract."""

from __future__ import annotations

DIALS = False
