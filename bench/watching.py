"""Figures of what watch.js noted of one side of a call.

Times are seconds, moments seconds since 1970 unless a name says milliseconds; shares are percent.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page

SCRIPT = (Path(__file__).parent / "watch.js").read_text()
FROZEN = 0.5  # seconds without a new picture that count as frozen, as a whole
NEARLY = 0.9  # of the earlier bitrate counts as back

Noted = Mapping[str, Any]
Figures = dict[str, Any]


def first_after(page: Page, what: str, moment: float, patience: float) -> float | None:
    """Seconds from ``moment`` to the first ``Frame`` or ``Sound`` after it; None when none came."""
    try:
        found = page.wait_for_function(
            f"moment => watching.first{what}(moment)",
            arg=moment * 1000,
            polling=20,
            timeout=patience * 1000,
        ).json_value()
    except Error:
        return None
    return float(found) / 1000 - moment


def figures(before: Noted, after: Noted, noted: Noted) -> Figures:
    """One side over the window between two readings; ``noted`` is what came since the first."""
    begun, ended = before["at"], after["at"]
    seconds = (ended - begun) / 1000
    frames = [frame for frame in noted["frames"] if frame[0] <= ended]
    sizes = Counter((width, height) for _, width, height in frames)
    width, height = max(sizes, key=lambda size: sizes[size], default=(0, 0))
    sound, sight = _changes(before, after, "audio"), _changes(before, after, "video")
    stalled = sum(min(to, ended) - start for start, to in noted["stalls"] if start < ended)
    return {
        "audio_concealed_percent": _percent(
            sound["concealedSamples"], sound["totalSamplesReceived"]
        ),
        "frozen_percent": _percent(frozen([at for at, *_ in frames], begun, ended), ended - begun),
        "freezes_percent": _percent(sight["totalFreezesDuration"], seconds),
        "frames_per_s": round(len(frames) / seconds, 1),
        "width": width,
        "height": height,
        "kbits": round((sound["bytesReceived"] + sight["bytesReceived"]) * 8 / seconds / 1000),
        "page_stalled_percent": _percent(stalled, ended - begun),
    }


def frozen(times: Sequence[float], begun: float, ended: float) -> float:
    """Milliseconds of the window that lie in gaps between pictures longer than ``FROZEN``."""
    gaps = (late - early for early, late in itertools.pairwise([begun, *times, ended]))
    return sum(gap for gap in gaps if gap > FROZEN * 1000)


def size_changes(frames: Sequence[Sequence[float]]) -> int:
    return sum(early[1:] != late[1:] for early, late in itertools.pairwise(frames))


def recovery(noted: Noted, thin: float, wide: float) -> Figures:
    """How the bitrate and size of before ``thin`` came back after ``wide`` (both moments).

    The earlier bitrate is that of the ten seconds before; it is back with the first two seconds
    that reach nine tenths of it while the picture is as wide as before. None: it did not.
    """
    rates = [(at / 1000, count * 8 / 1000) for at, count in noted["rates"]]
    frames = [(at / 1000, width, height) for at, width, height in noted["frames"]]
    early = [each for each in rates if thin - 10 <= each[0] <= thin]
    earlier = (early[-1][1] - early[0][1]) / (early[-1][0] - early[0][0])
    size = max((width for at, width, _ in frames if thin - 10 <= at <= thin), default=0)
    back = None
    late = [each for each in rates if each[0] > wide]
    for (start, low), _, (end, high) in zip(late, late[1:], late[2:], strict=False):
        shown = max((width for at, width, _ in frames if start <= at <= end), default=0)
        if (high - low) / (end - start) >= NEARLY * earlier and shown >= size:
            back = round(end - wide, 1)
            break
    minutes = (frames[-1][0] - frames[0][0]) / 60 if len(frames) > 1 else 1
    return {
        "kbits_before": round(earlier),
        "width_before": size,
        "back_s": back,
        "size_changes_per_minute": round(size_changes(frames) / minutes, 1),
    }


def _changes(before: Noted, after: Noted, kind: str) -> Counter[str]:
    """How far the counters of the streams of ``kind`` that ever carried a packet went on."""
    total: Counter[str] = Counter()
    for key, now in after["inbound"].items():
        if now["kind"] != kind or not now.get("packetsReceived"):
            continue
        then = before["inbound"].get(key, {})
        for field, value in now.items():
            if isinstance(value, int | float):
                total[field] += value - then.get(field, 0)
    return total


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
