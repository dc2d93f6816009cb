"""Everything that goes to one viewer: header, pacing, repairs and the estimate of the link."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from . import rtp
from .bandwidth import BandwidthEstimator
from .limits import Allowance
from .probing import MIN_PACKETS, TRAIN_SECONDS, Train

if TYPE_CHECKING:
    from .forward import SlotSender
    from .transport import Transport

PACING_FACTOR = 2.5
PACING_BURST_SECONDS = 0.04
MAX_QUEUE_SECONDS = 0.5
# A key frame must get through a thin link, or the next one is asked for; but where a link has
# collapsed under larger pictures, what waits for it is not worth its while.
KEY_FRAME_BYTES, KEY_FRAME_SECONDS = 40_000, 2.0
RTX_SHARE, RTX_BURST_SECONDS = 0.15, 0.3  # of the estimate; losses come in bursts, too
PADDING_BYTES = 16, 224  # an RTP packet can carry 255; small ones where a link is thin
PROBE_HEADERS = 36  # of a datagram of padding, with its tag
REPEAT_ABOVE_LOSS = 0.02
REPEAT_FOR = 10.0
REPEAT_SECONDS = 0.06  # losses come in bursts of some 20 to 30 ms
REPEAT_REPAIR_SECONDS = 0.03
REPEAT_MIN_BITRATE = 150_000
FLUSH_INTERVAL = 0.005
# Bits a second to begin with where the handshake took a second, and the least of it: on links that
# answer late, much at once would only queue, and the first key frame would be lost with it.
START_BY_HANDSHAKE, LEAST_START = 60_000, 100_000

Queued = tuple["SlotSender", int, int, int, int, int, bytes]


class Downlink:
    """The viewer's link. Audio leaves at once; video and repairs wait for their turn."""

    def __init__(self, transport: Transport, start_bitrate: int, max_bitrate: int) -> None:
        self.transport = transport
        self.estimator = BandwidthEstimator(start_bitrate, max_bitrate)
        self.sequence_extension = 0  # transport-wide sequence number, 0 when not negotiated
        self.time_extension = 0
        self.packets = 0
        self.bytes = 0
        self.resent_bytes = 0
        self.audio_loss = 0.0
        self._lossy_until = 0.0
        self._transport_sequence = 0
        self._queue: deque[Queued] = deque()
        self._queued_bytes = 0
        self._probe_packets = 0
        self._probe_bytes = 0.0
        self._padding = 0
        self._probe_slot: SlotSender | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pace = Allowance(rate=0, burst=0)
        self._paced_for = 0.0
        self._repairs = Allowance(rate=0, burst=0)

    def begin(self, handshake: float) -> None:
        """Guesses what a link may carry by the seconds that its handshake took."""
        guess = max(LEAST_START, START_BY_HANDSHAKE / max(handshake, 0.001))
        self.estimator.begin_with(min(guess, self.estimator.bitrate), handshake)

    def send_media(
        self,
        slot: SlotSender,
        marker: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: float,
    ) -> None:
        head = marker | slot.payload_type
        if slot.kind == "audio":
            self._send(head, sequence, timestamp, slot.ssrc, payload, now)
            if self.lossy(now):
                self.transport.repeat_later(REPEAT_SECONDS)
        elif self._queue or not self._may_send(len(payload), now):
            self._wait((slot, head, sequence, timestamp, slot.ssrc, len(payload), payload))
        else:
            self._send(head, sequence, timestamp, slot.ssrc, payload, now)

    def resend(self, slot: SlotSender, wanted: int, now: float) -> bool:
        """Answers one NACKed number by RTX (RFC 4588), within the repair budget.

        Where many are lost, a second try would come half a second late, so the first one is sent
        twice, too, while half of the budget is left for others. After the last one a key frame
        helps, which Chromium asks for only when nothing could be shown for three seconds.
        """
        kept = slot.history.to_resend(wanted, now, self.estimator.round_trip)
        if kept is None or slot.rtx_payload_type is None:
            if self.lossy(now) and slot.history.is_given_up(wanted, now, self.estimator.round_trip):
                slot.ask_for_key_frame(now)
            return False
        sequence, timestamp, marker, payload, _ = kept
        self._repairs.rate = self.estimator.bitrate * RTX_SHARE / 8
        self._repairs.burst = max(3000.0, self.estimator.bitrate / 8 * RTX_BURST_SECONDS)
        cost = len(payload) + 40
        if not self._repairs.allows(now, cost):
            return False
        twice = self._may_repeat(cost, now)
        slot.history.resent(wanted, now)
        slot.rtx_sequence = (slot.rtx_sequence + 1) & 0xFFFF
        self.resent_bytes += len(payload)
        self.transport.mux.counts["resent"] += 1
        body = sequence.to_bytes(2) + payload
        head = marker | slot.rtx_payload_type
        if self._queue or not self._may_send(len(body), now):
            waiting = (slot, head, slot.rtx_sequence, timestamp, slot.rtx_ssrc, len(body), body)
            self._wait(waiting, first=True)
        else:
            self._send(head, slot.rtx_sequence, timestamp, slot.rtx_ssrc, body, now)
            if twice:
                self.resent_bytes += len(payload)
                self.transport.repeat_later(REPEAT_REPAIR_SECONDS)
        return True

    def _may_repeat(self, cost: int, now: float) -> bool:
        repairs = self._repairs
        return self.lossy(now) and repairs.tokens > repairs.burst / 2 and repairs.allows(now, cost)

    # Pacing.

    def _wait(self, item: Queued, *, first: bool = False) -> None:
        (self._queue.appendleft if first else self._queue.append)(item)
        self._queued_bytes += item[5]
        rate = self.estimator.bitrate / 8
        limit = max(min(KEY_FRAME_BYTES, rate * KEY_FRAME_SECONDS), rate * MAX_QUEUE_SECONDS)
        if self._queued_bytes > limit:
            self._overflow()
        else:
            self._flush_later()

    def _may_send(self, size: int, now: float) -> bool:
        """Whether pace and window are open; takes the pace's tokens when they are."""
        estimator, pace = self.estimator, self._pace
        if estimator.bitrate != self._paced_for:
            self._paced_for = estimator.bitrate
            pace.rate = estimator.bitrate * PACING_FACTOR / 8
            pace.burst = max(3000.0, pace.rate * PACING_BURST_SECONDS)
        return estimator.window_open(now) and pace.allows(now, size)

    def _flush_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_INTERVAL, self._flush)

    def _overflow(self) -> None:
        """Drops what is queued: late video helps nobody; each slot goes on at a key frame."""
        for slot in {item[0] for item in self._queue}:
            slot.resynchronise()
        self._queue.clear()
        self._queued_bytes = 0
        self.transport.mux.dropped("pacing")

    def forget(self, slot: SlotSender) -> None:
        """Drops what waits of a slot's stream."""
        self._queue = deque(item for item in self._queue if item[0] is not slot)
        self._queued_bytes = sum(item[5] for item in self._queue)

    def _flush(self) -> None:
        """Sends what the pace allows by now, and comes back for the rest."""
        self._timer = None
        queue, now = self._queue, self.transport.mux.now()
        if self._probe_slot is not None:
            self._send_probe(self._probe_slot, now)
        while queue and self._may_send(queue[0][5], now):
            self._send_first(now)
        if queue or self._probe_slot is not None:
            self._flush_later()

    def _send_first(self, now: float) -> None:
        item = self._queue.popleft()
        self._queued_bytes -= item[5]
        self._send(item[1], item[2], item[3], item[4], item[6], now)

    # Probing.

    def probe(self, slot: SlotSender, wanted: float, now: float) -> None:
        """Starts a train when one is due: of what waits, and padding on a slot's repair flow."""
        estimator = self.estimator
        if not self.sequence_extension or not estimator.has_feedback:
            return
        if self._queue and not estimator.window_open(now):
            return
        bitrate = estimator.prober.due(estimator.bitrate, wanted, now)
        if bitrate is None:
            return
        self._probe_packets = MIN_PACKETS
        self._probe_bytes = bitrate * TRAIN_SECONDS / 8
        least, most = PADDING_BYTES
        size = int(self._probe_bytes / MIN_PACKETS) - PROBE_HEADERS
        self._padding = max(least, min(size, most))
        self._probe_slot = slot
        first = (self._transport_sequence + 1) & 0xFFFF
        estimator.prober.train = Train(first, bitrate, now)
        self._flush_later()

    def _send_probe(self, slot: SlotSender, now: float) -> None:
        """A flush interval's worth of the train. Pictures that wait are as good as padding, and
        where they wait all the time because the estimate is too low, nothing else would do."""
        train = self.estimator.prober.train
        if train is None or slot.rtx_payload_type is None:
            self._probe_slot = None
            return
        share = train.bitrate * FLUSH_INTERVAL / 8
        while share > 0 and (self._probe_packets > 0 or self._probe_bytes > 0):
            before = self.bytes
            if self._queue:
                self._send_first(now)
            else:
                self._send_padding(slot, now)
            size = self.bytes - before
            self._pace.tokens -= size
            share -= size
            self._probe_bytes -= size
            self._probe_packets -= 1
        if self._probe_packets <= 0 and self._probe_bytes <= 0:
            train.finish(self._transport_sequence)
            self._probe_slot = None

    def _send_padding(self, slot: SlotSender, now: float) -> None:
        slot.rtx_sequence = (slot.rtx_sequence + 1) & 0xFFFF
        sequence = slot.rtx_sequence
        padding = bytes(self._padding - 1) + bytes([self._padding])
        self._send(slot.rtx_payload_type or 0, sequence, 0, slot.rtx_ssrc, padding, now, 0xB0)

    def close(self) -> None:
        self._queue.clear()
        self._probe_slot = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send(
        self,
        head: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        payload: bytes,
        now: float,
        first: int = 0x90,
    ) -> None:
        number = 0
        if self.sequence_extension:
            number = self._transport_sequence = (self._transport_sequence + 1) & 0xFFFF
            tag = self.sequence_extension << 4 | 1
            header = rtp.WITH_SEQUENCE(
                first, head, sequence, timestamp, ssrc, rtp.ONE_BYTE_PROFILE, 1, tag, number
            )
        elif self.time_extension:
            stamp = self.time_extension << 28 | 2 << 24 | rtp.absolute_send_time(now)
            header = rtp.WITH_TIME(
                first, head, sequence, timestamp, ssrc, rtp.ONE_BYTE_PROFILE, 1, stamp
            )
        else:
            header = rtp.PLAIN(first & 0xEF, head, sequence, timestamp, ssrc)
        size = self.transport.send_rtp(header + payload)
        if self.sequence_extension:
            self.estimator.sent(number, size, now)
        self.packets += 1
        self.bytes += size

    def lossy(self, now: float) -> bool:
        """Whether voice, repairs and requests for them are sent twice: the link loses packets and
        has room. Sound is, because browsers do not ask for it again; pictures are not, because they
        do."""
        if max(self.estimator.loss, self.audio_loss) > REPEAT_ABOVE_LOSS:
            self._lossy_until = now + REPEAT_FOR
        return now < self._lossy_until and self.estimator.bitrate > REPEAT_MIN_BITRATE
