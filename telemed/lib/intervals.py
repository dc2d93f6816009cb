"""Sets of half-open intervals of time, as sorted disjoint lists. Pure."""

from collections.abc import Iterable
from datetime import datetime

Interval = tuple[datetime, datetime]


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted and disjoint; what touches becomes one. Empty and backward intervals vanish."""
    merged: list[Interval] = []
    for start, end in sorted(pair for pair in intervals if pair[0] < pair[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def subtract(intervals: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """What of ``intervals`` lies in no hole."""
    left: list[Interval] = []
    gaps = merge(holes)
    for start, end in merge(intervals):
        at = start
        for gap_start, gap_end in gaps:
            if gap_end <= at:
                continue
            if gap_start >= end:
                break
            if gap_start > at:
                left.append((at, gap_start))
            at = gap_end
        if at < end:
            left.append((at, end))
    return left


def overlaps(one: Interval, other: Interval) -> bool:
    return one[0] < other[1] and other[0] < one[1]
