"""A receive slot on the server's side: one outgoing stream whose source changes unseen.

The viewer's browser knows one SSRC per slot for the whole call. Sequence numbers, time stamps
and VP8 picture numbers of whatever source is mapped in are shifted to go on where the previous
source ended. A change of source waits for a key frame.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from . import vp8
from .events import Slot
from .history import History
from .rtcp import SenderInfo
from .source import Source

if TYPE_CHECKING:
    from .downlink import Downlink

MAX_HELD = 128  # a large key frame
CLOCK_RATES = {"audio": 48000, "video": 90000}


class SlotSender:
    """The outgoing stream of one slot."""

    def __init__(
        self,
        downlink: Downlink,
        mid: str,
        kind: Literal["audio", "video"],
        ssrc: int,
        rtx_ssrc: int,
    ) -> None:
        self.downlink = downlink
        self.mid = mid
        self.kind = kind
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.payload_type = 0
        self.rtx_payload_type: int | None = None
        self.stream = ""
        self.source: Source | None = None
        self.paused = False
        self.history = History()
        self.packets = 0
        self.octets = 0
        self.rtx_sequence = 0
        self.report_sent: tuple[int, float] = (0, 0.0)  # middle NTP bits, when
        self._synchronised = False
        self._started = False
        self._first_of_source = 0
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._picture_offset = 0
        self._tl0_offset = 0
        self._sequence = 0
        self._timestamp = 0
        self._held: deque[tuple[int, int, int, bytes]] = deque(maxlen=MAX_HELD)
        self._newest = b""  # the payload sent last: its picture numbers are read when needed
        self._sent_at = 0.0

    def describe(self) -> Slot:
        source = self.source
        if source is None:
            return Slot(self.mid, self.kind)
        return Slot(self.mid, self.kind, source.peer_id, source.kind)

    def attach(self, source: Source | None) -> None:
        """Shows another source in this slot, or none."""
        if source is self.source:
            return
        if self.source is not None:
            self.source.slots.remove(self)
            self.withdraw()
        self.source = source
        if source is not None:
            source.slots.append(self)
        self.resynchronise()

    def pause(self, paused: bool) -> None:
        """Holds a video slot back while the viewer's link cannot carry it."""
        if paused != self.paused:
            self.paused = paused
            self._held.clear()
            self.resynchronise()

    def withdraw(self) -> None:
        """Leaves nothing of the source to be sent: not what waits, nor what could be repeated."""
        self.history.clear()
        self._held.clear()
        self.downlink.forget(self)
        self._synchronised = False

    def resynchronise(self) -> None:
        """Starts over at the next packet that can be decoded by itself."""
        self._synchronised = False
        if self.source is not None and self.kind == "video" and not self.paused:
            self.source.key_frame_wanted = True

    @property
    def waits_for_key_frame(self) -> bool:
        return self.kind == "video" and self.source is not None and not self._synchronised

    def forward(
        self,
        marker: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: float,
    ) -> None:
        if self.paused:
            return
        if not self._synchronised:
            if self._begin(sequence, timestamp, payload, now):
                self._pass_on(marker, sequence, timestamp, payload, now)
                self._follow(sequence, now)
            else:
                self._held.append((marker, sequence, timestamp, payload))
            return
        self._pass_on(marker, sequence, timestamp, payload, now)

    def _follow(self, sequence: int, now: float) -> None:
        """Sends on what had come before the key frame's first packet, which was overtaken or lost
        and repaired: nobody could ask for it again."""
        held = [one for one in self._held if 0 < (one[1] - sequence) & 0xFFFF < 0x8000]
        self._held.clear()
        for marker, number, timestamp, payload in sorted(
            held, key=lambda one: (one[1] - sequence) & 0xFFFF
        ):
            self._pass_on(marker, number, timestamp, payload, now)

    def _pass_on(
        self, marker: int, sequence: int, timestamp: int, payload: bytes, now: float
    ) -> None:
        if (sequence - self._first_of_source) & 0xFFFF >= 0x8000:
            return  # older than the switch: its place in the numbers is taken
        out = (sequence + self._sequence_offset) & 0xFFFF
        stamp = (timestamp + self._timestamp_offset) & 0xFFFFFFFF
        if self.kind == "video":
            if self._picture_offset or self._tl0_offset:
                payload = vp8.shift(payload, self._picture_offset, self._tl0_offset)
            self.history.keep((out, stamp, marker, payload, now))
        if (out - self._sequence) & 0xFFFF < 0x8000:
            self._sequence, self._timestamp, self._sent_at = out, stamp, now
            self._newest = payload
            if (sequence - self._first_of_source) & 0xFFFF > 0x4000:  # half a circle is ahead
                self._first_of_source = (sequence - 0x2000) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        self.downlink.send_media(self, marker, out, stamp, payload, now)

    def skip(self, sequence: int) -> None:
        """Closes the gap that a packet without payload would leave in the numbers.

        From here on older packets have no place: theirs in the shifted numbers are taken.
        """
        if self._synchronised and (sequence + self._sequence_offset - 1) & 0xFFFF == self._sequence:
            self._sequence_offset -= 1
            self._first_of_source = (sequence + 1) & 0xFFFF

    def _begin(self, sequence: int, timestamp: int, payload: bytes, now: float) -> bool:
        """Computes the offsets of a new source at its first packet that can be decoded by itself;
        False, and a key frame asked for, when this is not one."""
        picture = None
        if self.kind == "video":
            picture = vp8.read_descriptor(payload)
            if not picture.begins_key_frame:
                self.resynchronise()
                return False
        self._synchronised = True
        self._first_of_source = sequence
        if not self._started:
            self._started = True
            self._sequence, self._sent_at = (sequence - 1) & 0xFFFF, now
            return True  # the first source keeps its numbers: nothing needs to be rewritten
        elapsed = max(1, int((now - self._sent_at) * CLOCK_RATES[self.kind]))
        self._sequence_offset = self._sequence + 1 - sequence
        self._timestamp_offset = self._timestamp + elapsed - timestamp
        if picture is not None:
            self._follow_pictures(picture)
        return True

    def _follow_pictures(self, picture: vp8.Descriptor) -> None:
        try:
            newest = vp8.read_descriptor(self._newest)
        except vp8.Vp8Invalid:
            return  # the source before sent nonsense; the key frame stands by itself
        self._picture_offset = (newest.picture_id + 1 - picture.picture_id) & 0x7FFF
        self._tl0_offset = (newest.tl0 + 1 - picture.tl0) & 0xFF if picture.tl0_at >= 0 else 0

    def sender_info(self) -> SenderInfo | None:
        """The source's own clock pair, its RTP time as this slot shifts it."""
        source = self.source
        if source is None or source.sender_info is None or not self._synchronised:
            return None
        stamp = (source.sender_info.rtp_timestamp + self._timestamp_offset) & 0xFFFFFFFF
        return SenderInfo(
            source.sender_info.ntp, stamp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF
        )
