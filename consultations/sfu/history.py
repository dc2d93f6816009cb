"""The last packets of an outgoing stream, kept as plaintext to answer NACKs from."""

from __future__ import annotations

RING = 512
MAX_TRIES = 3
MAX_AGE = 2.0

# Sequence number, time stamp, marker bit, payload (maybe shared between viewers), when sent.
Kept = tuple[int, int, int, bytes, float]


class History:
    """A ring by sequence number: newer packets overwrite those `RING` numbers older."""

    def __init__(self) -> None:
        self._ring: list[Kept | None] = [None] * RING
        self._tried: dict[int, tuple[int, float]] = {}

    def keep(self, kept: Kept) -> None:
        self._ring[kept[0] % RING] = kept

    def get(self, sequence: int) -> Kept | None:
        kept = self._ring[sequence % RING]
        return kept if kept is not None and kept[0] == sequence else None

    def to_resend(self, sequence: int, now: float, round_trip: float) -> Kept | None:
        """A packet asked for, if it is there, young enough, and not on its way already.

        At most three tries, each when the one before must have come: without a limit a thin link
        fills with repeats and never recovers.
        """
        kept = self.get(sequence)
        if kept is None or now - kept[4] > MAX_AGE:
            return None
        tries, last = self._tried.get(sequence, (0, 0.0))
        if tries >= MAX_TRIES or (tries and now - last < _on_its_way(round_trip)):
            return None
        return kept

    def is_given_up(self, sequence: int, now: float, round_trip: float) -> bool:
        """Whether all tries for a packet must have come, if they did not get lost."""
        tries, last = self._tried.get(sequence, (0, 0.0))
        return tries >= MAX_TRIES and now - last >= _on_its_way(round_trip)

    def resent(self, sequence: int, now: float) -> None:
        tries, _ = self._tried.pop(sequence, (0, 0.0))
        self._tried[sequence] = tries + 1, now
        while len(self._tried) > RING:
            del self._tried[next(iter(self._tried))]

    def clear(self) -> None:
        self._ring = [None] * RING
        self._tried.clear()


def _on_its_way(round_trip: float) -> float:
    return max(0.1, 1.25 * round_trip)
