"""A latency histogram: four buckets an octave (log2), so that a quantile is right within an eighth.

Bounds are whole microseconds computed from the bits alone: merging histograms of any times and
servers loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

Counts = dict[int, int]

_MORE = 0x80
_LOW = 0x7F


def index_of(micros: int) -> int:
    """Return the bucket of a duration in whole microseconds."""
    if micros < 4:  # noqa: PLR2004 -- below the first whole octave each microsecond is its own bucket
        return max(micros, 0)
    octave = micros.bit_length() - 1
    return (octave - 1) * 4 + (micros >> (octave - 2) & 3)


def lowest(index: int) -> int:
    """Return the shortest duration of a bucket; the longest is just below the next one's."""
    if index < 4:  # noqa: PLR2004
        return index
    return (4 + index % 4) << (index // 4 - 1)


def pack(counts: Mapping[int, int]) -> bytes:
    """Return a byte for each bucket that holds something, and its count in base 128."""
    packed = bytearray()
    for index in sorted(counts):
        packed.append(index)
        count = counts[index]
        while count > _LOW:
            packed.append(count & _LOW | _MORE)
            count >>= 7
        packed.append(count)
    return bytes(packed)


def unpack(packed: bytes) -> Counts:
    """Return what `pack` wrote. Raises ValueError where it is cut short."""
    counts: Counts = {}
    at, size = 0, len(packed)
    try:
        while at < size:
            index, count, shift = packed[at], 0, 0
            at += 1
            while packed[at] & _MORE:
                count |= (packed[at] & _LOW) << shift
                shift += 7
                at += 1
            counts[index] = count | packed[at] << shift
            at += 1
    except IndexError:
        raise ValueError("the histogram is cut short") from None
    return counts


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the duration in microseconds that `share` of all stay below; None of nothing.

    Inside a bucket durations are taken as spread evenly.
    """
    rank = share * sum(counts.values())
    for index in sorted(counts):
        count = counts[index]
        if rank <= count:
            low = lowest(index)
            return low + (lowest(index + 1) - low) * rank / count
        rank -= count
    return None
