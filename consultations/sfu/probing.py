"""Trying whether a link carries more than is being sent over it.

While a publisher is held to the estimate nothing shows that the link could take more, and growth
by 8 per cent a second is slow. A short train of padding at a multiple of the estimate does: what
it arrives at is what the link carries.
"""

from __future__ import annotations

FIRST_FACTORS = (3.0, 2.0)
FACTOR = 2.0
INTERVAL = 4.0
QUIET_AFTER_OVERUSE = 4.0
TRAIN_SECONDS = 0.020
PACKET_OVERHEAD = 28  # IPv4 and UDP: of small packets, a good part of what the link carries
MIN_PACKETS = 8
GIVE_UP = 1.5
SATURATED = 0.9
MARGIN = 0.95


class Train:
    """One probe: packets numbered from `first` on, sent at `bitrate`."""

    def __init__(self, first: int, bitrate: float, now: float) -> None:
        self.bitrate = bitrate
        self.started = now
        self._first = first
        self._count: int | None = None  # None while it is being sent
        self._sent: list[tuple[float, int]] = []
        self._arrived: list[tuple[float, int]] = []

    def finish(self, last: int) -> None:
        self._count = (last - self._first + 1) & 0xFFFF

    def note(self, number: int, sent: float, arrival: float | None, size: int) -> None:
        """Takes what feedback tells of a packet, of the train or not. Feedback may come while the
        train is still being sent: all that is sent after its first packet is of it by then."""
        count = 0x8000 if self._count is None else self._count
        if (number - self._first) & 0xFFFF < count:
            size += PACKET_OVERHEAD
            self._sent.append((sent, size))
            if arrival is not None:
                self._arrived.append((arrival, size))

    def done(self, now: float) -> bool:
        complete = self._count is not None and len(self._sent) >= self._count
        return complete or now - self.started > GIVE_UP

    def result(self) -> float | None:
        """The bit rate that is proved; None when too little came back to tell."""
        if self._count is None or len(self._arrived) < max(5, self._count * 0.8):
            return None
        arrived, sent = _rate(self._arrived), _rate(self._sent)
        if arrived < SATURATED * sent:
            return arrived * MARGIN
        return min(arrived, sent, self.bitrate)


def _rate(packets: list[tuple[float, int]]) -> float:
    """Bits a second over a train; the first packet's size does not count."""
    packets = sorted(packets)
    span = max(packets[-1][0] - packets[0][0], 0.001)
    return sum(size for _, size in packets[1:]) * 8 / span


class Prober:
    """Decides when to probe, and how far. One train at a time."""

    def __init__(self) -> None:
        self.train: Train | None = None
        self._last = float("-inf")
        self._overused = float("-inf")
        self._first = list(FIRST_FACTORS)

    def overused(self, now: float) -> None:
        self._overused = now
        self._first.clear()

    def due(self, bitrate: float, wanted: float, now: float) -> float | None:
        """The bit rate to try now, or None. `wanted` is what there would be use for."""
        if self.train is not None or bitrate >= wanted:
            return None
        if now - self._overused < QUIET_AFTER_OVERUSE:
            return None
        if self._first:
            factor = self._first.pop(0)
        elif now - self._last >= INTERVAL:
            factor = FACTOR
        else:
            return None
        self._last = now
        return min(bitrate * factor, wanted)

    def conclude(self, bitrate: float, now: float) -> float | None:
        """The higher bit rate that a finished train has proved, or None."""
        if self.train is None or not self.train.done(now):
            return None
        proved, self.train = self.train.result(), None
        if proved is None or proved <= bitrate:
            self._first.clear()
            return None
        if proved > bitrate * 1.5:
            self._last = float("-inf")  # and on at once
        return proved
