"""Where a source's packets stand in the numbers of the slot that shows it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

HALF = 0x8000
LEFT_OUT = 200  # packets whose late neighbours still find their place


class Place(NamedTuple):
    """From the source's sequence number `first` on: what is added to sequence and PictureID."""

    first: int
    sequence: int
    picture: int


class Numbering:
    """Offsets that change where a packet is left out, so that no gap shows; what comes late keeps
    the place it had."""

    def __init__(self) -> None:
        self._places: deque[Place] = deque(maxlen=LEFT_OUT)
        self._newest = 0

    def begin(self, first: int, sequence: int, picture: int) -> None:
        """Takes a source up at its number `first`; nothing older has a place."""
        self._places.clear()
        self._places.append(Place(first, sequence, picture))
        self._newest = (first - 1) & 0xFFFF

    def is_newest(self, sequence: int) -> bool:
        return 0 < (sequence - self._newest) & 0xFFFF < HALF

    def place(self, sequence: int) -> Place | None:
        """None for what is older than the beginning, and for what was left out: another has its
        number."""
        for place in reversed(self._places):
            ahead = (sequence - place.first) & 0xFFFF
            if ahead < HALF:
                return place
            if ahead == 0xFFFF:
                return None
        return None

    def take(self, sequence: int) -> Place | None:
        """The place of a packet that goes on."""
        if sequence == (self._newest + 1) & 0xFFFF and sequence & 0xFFF:
            self._newest = sequence
            return self._places[-1]
        place = self.place(sequence)
        if place is not None and self.is_newest(sequence):
            self._newest = sequence
            self._keep_up()
        return place

    def _keep_up(self) -> None:
        """Lets the beginning follow before the numbers have come half round."""
        newest = self._places[-1]
        if (self._newest - newest.first) & 0xFFFF > HALF // 2:
            self._places.clear()
            self._places.append(newest._replace(first=(self._newest - HALF // 4) & 0xFFFF))

    def leave_out(self, sequence: int, *, picture: bool) -> bool:
        """Closes the gap of a packet that does not go on, and of the `picture` that it begins.
        False when newer ones have passed: their numbers are out."""
        if not self.is_newest(sequence):
            return False
        self._newest = sequence
        last = self._places[-1]
        after = (sequence + 1) & 0xFFFF
        self._places.append(Place(after, last.sequence - 1, last.picture - picture))
        return True
