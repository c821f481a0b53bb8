"""The program that tests/servers/gunicorn.py serves: it takes connections and keeps them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, create_engine, text

import mooring

MOST = 3
"""Connections that one worker takes."""

engine = create_engine(os.environ["ORDERS_DATABASE_URL"], pool_size=MOST + 2, max_overflow=0)
mooring.instrument(engine, name="orders", service="shop")
held: list[Connection] = []


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer /take with the process and the connections that it holds."""
    if environ["PATH_INFO"] == "/take" and len(held) < MOST:
        held.append(engine.connect())
        held[-1].execute(text("SELECT 1"))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {len(held)}".encode()]
