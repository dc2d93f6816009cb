"""What a call over each link of bench/shapes.py is to reach, on both sides."""

from collections.abc import Iterator
from typing import Any

# By link: (figure, the worst that still reaches the goal, unit).
AT_MOST = {
    "4g": [("audio_concealed_percent", 0.5, "%"), ("frozen_percent", 0.0, "%")],
    "3g": [("audio_concealed_percent", 1.0, "%"), ("frozen_percent", 1.0, "%")],
    "edge": [("audio_concealed_percent", 2.0, "%"), ("frozen_percent", 5.0, "%")],
    "lossy": [("audio_concealed_percent", 1.5, "%"), ("frozen_percent", 2.0, "%")],
    "cut": [("frames_back_s", 1.5, "s"), ("sound_back_s", 1.5, "s")],
    "swing": [("back_s", 15.0, "s"), ("size_changes_per_minute", 2.0, "")],
}
AT_LEAST = {"edge": [("frames_per_s", 8.0, "")]}
# Seconds from the click to the first picture in the country.
FIRST_FRAME = {"3g": 2.0, "edge": 3.5}


def missed(link: str, found: dict[str, Any]) -> Iterator[str]:
    """Each goal that was missed, with what was found; nothing when all were reached."""
    first = found["country"]["first_frame_s"]
    if link in FIRST_FRAME and (first is None or first > FIRST_FRAME[link]):
        yield f"country first_frame_s {_told(first)} (goal ≤ {FIRST_FRAME[link]})"
    for side in ("country", "town"):
        for key, bound, unit in AT_MOST.get(link, ()):
            worst = _worst(found[side].get(key))
            if worst is None or worst > bound:
                yield f"{side} {key} {_told(worst)} (goal ≤ {bound} {unit})".replace(" )", ")")
        for key, bound, unit in AT_LEAST.get(link, ()):
            if found[side][key] < bound:
                yield f"{side} {key} {found[side][key]} (goal ≥ {bound} {unit})".replace(" )", ")")


def _worst(value: Any) -> float | None:
    """Of several (one an outage) the longest; None for one that never came."""
    if isinstance(value, list):
        return None if None in value or not value else max(value)
    return None if value is None else float(value)


def _told(value: float | None) -> str:
    return "never" if value is None else str(value)
