"""Stored targets as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mooring.cli.stored import ANSWER_ONLY
from mooring.cli.terminal import MARKS, Palette, safe, table
from mooring.cli.toml import written
from mooring.core.status import Status

HEAD = ["", "NAME", "KIND", "ADDRESS", "STATUS", "SINCE (UTC)", "STAGE", "REASON", "MESSAGE"]


def listed(targets: Sequence[Mapping[str, Any]], palette: Palette) -> Iterator[str]:
    """Yield a table of targets, the worst first; below one that does not work, what to do."""
    if not targets:
        yield "no targets; add one: mooring targets add NAME URL"
        return
    worst_first = sorted(targets, key=lambda each: (not each["enabled"], -_status(each).severity))
    lines = table([HEAD, *map(_row, worst_first)])
    yield palette.dim(lines[0])
    for target, line in zip(worst_first, lines[1:], strict=True):
        if not target["enabled"]:
            yield palette.dim(line)
            continue
        yield palette.status(_status(target), line[:1]) + line[1:]
        yield from (palette.dim(f"   {advice}") for advice in _advice(target))


def shown(target: Mapping[str, Any], palette: Palette) -> Iterator[str]:
    """Yield everything that is known of a target."""
    health = target["health"]
    status = _status(target)
    yield f"{palette.status(status, MARKS[status])} {safe(target['name'])}"
    known = {
        "status": _words(target),
        "since": _moment(health["since"]),
        "next check": _moment(health["next_check_at"]),
        "kind": target["kind"],
        "address": safe(target["address"]),
        "owned by": {"file": "the configuration file", "api": "API and command line"}[target["origin"]],
        "id": f"{target['id']}, version {target['version']}",
        **_last(health["last"]),
    }
    yield from (f"  {line}" for line in table([[name, text] for name, text in known.items() if text]))
    yield "  settings"
    keys = {key: value for key, value in target.items() if key not in (*ANSWER_ONLY, "name", "kind")}
    yield from (f"    {safe(line)}" for line in written(keys))


def _last(last: Mapping[str, Any] | None) -> dict[str, str]:
    if last is None:
        return {"last check": "none yet"}
    told = {"last check": f"{_moment(last['started_at'])}, took {last['seconds'] * 1000:.1f} ms"}
    if (failure := last["failure"]) is not None:
        told |= {
            "failed at": failure["stage"] or "",
            "reason": f"{failure['reason']} ({safe(failure['code'])})",
            "message": safe(failure["message"]),
            "what to do": safe(failure["hint"] or ""),
            "to paste": safe(failure.get("fix") or ""),
        }
    told["stages"] = " · ".join(map(_stage, last["stages"]))
    told |= {f"warning {n}": safe(text) for n, text in enumerate(last["warnings"], 1)}
    return told | {
        safe(name): safe(str(value)) for name, value in (last["details"] | last["numbers"]).items()
    }


def _stage(stage: Mapping[str, Any]) -> str:
    took = "" if stage["seconds"] is None else f" {stage['seconds'] * 1000:.1f} ms"
    return f"{stage['name']} {stage['status']}{took}"


def _row(target: Mapping[str, Any]) -> list[str]:
    failure = (target["health"]["last"] or {}).get("failure") or {}
    return [
        MARKS[_status(target)] if target["enabled"] else "-",
        safe(target["name"]),
        target["kind"],
        safe(target["address"]),
        _words(target),
        _moment(target["health"]["since"]),
        failure.get("stage") or "",
        failure.get("reason") or "",
        safe(failure.get("message") or ""),
    ]


def _advice(target: Mapping[str, Any]) -> Iterator[str]:
    last = target["health"]["last"] or {}
    failure = last.get("failure") or {}
    if hint := failure.get("hint"):
        yield f"→ {safe(hint)}"
    if fix := failure.get("fix"):
        yield f"  {safe(fix)}"
    yield from (f"! {safe(warning)}" for warning in last.get("warnings", ()))


def _status(target: Mapping[str, Any]) -> Status:
    return Status(target["health"]["status"])


def _words(target: Mapping[str, Any]) -> str:
    if not target["enabled"]:
        return "paused"
    confirming = target["health"]["confirming"]
    return _status(target) + (f", confirming {confirming[0]} of {confirming[1]}" if confirming else "")


def _moment(text: str | None) -> str:
    return "" if text is None else text[:19].replace("T", " ")
