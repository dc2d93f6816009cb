"""A stream that a peer publishes: what has come, what is missing, and who it is forwarded to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .events import SourceKind
from .keyframes import KeyFrames
from .layers import Wanted
from .limits import Allowance
from .rtcp import ReportBlock, SenderInfo
from .rtp import payload_end

if TYPE_CHECKING:
    from .forward import SlotSender

NACK_GRACE = 0.010
NACK_TRIES = 10
NACK_SECONDS = 1.0
# A voice is asked for again where it can still be played: players wait some 100 to 200 ms for what
# they have learnt to expect. Browsers send it as it was, though they never ask for it themselves.
VOICE_TRIES, VOICE_SECONDS, VOICE_ROUND_TRIP = 2, 0.3, 0.25
# The least loss that a voice's reports claim, 0 to 1: told of none, an encoder adds no redundancy
# (RFC 6716 section 2.1.7), and the first losses are heard.
LEAST_VOICE_LOSS = 0.05
MAX_MISSING = 250
# Of what comes at present, and bytes at least: repairs of more than that would stand in the way of
# what is new where a link has collapsed, and for longer than a key frame does.
BEHIND_SECONDS, BEHIND_BYTES = 0.4, 8_000
# Of what comes: more would keep the way up full, and lose as much again. What was not used is kept
# for a burst of losses: each had to wait for its turn otherwise, the last of eight half a second.
REPAIR_SHARE = 0.2
MAX_PAYLOAD = 1300  # a header and a tag must still fit into what a link carries
LIVE_SECONDS = 2.0
PAUSE = 0.6  # a stream without a packet for so long has stopped
FLOWING_AFTER = 0.08
CLOCK_RATES = {"audio": 48000, "video": 90000, "screen": 90000}


# What takes a copy of each packet that may go on: source, marker, sequence number, time stamp,
# payload, arrival.
Tap = Callable[["Source", int, int, int, bytes, float], None]


class Source:
    """One sending media section of a peer. `open` says whether its packets may go on; `tap` is
    there only while the peer may be recorded, `on_loss` is told of each gap.

    A camera may come in several sizes at once from another section: these are its `layers`, the
    smallest first, each a source with a `rid` that knows its `camera`. Who sees the camera is in
    its own `slots`; those of a layer are whom it is sent to, or about to be.
    """

    def __init__(
        self,
        peer_id: str,
        mid: str,
        kind: SourceKind,
        payload_type: int,
        *,
        rid: str = "",
        camera: Source | None = None,
    ) -> None:
        self.peer_id = peer_id
        self.mid = mid
        self.kind = kind
        self.payload_type = payload_type
        self.rid = rid
        self._camera = camera
        self.layers: list[Source] = []
        self.wanted = Wanted()
        self.clock_rate = CLOCK_RATES[kind]
        self.ssrc: int | None = None
        self.rtx_ssrc: int | None = None
        self.open = False
        self.muted = False
        self.slots: list[SlotSender] = []
        self.tap: Tap | None = None
        self.on_loss: Callable[[], None] | None = None
        self.last_packet = float("-inf")
        self.resumed = float("-inf")  # when it last began after a pause
        self.bytes = 0
        self.bitrate = 0.0  # bits a second
        self._recent = 0.0
        self._packet_bytes = 0.0  # on average
        self._repairs = Allowance(rate=0, burst=BEHIND_BYTES)
        self._measured = (0.0, 0, 0)
        self.sender_info: SenderInfo | None = None
        self.sender_info_at = 0.0
        self.key_frames = KeyFrames()
        self._highest: int | None = None
        self._missing: dict[int, list[float]] = {}  # sequence: [noticed, tries, last tried]
        self._reception = Reception(self.clock_rate)

    def begin(self, ssrc: int) -> None:
        """Takes a stream up, the first or one that replaces another in the same section."""
        self.ssrc = ssrc
        self.sender_info = None
        self._highest = None
        self._missing.clear()
        self._reception = Reception(self.clock_rate)
        self._measured = self._measured[0], self.bytes, 0
        for slot in self.slots:
            slot.interrupted(self)

    @property
    def camera(self) -> Source:
        """Of which this is a size; itself, if it is none."""
        return self._camera or self

    @property
    def is_video(self) -> bool:
        return self.kind != "audio"

    def is_live(self, now: float) -> bool:
        return now - self.last_packet < LIVE_SECONDS

    def is_flowing(self, now: float) -> bool:
        """Whether frames follow one another: Firefox sends a black one now and then of a sender
        without a track."""
        return now - self.last_packet < PAUSE and self.last_packet - self.resumed > FLOWING_AFTER

    def measure(self, now: float) -> None:
        """Counts what came since the last call into `bitrate`, which is smooth over some calls."""
        since, bytes_before, packets_before = self._measured
        come, packets = self.bytes - bytes_before, self._reception.received - packets_before
        self._recent = come * 8 / max(now - since, 0.01)
        self.bitrate += (self._recent - self.bitrate) / 5
        if packets > 0:
            self._packet_bytes = come / packets
        self._repairs.rate = self._recent / 8 * REPAIR_SHARE
        self._repairs.burst = self._most_behind
        self._measured = now, self.bytes, self._reception.received

    def allow(self, *, wanted: bool) -> None:
        """Lets its packets go on, in every size, or none of them."""
        self.open = wanted
        for layer in self.layers:
            layer.open = wanted

    # The packet path.

    def receive(
        self, data: bytes, start: int, marker: int, sequence: int, timestamp: int, now: float
    ) -> None:
        """Takes a packet of the stream itself, whose payload begins at `start`; forwards it."""
        end = payload_end(data, start)
        if now - self.last_packet > PAUSE:
            self.resumed = now
        self.last_packet = now
        self.bytes += len(data)
        if not self._missing or not self._was_asked_for(sequence):
            self._reception.count(sequence, timestamp, now)
        if self._highest is not None and sequence == (self._highest + 1) & 0xFFFF:
            self._highest = sequence
        elif not self._is_new(sequence, now):
            return
        if start == end:
            for slot in self.slots:
                slot.skip(self, sequence)
            return
        self._forward(marker, sequence, timestamp, data[start:end], now)

    def receive_repair(
        self, data: bytes, start: int, marker: int, timestamp: int, now: float
    ) -> None:
        """Takes a packet of the repair flow (RFC 4588): a lost one again, or mere padding."""
        end = payload_end(data, start)
        self.bytes += len(data)
        if end - start <= 2:
            return
        sequence = data[start] << 8 | data[start + 1]
        if self._missing.pop(sequence, None) is not None:
            self._forward(marker, sequence, timestamp, data[start + 2 : end], now)

    def _forward(
        self, marker: int, sequence: int, timestamp: int, payload: bytes, now: float
    ) -> None:
        if not self.open or len(payload) > MAX_PAYLOAD:
            return
        if self.is_video:
            self.key_frames.note(payload, now)
        if self.tap is not None:
            self.tap(self, marker, sequence, timestamp, payload, now)
        for slot in self.slots:
            slot.forward(self, marker, sequence, timestamp, payload, now)

    # Losses.

    def _is_new(self, sequence: int, now: float) -> bool:
        """Notes a gap; False for a late packet whose repair has been forwarded, or given up.

        Forwarded once more, its number would be encrypted twice, with one nonce.
        """
        highest = self._highest
        distance = 1 if highest is None else (sequence - highest) & 0xFFFF
        if 0 < distance < 0x8000:
            self._highest = sequence
            if highest is not None and distance > 1:
                self._note_missing(highest + 1, distance - 1, now)
            return True
        return self._missing.pop(sequence, None) is not None or not self.is_video

    def _was_asked_for(self, sequence: int) -> bool:
        entry = self._missing.get(sequence)
        return entry is not None and entry[1] > 0

    def _note_missing(self, first: int, count: int, now: float) -> None:
        if count + len(self._missing) >= MAX_MISSING:
            self._missing.clear()
            self.key_frames.wanted = self.is_video
            return
        for sequence in range(first, first + count):
            self._missing[sequence & 0xFFFF] = [now, 0, 0.0]
        if self.on_loss is not None:
            self.on_loss()

    def losses_to_ask_for(self, now: float, round_trip: float) -> list[int]:
        """Sequence numbers due for a NACK: after a grace for reordering, then every round trip.

        A packet that has not come after some time or some requests is given up; a key frame has
        to mend what it leaves in a picture.
        """
        most, patience = NACK_TRIES, NACK_SECONDS
        if not self.is_video:
            most, patience = VOICE_TRIES, VOICE_SECONDS if round_trip < VOICE_ROUND_TRIP else 0.0
        if self.is_video and self._is_hopelessly_behind:
            self._missing.clear()
            self.key_frames.wanted = True
        due = []
        given_up = []
        for sequence, entry in self._missing.items():
            noticed, tries, last = entry
            if tries >= most or now - noticed > patience:
                given_up.append(sequence)
            elif now - noticed >= NACK_GRACE and now - last >= round_trip:
                if not self._repairs.allows(now, self._packet_bytes):
                    break
                entry[1] = tries + 1
                entry[2] = now
                due.append(sequence)
        for sequence in given_up:
            del self._missing[sequence]
            self.key_frames.wanted = self.is_video
        return due

    @property
    def _is_hopelessly_behind(self) -> bool:
        return len(self._missing) * self._packet_bytes > self._most_behind

    @property
    def _most_behind(self) -> float:
        return max(BEHIND_BYTES, self._recent / 8 * BEHIND_SECONDS)

    @property
    def loss(self) -> float:
        """The share that its own link lost before the last report, 0 to 1."""
        return self._reception.loss

    @property
    def lost_lately(self) -> int:
        """Packets that were missing at the last report and had not been at the one before."""
        return self._reception.lost_lately

    @property
    def has_losses(self) -> bool:
        return bool(self._missing)

    # Reports.

    def note_sender_info(self, info: SenderInfo, now: float) -> None:
        self.sender_info, self.sender_info_at = info, now

    def report(self, now: float, downlink_loss: float) -> ReportBlock | None:
        """The reception report since the last one; None before the first packet.

        An Opus encoder adds as much redundancy as its reports claim loss, and the loss that
        matters may be a viewer's: an audio report claims `downlink_loss` (0–1) at least.
        """
        if self.ssrc is None or self._highest is None:
            return None
        last, delay = 0, 0
        if self.sender_info is not None:
            last = self.sender_info.ntp >> 16 & 0xFFFFFFFF
            delay = int((now - self.sender_info_at) * 65536)
        floor = 0 if self.is_video else int(max(downlink_loss, LEAST_VOICE_LOSS) * 256)
        return self._reception.block(self.ssrc, floor, last, delay)


class Reception:
    """The statistics of RFC 3550 appendix A.3 and A.8 for one stream."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._base: int | None = None
        self._highest = 0
        self.received = 0
        self._expected_before = 0
        self._received_before = 0
        self.lost_lately = 0
        self.loss = 0.0
        self._jitter = 0.0
        self._transit: float | None = None

    def count(self, sequence: int, timestamp: int, now: float) -> None:
        if self._base is None:
            self._base = self._highest = sequence
        else:
            distance = (sequence - self._highest) & 0xFFFF
            if distance < 0x8000:
                self._highest += distance
        self.received += 1
        transit = now * self._clock_rate - timestamp
        if self._transit is not None:
            step = abs(transit - self._transit)
            if step < self._clock_rate:  # a wrap or a jump says nothing about the network
                self._jitter += (step - self._jitter) / 16
        self._transit = transit

    def block(self, ssrc: int, floor: int, last_report: int, delay: int) -> ReportBlock:
        received = self.received  # without repairs: the sender should know what its link loses
        expected = self._highest - (self._base or 0) + 1
        expected_now = expected - self._expected_before
        lost_now = expected_now - (received - self._received_before)
        self._expected_before, self._received_before = expected, received
        self.lost_lately = max(0, lost_now)
        self.loss = self.lost_lately / expected_now if expected_now > 0 else 0.0
        fraction = int(self.loss * 256)
        return ReportBlock(
            ssrc,
            min(255, max(fraction, floor)),
            expected - received,
            self._highest & 0xFFFFFFFF,
            int(self._jitter),
            last_report,
            delay & 0xFFFFFFFF,
        )
