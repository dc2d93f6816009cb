"""In how many sizes a camera is to be sent, and which of them a viewer gets.

One stream that is held to the thinnest viewer is best where all can take about as much. Where
they cannot, the camera is asked for in up to three sizes, each held to the thinnest of those who
see it; a size that nobody sees is not asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .source import Source

# From the smallest: bits a second from which a size is worth it, and the most it can use. Chromium
# sends a size at no less than 30, 150 and 600 kbit/s.
NEEDS = (0, 200_000, 650_000)
MOST = (150_000, 500_000, 1_500_000)
LEAST = 30_000  # no size comes at less
LEAVE = 0.9  # of what a size needs: below, the next smaller one
SPARE = 1.15
UP_SECONDS = 5.0
UNLIKE = 1.5  # how much more one must be able to take than another
LIKE_SECONDS = 10.0
TELL_SECONDS = 1.0
REPEAT_SECONDS = 5.0  # a hint may be lost
ALL_FRAMES = 3
TIGHT = 0.85  # of a stream's bits, headers and repairs among them: below, fewer frames
FRAMES_SECONDS = 3.0

Bits = dict[int, int]  # by rank, the smallest size being 0


class Choice:
    """What a viewer gets of a camera: the size by `rank`, and which temporal layers of it."""

    def __init__(self) -> None:
        self.rank = 0
        self.share = 0  # bits a second that the size was chosen for
        self.frames = ALL_FRAMES
        self._begun = False
        self._up_since: float | None = None
        self._ample_since: float | None = None

    def take_size(self, share: int, now: float) -> int:
        """The rank for so many bits a second: at once down, up after a while."""
        self.share = share
        fits = max(rank for rank, need in enumerate(NEEDS) if share >= need)
        if not self._begun:
            self._begun, self.rank = True, fits
        elif share < NEEDS[self.rank] * LEAVE:
            self.rank, self._up_since = fits, None
        elif self.rank + 1 < len(NEEDS) and share >= NEEDS[self.rank + 1] * SPARE:
            self._up_since = self._up_since or now
            if now - self._up_since >= UP_SECONDS:
                self.rank, self._up_since = fits, None
        else:
            self._up_since = None
        return self.rank

    def take_frames(self, share: int, bitrate: float, now: float) -> int:
        """The highest temporal layer that fits: fewer frames at once, all of them again after a
        while."""
        if share < bitrate * TIGHT:
            self.frames, self._ample_since = 0, None
        elif self.frames < ALL_FRAMES and share >= bitrate:
            self._ample_since = self._ample_since or now
            if now - self._ample_since >= FRAMES_SECONDS:
                self.frames = ALL_FRAMES
        else:
            self._ample_since = None
        return self.frames


class Wanted:
    """The sizes that a camera is asked for; none when one stream does for everybody."""

    def __init__(self) -> None:
        self.bits: Bits = {}
        self._alike_since: float | None = None
        self._told: Bits = {}
        self._told_at = float("-inf")

    def settle(self, shares: Iterable[tuple[int, int]], now: float) -> None:
        """Takes the rank and the bits a second of everybody who sees the camera, 0 of whom the
        picture is held back from."""
        shares = list(shares)
        bits: Bits = {}
        for rank, share in shares:
            if share:
                bits[rank] = min(bits.get(rank, MOST[rank]), max(share, LEAST))
        for rank, _ in shares:
            bits.setdefault(rank, LEAST)  # where there is no room for it at all
        least = min((share for _, share in shares), default=0)
        unlike = len(bits) > 1 and max(share for _, share in shares) >= UNLIKE * least
        if unlike:
            self.bits, self._alike_since = bits, None
            return
        if self._alike_since is None:
            self._alike_since = now
        lasting = self.bits and bits and now - self._alike_since < LIKE_SECONDS
        self.bits = bits if lasting else {}

    def news(self, now: float, *, flowing: bool) -> Bits | None:
        """What the browser should be told now, if anything; `flowing` says whether it sends
        layers."""
        age = now - self._told_at
        if self.bits.keys() == self._told.keys():
            changed = any(not 0.8 < bits / self._told[r] < 1.25 for r, bits in self.bits.items())
            if not ((changed and age >= TELL_SECONDS) or self._is_lost(flowing, age)):
                return None
        self._told, self._told_at = dict(self.bits), now
        return self._told

    def _is_lost(self, flowing: bool, age: float) -> bool:
        return age >= REPEAT_SECONDS and flowing != bool(self.bits)


def present(camera: Source, rank: int, now: float) -> Source:
    """The stream to send somebody for whom `rank` is right: that size or the next smaller one
    that comes, or the camera's one stream when that is what comes."""
    flowing = [layer for layer in camera.layers if layer.is_flowing(now)]
    latest = max((layer.resumed for layer in flowing), default=0.0)
    if not flowing or (camera.is_flowing(now) and camera.resumed > latest):
        return camera
    fitting = [layer for layer in camera.layers[: rank + 1] if layer in flowing]
    return fitting[-1] if fitting else flowing[0]


def come(camera: Source, now: float) -> bool:
    """Whether the browser sends the camera in several sizes."""
    return present(camera, 0, now) is not camera
