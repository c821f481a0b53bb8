"""Stored targets as people read them."""

from __future__ import annotations

import io
from typing import Any

from mooring.cli.listing import listed
from mooring.cli.terminal import Palette

AT = "2026-01-02T03:04:05.000000+00:00"


def target(name: str, status: str, *, enabled: bool = True, **last: Any) -> dict[str, Any]:
    """Return a target as the API answers it."""
    health = {
        "status": status,
        "since": AT,
        "confirming": None,
        "last": {"failure": None, "warnings": []} | last,
    }
    return {"name": name, "kind": "redis", "address": "h:6379", "enabled": enabled, "health": health}


FAILURE = {"stage": "auth", "reason": "auth", "message": "WRONGPASS", "hint": "set another password"}


def test_a_list_tells_what_to_do_below_a_target_that_is_down() -> None:
    """The worst stands first, with stage, reason and message; its hint is the next line."""
    lines = list(
        listed([target("ok", "up"), target("cache", "down", failure=FAILURE)], Palette(io.StringIO()))
    )
    assert lines == [
        "   NAME   KIND   ADDRESS  STATUS  SINCE (UTC)          STAGE  REASON  MESSAGE",
        "✗  cache  redis  h:6379   down    2026-01-02 03:04:05  auth   auth    WRONGPASS",
        "   → set another password",
        "✓  ok     redis  h:6379   up      2026-01-02 03:04:05",
    ]


def test_a_fix_stands_below_the_hint() -> None:
    """What can be pasted has a line of its own."""
    failure = {**FAILURE, "fix": "ACL LIST"}
    lines = list(listed([target("cache", "down", failure=failure)], Palette(io.StringIO())))
    assert lines[2:] == ["   → set another password", "     ACL LIST"]


def test_a_list_tells_why_a_target_is_degraded() -> None:
    """Warnings stand below the target that they degrade."""
    lines = list(listed([target("slow", "degraded", warnings=["slow: 2 s"])], Palette(io.StringIO())))
    assert lines[2:] == ["   ! slow: 2 s"]


def test_a_list_gives_no_advice_for_what_is_paused() -> None:
    """A paused target is nobody's worry: one line."""
    lines = list(listed([target("cache", "unknown", enabled=False, failure=FAILURE)], Palette(io.StringIO())))
    assert len(lines) == 2
    assert "paused" in lines[1]
