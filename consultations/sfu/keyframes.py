"""Asking a publisher for key frames, and not for a second one while the first is under way."""

from __future__ import annotations

from . import vp8

ASK_INTERVAL = 0.5
ENCODED_WITHIN = 0.4  # seconds beside the round trip until one has come whole over a thin link
DECODED_WITHIN = 0.2


class KeyFrames:
    """Those of one stream. `wanted` says that somebody cannot go on without one.

    Viewers repeat their request (PLI, RFC 4585 section 6.3.1) every quarter of a second until a
    picture is decoded. On a link of 240 kbit/s a key frame needs half a second to arrive: each
    repeat obeyed made another one, and what was on its way useless.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._awaited = False
        self._asked = self._came = float("-inf")
        self._interval = ASK_INTERVAL

    def due(self, now: float, round_trip: float) -> bool:
        """Whether to ask now: one is wanted, and was not asked for just before. `round_trip` is
        the publisher's, in seconds."""
        if not self.wanted or now - self._asked < self._interval:
            return False
        self.wanted, self._awaited, self._asked = False, True, now
        self._interval = max(ASK_INTERVAL, 2 * round_trip + ENCODED_WITHIN)
        return True

    def note(self, payload: bytes, now: float) -> None:
        """Looks for the one that was asked for among what comes. Raises Vp8Invalid."""
        if not self._awaited:
            return
        if vp8.read_descriptor(payload).begins_key_frame:
            self.wanted = self._awaited = False
            self._came = now
        elif now - self._asked >= self._interval:
            self.wanted = True

    def asked_again(self, now: float, round_trip: float) -> None:
        """A viewer, whose round trip that is, says that it cannot decode what it was sent."""
        if not self._awaited and now - self._came > DECODED_WITHIN + 2 * round_trip:
            self.wanted = True
