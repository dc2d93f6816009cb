"""An estimate of what a viewer's link carries, from its transport-wide feedback.

The delay gradient drives aiortc's port of Google congestion control (Carlucci et al., 2016,
sections 3 and 4); loss bounds it from above; REMB stands in where a browser sends no feedback.
"""

from __future__ import annotations

from array import array
from collections import deque

from aiortc.rate import AimdRateControl, BandwidthUsage

from .delay import DelayGradient
from .probing import Prober

SENT_RING = 4096
THROUGHPUT_SECONDS, SLOW_SECONDS, SLOW_BITRATE = 0.5, 1.0, 200_000  # few packets tell a rate badly
SENT_SECONDS = 1.0
LOWERED = 0.95
# What a growing queue leaves of the estimate at least; the bounds of the wait before it takes more.
LEAST_LEFT, REACTION = 0.7, (0.1, 0.5)
IDLE = 0.7  # of the estimate: where less was sent, what arrives tells nothing of the link
STALE_SECONDS = 2.0  # two messages further apart do not tell a rate
LOSS_WINDOW = 1.0
MIN_BITRATE = 40_000
SETTLING_SECONDS = 2.0
WINDOW_SECONDS = 0.25
WINDOW_TIMEOUT = 1.0
COLLAPSE_SECONDS = 0.35
MIN_WINDOW_BYTES = 8_000
BASE_DELAY_DRIFT = 0.002
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
        self._base_delay = float("inf")  # of the way down, on two clocks: only its rise counts
        self._queued = 0.0  # seconds that the newest packet waited on its way down
        self.path = 0.3  # the round trip without that wait: what a report takes to come back
        self._bytes_sent = 0
        self._last_sent = 0.0
        self._reported: deque[tuple[float, int]] = deque()  # by message: sent last, bytes by then
        self._bytes_before = array("Q", bytes(8 * SENT_RING))
        self._bytes_reported = 0
        self._sent_at = array("d", bytes(8 * SENT_RING))
        self._sizes = array("H", bytes(2 * SENT_RING))
        self._delay = DelayGradient()
        self._wraps = 0.0
        self._last_arrival: float | None = None
        self._rate = AimdRateControl()
        self._rate.set_estimate(start_bitrate, 0)
        self._loss_limit = float(max_bitrate)
        self._arrived: deque[tuple[float, int]] = deque()  # by message: the last arrival, bytes
        self._arrived_bytes = 0
        self._lowered_at = 0.0
        self._lost = 0
        self._expected = 0
        self._loss_since = 0.0
        self._last_update = 0.0
        self._remb: int | None = None

    def begin_with(self, bitrate: float, round_trip: float) -> None:
        """What to go by until the viewer's browser tells of the link."""
        self.bitrate = bitrate
        self.round_trip = self.path = round_trip
        self._rate.set_estimate(int(bitrate), 0)

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
        window = self.bitrate / 8 * (self.path + WINDOW_SECONDS)
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
        (since, before), (until, _) = self._arrived[0], self._arrived[-1]
        return (self._arrived_bytes - before) * 8 / max(until - since, 0.05)

    def feedback(self, report: list[tuple[int, float | None]], now: float) -> None:
        """Takes a transport-wide feedback message (feedback.read)."""
        if not self.has_feedback:
            self.has_feedback, self._settled_at = True, now + SETTLING_SECONDS
        newest_sent, arrived = self._note(report, now)
        if newest_sent:
            self._note_reported(newest_sent)
            self._note_delay(newest_sent, arrived, now)
            self._check_collapse(now)
        self._update(now)
        proved = self.prober.conclude(self.bitrate, now)
        if proved is not None:
            self._adopt(proved, now)

    def _note(self, report: list[tuple[int, float | None]], now: float) -> tuple[float, float]:
        """Takes each packet reported; returns when the newest that arrived was sent, and when it
        arrived by the viewer's clock, or zeros."""
        sent_at, sizes, before = self._sent_at, self._sizes, self._bytes_before
        train, arrived_at = self.prober.train, self._delay.arrival
        shift = self._shift(report)
        newest_sent = latest = 0.0
        size_arrived = 0
        for number, arrival in report:
            index = number % SENT_RING
            sent = sent_at[index]
            if not sent or now - sent > 10:
                continue
            answered = sent <= self._lowered_at  # the estimate came down for it already
            self._expected += not answered
            size = sizes[index]
            if train is not None:
                train.note(number, sent, arrival, size)
            if before[index] + size > self._bytes_reported:
                self._bytes_reported = before[index] + size
            if arrival is None:
                self._lost += not answered
                continue
            newest_sent = max(newest_sent, sent)
            latest = max(latest, arrival + shift)
            size_arrived += size
            arrived_at(sent, arrival + shift, size, now)
        if size_arrived:
            self._note_throughput(latest, size_arrived)
        return newest_sent, latest

    def _note_delay(self, sent: float, arrived: float, now: float) -> None:
        """Tells the queue on the way down from whatever holds the reports up on the way back: a
        viewer's own picture may fill the uplink, and says nothing of the downlink."""
        delay = arrived - sent
        self._base_delay = min(self._base_delay + BASE_DELAY_DRIFT, delay)
        self._queued = delay - self._base_delay
        self.note_round_trip(now - sent)
        path = max(0.001, min(now - sent - self._queued, 3.0))
        self.path += (path - self.path) / (2 if path > self.path else 8)

    def _shift(self, report: list[tuple[int, float | None]]) -> float:
        """What to add to a message's arrivals so that their clock does not start over."""
        first = next((arrival for _, arrival in report if arrival is not None), None)
        if first is not None:
            if self._last_arrival is not None:
                turns = round((self._last_arrival - first - self._wraps) / REFERENCE_WRAP)
                self._wraps += turns * REFERENCE_WRAP
            self._last_arrival = first + self._wraps
        return self._wraps

    def _note_reported(self, sent: float) -> None:
        """Keeps what was sent over the last second that is reported on."""
        reported = self._reported
        reported.append((sent, self._bytes_reported))
        while sent - reported[0][0] > SENT_SECONDS:
            reported.popleft()

    def _note_throughput(self, arrived: float, size: int) -> None:
        self._arrived.append((arrived, size))
        self._arrived_bytes += size
        window = THROUGHPUT_SECONDS if self.bitrate > SLOW_BITRATE else SLOW_SECONDS
        while (age := arrived - self._arrived[0][0]) > window and (
            len(self._arrived) > 2 or age > STALE_SECONDS
        ):
            self._arrived_bytes -= self._arrived.popleft()[1]

    def _check_collapse(self, now: float) -> None:
        """Takes what arrives as the estimate when the link has suddenly become far thinner.

        The detector needs many packets to see that, and a collapsed link delivers few. One late
        message may be a stalled machine; two are a queue.
        """
        throughput = self.throughput
        late, self._late = self._late, self._queued > COLLAPSE_SECONDS
        if late and self._late and 0 < throughput < 0.5 * self.bitrate and not self._idled:
            self.prober.overused(now)
            self._lowered_at = now
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

    def note_loss(self, fraction: float) -> None:
        """Takes the loss of a receiver report, where no transport feedback tells it."""
        if not self.has_feedback:
            self.loss = fraction

    def _update(self, now: float) -> None:
        if now - self._loss_since >= LOSS_WINDOW:
            self._update_loss(now)
        usage = self._delay.usage
        if usage == BandwidthUsage.OVERUSING:
            self.prober.overused(now)
            if self._idled or now - self._lowered_at < self._reaction:
                return  # an older queue, which less would not make shorter
        elif now - self._last_update < 0.1:
            return
        self._last_update = now
        self._rate.rtt = int(self.round_trip * 1000)
        throughput = self.throughput
        before = self.bitrate
        self._rate.update(usage, int(throughput) if throughput else None, int(now * 1000))
        least = max(MIN_BITRATE, int(LEAST_LEFT * before))
        self._rate.current_bitrate = max(least, min(self._rate.current_bitrate, self.max_bitrate))
        self.bitrate = max(MIN_BITRATE, min(self._rate.current_bitrate, self._loss_limit))
        if self.bitrate < LOWERED * before:
            self._lowered_at = now

    @property
    def _reaction(self) -> float:
        """Seconds until what a lower estimate does is reported."""
        return min(max(REACTION[0], self.path), REACTION[1])

    @property
    def _idled(self) -> bool:
        """Whether far less than the estimate was sent over the second that is reported on."""
        if not self._reported:
            return False
        (since, before), (newest, until) = self._reported[0], self._reported[-1]
        if newest <= since:
            return False
        return (until - before) * 8 < IDLE * self.bitrate * (newest - since)

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
