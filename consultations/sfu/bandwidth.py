"""An estimate of what a viewer's link carries, from its transport-wide feedback.

The delay gradient drives aiortc's port of Google congestion control (Carlucci et al., 2016,
sections 3 and 4); loss bounds it from above; REMB stands in where a browser sends no feedback.
"""

from __future__ import annotations

from array import array
from collections import deque

from aiortc.rate import (
    AimdRateControl,
    BandwidthUsage,
    InterArrival,
    OveruseDetector,
    OveruseEstimator,
)

from .probing import Prober

SENT_RING = 4096
GROUP_MS = 5
TICKS_PER_MS = (1 << 26) / 1000
THROUGHPUT_MS = 500.0
LOSS_WINDOW = 1.0
MIN_BITRATE = 40_000
SETTLING_SECONDS = 2.0
WINDOW_SECONDS = 0.25
WINDOW_TIMEOUT = 1.0
COLLAPSE_SECONDS = 0.35
MIN_WINDOW_BYTES = 8_000
BASE_ROUND_TRIP_DRIFT = 0.002
SILENT_SECONDS = 5.0
REFERENCE_WRAP = (1 << 24) * 0.064  # seconds after which a browser's reference time starts over


class BandwidthEstimator:
    """`bitrate` in bits a second, `round_trip` in seconds, `loss` from 0 to 1."""

    def __init__(self, start_bitrate: int, max_bitrate: int) -> None:
        self.max_bitrate = max_bitrate
        self.bitrate: float = start_bitrate
        self.round_trip = 0.1
        self.loss = 0.0
        self.has_feedback = False
        self.prober = Prober()
        self._settled_at = 0.0
        self._late = False
        self._base_round_trip = 0.3
        self._bytes_sent = 0
        self._last_sent = 0.0
        self._bytes_before = array("Q", bytes(8 * SENT_RING))
        self._bytes_reported = 0
        self._sent_at = array("d", bytes(8 * SENT_RING))
        self._sizes = array("H", bytes(2 * SENT_RING))
        self._watch_delay()
        self._wraps = 0.0
        self._last_arrival: float | None = None
        self._last_arrived_sent = 0.0
        self._rate = AimdRateControl()
        self._rate.set_estimate(start_bitrate, 0)
        self._loss_limit = float(max_bitrate)
        self._arrived: deque[tuple[float, int]] = deque()
        self._arrived_bytes = 0
        self._lost = 0
        self._expected = 0
        self._loss_since = 0.0
        self._last_update = 0.0
        self._remb: int | None = None

    def _watch_delay(self) -> None:
        """Starts the delay gradient over, which cannot tell a long silence from reordering."""
        self._inter_arrival = InterArrival(int(GROUP_MS * TICKS_PER_MS), 1 / TICKS_PER_MS)
        self._trend = OveruseEstimator()
        self._detector = OveruseDetector()

    def sent(self, number: int, size: int, now: float) -> None:
        """Notes a packet by its transport-wide sequence number."""
        index = number % SENT_RING
        self._sent_at[index] = now
        self._sizes[index] = size
        self._bytes_before[index] = self._bytes_sent
        self._bytes_sent += size
        self._last_sent = now

    def window_open(self, now: float) -> bool:
        """Whether more may be put on the way: not when the link's queue already holds some
        250 ms, which would keep the voice waiting behind the picture.

        After a second in which nothing was sent something goes out in any case: the report that
        would have opened the window may be lost.
        """
        if not self.has_feedback or now - self._last_sent > WINDOW_TIMEOUT:
            return True
        window = self.bitrate / 8 * (self._base_round_trip + WINDOW_SECONDS)
        return self._bytes_sent - self._bytes_reported < max(window, MIN_WINDOW_BYTES)

    def is_settled(self, now: float) -> bool:
        """Whether the first probes are through, so that the estimate is more than a guess."""
        return self.is_informed and now >= self._settled_at

    @property
    def is_informed(self) -> bool:
        """Whether the viewer's browser has told anything of the link yet."""
        return self.has_feedback or self._remb is not None

    @property
    def throughput(self) -> float:
        """What arrived over the last half second of feedback, in bits a second."""
        if len(self._arrived) < 2:
            return 0.0
        span = max(self._arrived[-1][0] - self._arrived[0][0], 50.0)
        return self._arrived_bytes * 8000 / span

    def feedback(self, report: list[tuple[int, float | None]], now: float) -> None:
        """Takes a transport-wide feedback message (feedback.read)."""
        if not self.has_feedback:
            self.has_feedback, self._settled_at = True, now + SETTLING_SECONDS
        newest_sent = 0.0
        for number, arrival in report:
            index = number % SENT_RING
            sent = self._sent_at[index]
            if not sent or now - sent > 10:
                continue
            self._expected += 1
            size = self._sizes[index]
            self.prober.feedback(number, sent, arrival, size)
            self._bytes_reported = max(self._bytes_reported, self._bytes_before[index] + size)
            if arrival is None:
                self._lost += 1
                continue
            newest_sent = max(newest_sent, sent)
            self._arrival(sent, self._unwrapped(arrival) * 1000, size, now)
        if newest_sent:
            self._check_collapse(now - newest_sent, now)
            self.note_round_trip(now - newest_sent)
        self._update(now)
        proved = self.prober.conclude(self.bitrate, now)
        if proved is not None:
            self._adopt(proved, now)

    def _check_collapse(self, round_trip: float, now: float) -> None:
        """Takes what arrives as the estimate when the link has suddenly become far thinner.

        The detector needs many packets to see that, and a collapsed link delivers few. One late
        message may be a stalled machine; two are a queue.
        """
        throughput = self.throughput
        queued = round_trip - self._base_round_trip
        late, self._late = self._late, queued > COLLAPSE_SECONDS
        if late and self._late and 0 < throughput < 0.5 * self.bitrate:
            self.prober.overused(now)
            self._rate.set_estimate(int(0.85 * throughput), int(now * 1000))
            self._rate.near_max = True
            self.bitrate = max(MIN_BITRATE, 0.85 * throughput)

    def _adopt(self, bitrate: float, now: float) -> None:
        """Takes what a probe has proved as the estimate."""
        bitrate = min(bitrate, self.max_bitrate)
        self._rate.set_estimate(int(bitrate), int(now * 1000))
        self._rate.near_max = False
        self._rate.avg_max_bitrate_kbps = None
        self._loss_limit = max(self._loss_limit, bitrate)
        self.bitrate = bitrate

    def remb(self, bitrate: int) -> None:
        """Takes the browser's own estimate; it counts when no feedback comes."""
        self._remb = bitrate
        if not self.has_feedback:
            self.bitrate = max(MIN_BITRATE, min(bitrate, self.max_bitrate))

    def note_round_trip(self, seconds: float) -> None:
        seconds = min(max(seconds, 0.001), 3.0)
        self.round_trip += (seconds - self.round_trip) / 8
        self._base_round_trip = min(self._base_round_trip + BASE_ROUND_TRIP_DRIFT, seconds)

    def note_loss(self, fraction: float) -> None:
        """Takes the loss of a receiver report, where no transport feedback tells it."""
        if not self.has_feedback:
            self.loss = fraction

    def _unwrapped(self, arrival: float) -> float:
        """An arrival on a clock that does not start over."""
        arrival += self._wraps
        if self._last_arrival is not None:
            turns = round((self._last_arrival - arrival) / REFERENCE_WRAP)
            self._wraps += turns * REFERENCE_WRAP
            arrival += turns * REFERENCE_WRAP
        self._last_arrival = arrival
        return arrival

    def _arrival(self, sent: float, arrival_ms: float, size: int, now: float) -> None:
        if sent - self._last_arrived_sent > SILENT_SECONDS:
            self._watch_delay()
        self._last_arrived_sent = sent
        arrived = self._arrived
        arrived.append((arrival_ms, size))
        self._arrived_bytes += size
        while arrival_ms - arrived[0][0] > THROUGHPUT_MS:
            self._arrived_bytes -= arrived.popleft()[1]
        ticks = int(sent * 1000 * TICKS_PER_MS) & 0xFFFFFFFF
        deltas = self._inter_arrival.compute_deltas(ticks, arrival_ms, size)  # type: ignore[arg-type]
        if deltas is None:
            return
        sent_ms = deltas.timestamp / TICKS_PER_MS
        now_ms = int(now * 1000)
        self._trend.update(
            deltas.arrival_time, sent_ms, deltas.size, self._detector.state(), now_ms
        )
        self._detector.detect(self._trend.offset(), sent_ms, self._trend.num_of_deltas(), now_ms)

    def _update(self, now: float) -> None:
        if now - self._loss_since >= LOSS_WINDOW:
            self._update_loss(now)
        usage = self._detector.state()
        if usage == BandwidthUsage.OVERUSING:
            self.prober.overused(now)
        if usage != BandwidthUsage.OVERUSING and now - self._last_update < 0.1:
            return
        self._last_update = now
        self._rate.rtt = int(self.round_trip * 1000)
        throughput = self.throughput
        self._rate.update(usage, int(throughput) if throughput else None, int(now * 1000))
        self._rate.current_bitrate = max(
            MIN_BITRATE, min(self._rate.current_bitrate, self.max_bitrate)
        )
        self.bitrate = max(MIN_BITRATE, min(self._rate.current_bitrate, self._loss_limit))

    def _update_loss(self, now: float) -> None:
        """The loss-based bound of section 4: hold between 2 and 10 per cent."""
        self._loss_since = now
        if self._expected < 10:
            return
        self.loss = self._lost / self._expected
        self._lost = self._expected = 0
        if self.loss > 0.10:
            self._loss_limit = min(self._loss_limit, self.bitrate) * (1 - 0.5 * self.loss)
            self._loss_limit = max(self._loss_limit, MIN_BITRATE)
        elif self.loss < 0.02:
            self._loss_limit = min(self._loss_limit * 1.08 + 1000, self.max_bitrate)
