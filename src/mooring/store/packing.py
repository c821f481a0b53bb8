"""Results as small rows, and back.

A steady "up" is integers and one short blob. What a failing or warning result says in words is a
note: JSON, stored once under its own hash however often it is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from struct import error as struct_error
from typing import Any

from pydantic_core import to_json

from mooring.core.failure import Failure
from mooring.core.reason import Reason
from mooring.core.result import CheckResult, Observation
from mooring.core.stage import Stage, StageResult, StageStatus
from mooring.store.codes import MICROSECONDS, STAGE, STAGE_OF, STAGE_STATUS, STAGE_STATUS_OF

NO_TIME = 0xFFFF_FFFF
"""Stands for a stage without a time of its own."""
LONGEST = NO_TIME - 1
"""Microseconds: about 71 minutes; no timeout is that long."""
_STAGE_BYTES = 5

_HEAD = {
    stage: {status: STAGE[stage] << 2 | STAGE_STATUS[status] for status in StageStatus} for stage in Stage
}


def pack_stages(stages: Sequence[StageResult]) -> bytes:
    """Return five bytes a stage, in the trail's order: what and how it went, then microseconds.

    Longer than `LONGEST` counts as that. Written for speed: this runs for every check.
    """
    flat: list[int] = []
    add = flat.append
    for each in stages:
        seconds = each.seconds
        add(_HEAD[each.stage][each.status])
        add(NO_TIME if seconds is None else int(seconds * MICROSECONDS + 0.5))
    try:
        return _layout(len(stages)).pack(*flat)
    except struct_error:
        return _layout(len(stages)).pack(*(min(max(number, 0), LONGEST) for number in flat))


def unpack_stages(packed: bytes) -> tuple[StageResult, ...]:
    """Return the stages; times are whole microseconds."""
    flat = _layout(len(packed) // _STAGE_BYTES).unpack(packed)
    return tuple(
        StageResult(
            STAGE_OF[head >> 2],
            STAGE_STATUS_OF[head & 3],
            None if time == NO_TIME else time / MICROSECONDS,
        )
        for head, time in zip(flat[::2], flat[1::2], strict=True)
    )


def times_in(packed: bytes) -> list[tuple[int, int]]:
    """Return the code and the microseconds of each stage that has a time of its own. Raises ValueError."""
    if len(packed) % _STAGE_BYTES:
        raise ValueError("the stages are cut short")
    flat = _layout(len(packed) // _STAGE_BYTES).unpack(packed)
    return [(head >> 2, time) for head, time in zip(flat[::2], flat[1::2], strict=True) if time != NO_TIME]


@lru_cache(maxsize=64)
def _layout(stages: int) -> Struct:
    return Struct("<" + "BI" * stages)


def body_of(result: CheckResult) -> str:
    """Return all that a result says in words, as JSON; empty when it says nothing."""
    failure, seen = result.failure, result.observation
    said: dict[str, Any] = {}
    if failure is not None:
        said["failure"] = _failure_keys(failure)
    if seen.details:
        said["details"] = dict(seen.details)
    if seen.numbers:
        said["numbers"] = dict(seen.numbers)
    if seen.warnings:
        said["warnings"] = list(seen.warnings)
    return _encode(said) if said else ""


def said_in(body: str | None) -> tuple[Failure | None, Observation]:
    """Return what `body_of` wrote, fit to be shown."""
    if not body:
        return None, Observation({}, {})
    said = _decode(body)
    failure = _failure_from(said["failure"]) if "failure" in said else None
    seen = Observation(said.get("details", {}), said.get("numbers", {}), tuple(said.get("warnings", ())))
    return failure, seen


def note_id(body: str) -> int:
    """Return the signed 64-bit hash under which a note is stored."""
    return int.from_bytes(blake2b(body.encode(), digest_size=8).digest(), signed=True)


def pack_failure(failure: Failure | None) -> str | None:
    """Return a failure alone as JSON."""
    return None if failure is None else _encode(_failure_keys(failure))


def unpack_failure(packed: str | None) -> Failure | None:
    """Return what `pack_failure` wrote, fit to be shown."""
    return None if packed is None else _failure_from(_decode(packed))


def _encode(said: Mapping[str, Any]) -> str:
    """Return JSON. Whatever a server said, it must not make a whole batch unstorable."""
    try:
        return to_json(said, fallback=str, inf_nan_mode="constants").decode()
    except ValueError:  # lone surrogates, keys that are no text
        return json.dumps(said, skipkeys=True, default=str, separators=(",", ":"))


def _decode(packed: str) -> Any:
    """Return what JSON says. A lone surrogate has no bytes: one that was stored would stop every answer."""
    said = json.loads(packed)
    if r"\ud" in packed:
        said = json.loads(json.dumps(said, ensure_ascii=False).encode(errors="replace"))
    return said


def _failure_keys(failure: Failure) -> dict[str, str | None]:
    keys = {
        "reason": failure.reason,
        "stage": failure.stage,
        "code": failure.code,
        "message": failure.message,
        "hint": failure.hint,
    }
    return keys if failure.fix is None else {**keys, "fix": failure.fix}


def _failure_from(keys: dict[str, Any]) -> Failure:
    stage = keys["stage"]
    return Failure(
        Reason(keys["reason"]),
        None if stage is None else Stage(stage),
        keys["code"],
        keys["message"],
        keys["hint"],
        keys.get("fix"),  # older rows have none
    )
