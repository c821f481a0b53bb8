"""Whether TLS is spoken, where scheme and settings choose it."""

from __future__ import annotations

from mooring.net.tls import TLSSettings


def demand_use(tls: TLSSettings, instead: str, *, secure: bool) -> None:
    """Raise ValueError where TLS settings are given and no TLS is spoken; `instead` is what to write."""
    if not secure and tls != TLSSettings():
        raise ValueError(f"tls: is of no use without TLS; write {instead}")
