"""What each stage took in a span of time: how many checks timed it, and their sum."""

from __future__ import annotations

from collections.abc import Mapping

from mooring.core.stage import Stage
from mooring.store.codes import MICROSECONDS, STAGE_OF
from mooring.store.packing import times_in

StageTimes = dict[int, list[int]]
"""A stage's code: how many there are, and their sum in microseconds."""

_COUNTED = 0x80
"""Set in the byte of a stage that not every check timed: its count follows."""
_MORE, _LOW = 0x80, 0x7F


def add(times: StageTimes, packed: bytes) -> None:
    """Count the stages of one check, as its row holds them, or raise ValueError where it is damaged.

    Runs for every result that is rolled up.
    """
    listed = times_in(packed)
    for stage, _ in listed:
        if stage not in STAGE_OF:
            raise ValueError(f"there is no stage {stage}")
    for stage, time in listed:
        known = times.get(stage)
        if known is None:
            times[stage] = [1, time]
        else:
            known[0] += 1
            known[1] += time


def merge(times: StageTimes, other: Mapping[int, list[int]]) -> None:
    """Count what another span holds."""
    for stage, (count, total) in other.items():
        known = times.setdefault(stage, [0, 0])
        known[0] += count
        known[1] += total


def means(times: StageTimes) -> dict[Stage, float]:
    """Return the mean seconds of each stage that was timed."""
    return {STAGE_OF[stage]: times[stage][1] / times[stage][0] / MICROSECONDS for stage in sorted(times)}


def pack(times: StageTimes, passed: int) -> bytes:
    """Return for each stage a byte, its count where that is not `passed`, and its sum, in base 128."""
    packed = bytearray()
    for stage in sorted(times):
        count, total = times[stage]
        packed.append(stage if count == passed else stage | _COUNTED)
        if count != passed:
            _put(packed, count)
        _put(packed, total)
    return bytes(packed)


def unpack(packed: bytes | None, passed: int) -> StageTimes:
    """Return what `pack` wrote; nothing from a row of before stages were kept, and from a damaged one.

    To raise there would keep everything behind that row from being rolled up, for ever.
    """
    times: StageTimes = {}
    at = 0
    try:
        while packed and at < len(packed):
            head, count = packed[at], passed
            at += 1
            if head & _COUNTED:
                count, at = _take(packed, at)
            total, at = _take(packed, at)
            times[head & ~_COUNTED] = [count, total]
    except IndexError:
        return {}
    sound = all(stage in STAGE_OF and count for stage, (count, _) in times.items())
    return times if sound else {}


def _put(packed: bytearray, number: int) -> None:
    while number > _LOW:
        packed.append(number & _LOW | _MORE)
        number >>= 7
    packed.append(number)


def _take(packed: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while packed[at] & _MORE:
        number |= (packed[at] & _LOW) << shift
        shift += 7
        at += 1
    return number | packed[at] << shift, at + 1
