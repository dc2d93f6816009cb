"""A receive slot on the server's side: one outgoing stream whose source changes unseen.

The viewer's browser knows one SSRC per slot for the whole call. Sequence numbers, time stamps
and VP8 picture numbers of whatever source is mapped in are shifted to go on where the previous
source ended. A change of source waits for a key frame; one between the sizes of a camera goes
on with the present one until then.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from . import vp8
from .events import Slot
from .history import History
from .layers import ALL_FRAMES, Choice
from .numbering import Numbering
from .rtcp import SenderInfo
from .source import Source

if TYPE_CHECKING:
    from .downlink import Downlink

MAX_HELD = 128  # a large key frame
MAX_THINNED = 64
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
        self.choice = Choice()
        self._target: Source | None = None  # the stream of the source that is to be shown
        self._shown: Source | None = None  # the one that is; None until it can be decoded
        self._clock: Source | None = None  # the one that the time stamps were last taken from
        self._started = False
        self._numbering = Numbering()
        self._timestamp_offset = 0
        self._tl0_offset = 0
        self._sequence = 0
        self._timestamp = 0
        self._lead = 0  # ticks by which the stamps are ahead of the source's clock
        self._frame = 0  # the source's own time stamp of the newest frame
        self._thinned: deque[int] = deque(maxlen=MAX_THINNED)  # and of frames that were left out
        self._frames = ALL_FRAMES
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
        before, self.source = self.source, source
        self._target = source
        self._follow_layers(before)
        if source is not None:
            source.slots.append(self)
            self.choice = Choice()
        self.resynchronise()

    def turn_to(self, stream: Source) -> None:
        """Shows another stream of the same camera from its next key frame on, and until then the
        present one."""
        if stream is self._target:
            return
        self._target = stream
        self._held.clear()
        self._follow_layers(None)
        if stream is not self._shown and not self.paused:
            stream.key_frames.wanted = True

    def _follow_layers(self, before: Source | None) -> None:
        """Takes packets from the layers concerned and from no other."""
        sources = [source for source in (before, self.source) if source is not None]
        for layer in (layer for source in sources for layer in source.layers):
            concerned = layer is self._target or layer is self._shown
            if concerned and self not in layer.slots:
                layer.slots.append(self)
            elif not concerned and self in layer.slots:
                layer.slots.remove(self)

    def pause(self, paused: bool) -> None:
        """Holds a slot back while the viewer is not connected, or the link cannot carry it."""
        if paused != self.paused:
            self.paused = paused
            self._held.clear()
            if paused:
                self.downlink.forget(self)
            self.resynchronise()

    def thin(self, frames: int) -> None:
        """Leaves temporal layers above `frames` out, from the next frame on; a higher one comes
        back where a frame of it needs none but the lowest."""
        self._frames = min(self._frames, frames)

    def withdraw(self) -> None:
        """Leaves nothing of the source to be sent: not what waits, nor what could be repeated."""
        self.history.clear()
        self._held.clear()
        self.downlink.forget(self)
        self._shown = None

    def interrupted(self, stream: Source) -> None:
        """A stream of the source begins anew, with other numbers."""
        if stream is self._shown or stream is self._target:
            self.resynchronise()

    def resynchronise(self) -> None:
        """Starts over at the next packet that can be decoded by itself."""
        self._shown = None
        if self._target is not None and self.kind == "video" and not self.paused:
            self._target.key_frames.wanted = True

    def ask_for_key_frame(self, now: float) -> None:
        """The viewer cannot decode what it was sent."""
        stream = self._shown or self._target
        if stream is not None and not self.paused:
            stream.key_frames.asked_again(now, self.downlink.estimator.path)

    @property
    def shown(self) -> Source | None:
        """The stream that goes out at present."""
        return self._shown

    @property
    def waits_for_key_frame(self) -> bool:
        return self.kind == "video" and self.source is not None and self._shown is None

    def forward(
        self,
        stream: Source,
        marker: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: float,
    ) -> None:
        if self.paused:
            return
        if stream is self._shown:
            if self._frames == ALL_FRAMES or not self._thins(sequence, timestamp, payload):
                self._pass_on(marker, sequence, timestamp, payload, now)
        elif stream is self._target:
            if self._begin(stream, sequence, timestamp, payload, now):
                self._pass_on(marker, sequence, timestamp, payload, now)
                self._follow(sequence, now)
            else:
                self._held.append((marker, sequence, timestamp, payload))

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
        place = self._numbering.take(sequence)
        if place is None:
            return
        out = (sequence + place.sequence) & 0xFFFF
        stamp = (timestamp + self._timestamp_offset) & 0xFFFFFFFF
        if self.kind == "video":
            if place.picture or self._tl0_offset:
                payload = vp8.shift(payload, place.picture, self._tl0_offset)
            self.history.keep((out, stamp, marker, payload, now))
        if (out - self._sequence) & 0xFFFF < 0x8000:
            self._sequence, self._timestamp, self._sent_at = out, stamp, now
            self._newest, self._frame = payload, timestamp
        self.packets += 1
        self.octets += len(payload)
        self.downlink.send_media(self, marker, out, stamp, payload, now)

    def skip(self, stream: Source, sequence: int) -> None:
        """Closes the gap that a packet without payload would leave in the numbers."""
        if stream is self._shown:
            self._numbering.leave_out(sequence, picture=False)

    def _thins(self, sequence: int, timestamp: int, payload: bytes) -> bool:
        """Leaves a packet out whose frame the link has no room for, and says so. A frame goes whole
        or not at all."""
        descriptor = vp8.read_descriptor(payload)
        begun = timestamp in self._thinned
        if not begun:
            if descriptor.temporal <= self._frames or timestamp == self._frame:
                return False
            if descriptor.synchronises and descriptor.temporal <= self.choice.frames:
                self._frames = descriptor.temporal
                return False
        if self._numbering.leave_out(sequence, picture=not begun) and not begun:
            self._thinned.append(timestamp)
            return True
        return begun

    def _begin(
        self, stream: Source, sequence: int, timestamp: int, payload: bytes, now: float
    ) -> bool:
        """Computes the offsets of a new stream at its first packet that can be decoded by itself;
        False, and a key frame asked for, when this is not one."""
        picture = None
        if self.kind == "video":
            picture = vp8.read_descriptor(payload)
            if not picture.begins_key_frame:
                stream.key_frames.wanted = True
                return False
        if self._started:
            self._timestamp_offset = self._next_timestamp(stream, timestamp, now) - timestamp
            pictures = self._follow_pictures(picture) if picture is not None else 0
            self._numbering.begin(sequence, self._sequence + 1 - sequence, pictures)
        else:  # the first source keeps its numbers: nothing needs to be rewritten
            self._started = True
            self._sequence, self._sent_at = (sequence - 1) & 0xFFFF, now
            self._numbering.begin(sequence, 0, 0)
        self._shown = self._clock = stream
        self._frames = self.choice.frames
        self._thinned.clear()
        self._follow_layers(None)
        return True

    def _next_timestamp(self, stream: Source, timestamp: int, now: float) -> int:
        """What the first packet of a stream is stamped with: when it was taken, by the clock that
        the sizes of one camera share, or else by when it came."""
        elapsed = max(1, int((now - self._sent_at) * CLOCK_RATES[self.kind]))
        clock, lead, self._lead = self._clock, self._lead, 0
        if clock is None or clock is stream or clock.camera is not stream.camera:
            return self._timestamp + elapsed
        if clock.sender_info is None or stream.sender_info is None:
            return self._timestamp + elapsed
        between = (stream.sender_info.ntp - clock.sender_info.ntp) * CLOCK_RATES[self.kind] >> 32
        stamp = timestamp - stream.sender_info.rtp_timestamp + clock.sender_info.rtp_timestamp
        stamp += between + self._timestamp_offset - lead
        step = (stamp - self._timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if abs(step - elapsed) > CLOCK_RATES[self.kind]:
            return self._timestamp + elapsed
        self._lead = max(0, 1 - step)
        return self._timestamp + max(1, step)

    def _follow_pictures(self, picture: vp8.Descriptor) -> int:
        """Sets the offset of TL0PICIDX; returns that of PictureID."""
        try:
            newest = vp8.read_descriptor(self._newest)
        except vp8.Vp8Invalid:
            return 0  # the source before sent nonsense; the key frame stands by itself
        self._tl0_offset = (newest.tl0 + 1 - picture.tl0) & 0xFF if picture.tl0_at >= 0 else 0
        return (newest.picture_id + 1 - picture.picture_id) & 0x7FFF

    def sender_info(self) -> SenderInfo | None:
        """The stream's own clock pair, its RTP time as this slot shifts it."""
        if self._shown is None or self._shown.sender_info is None:
            return None
        info = self._shown.sender_info
        stamp = (info.rtp_timestamp + self._timestamp_offset) & 0xFFFFFFFF
        return SenderInfo(info.ntp, stamp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)
