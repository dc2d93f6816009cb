"""How well a peer can be served, as one word that changes slowly."""

from __future__ import annotations

from .bandwidth import BandwidthEstimator
from .events import Quality

WORSE_AFTER = 1.0
BETTER_AFTER = 4.0
ORDER: tuple[Quality, ...] = ("good", "fair", "poor", "audio-only")


def judge(link: BandwidthEstimator, uplink_loss: float, *, pictures_paused: bool) -> Quality:
    """The word for what the link is like at this moment, in its worse direction."""
    if pictures_paused:
        return "audio-only"
    loss = max(link.loss, uplink_loss)
    if loss > 0.10 or link.bitrate < 150_000 or link.round_trip > 0.8:
        return "poor"
    if loss > 0.04 or link.bitrate < 350_000 or link.round_trip > 0.4:
        return "fair"
    return "good"


class QualityWatch:
    """Tells a word only when it has held: a second for a worse one, four for a better one."""

    def __init__(self) -> None:
        self.level: Quality | None = None
        self._candidate: Quality | None = None
        self._since = 0.0

    def note(self, level: Quality, now: float) -> Quality | None:
        """The new word, when it is time to tell it."""
        if level != self._candidate:
            self._candidate, self._since = level, now
        if level == self.level:
            return None
        worse = self.level is None or ORDER.index(level) > ORDER.index(self.level)
        if now - self._since < (WORSE_AFTER if worse else BETTER_AFTER):
            return None
        self.level = level
        return level
