"""One peer: what it publishes, what it watches, and its side of every RTCP conversation."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from . import feedback, layers, rtcp, rtp, sdp
from .answer import Outgoing, has_transport_feedback
from .config import MediaConfig
from .downlink import REPEAT_REPAIR_SECONDS, Downlink
from .events import Appetite, SdpRefused, SourceKind
from .feedback import ArrivalLog
from .forward import SlotSender
from .limits import Allowance
from .rtp import RtpInvalid
from .source import Source, Tap
from .transport import Transport, TransportOwner
from .vp8 import Vp8Invalid

if TYPE_CHECKING:
    from .sdp import Offer, Section

FEEDBACK_INTERVAL = 0.08
ASK_INTERVAL = 0.005  # while something is missing: each wait of its repairs begins with a request
SPEECH_GAP = 0.5
MAX_UNKNOWN_SSRCS = 64
MAX_NACKED = 256
RTCP_BYTES_A_TOKEN = 200  # a datagram can be filled with requests
# A voice is sent on at once, past every queue, so it may not be more than a voice: three times what
# the answer allows Opus, each packet with its headers counted as 100 bytes more.
VOICE_RATE, VOICE_BURST, VOICE_PACKET = 32_000, 64_000, 100


@dataclass(frozen=True)
class Callbacks:
    """What a peer tells its owner; `disconnected` says why."""

    connected: Callable[[], None]
    disconnected: Callable[[Peer, str], None]
    path_changed: Callable[[], None]
    new_source: Callable[[], None]
    data: Callable[[bytes | str], None]


class Peer:
    """A participant's session in a room. The room decides who is shown in which slot.

    `connect` makes the session's transport, which reports to this peer. `session` names it: no
    other session has that name, of the same participant or of another.
    """

    def __init__(
        self,
        peer_id: str,
        connect: Callable[[TransportOwner], Transport],
        callbacks: Callbacks,
        config: MediaConfig,
    ) -> None:
        self.peer_id = peer_id
        self.session = secrets.token_hex(8)
        self.transport = connect(self)
        self.downlink = Downlink(self.transport, config.start_bitrate, config.max_bitrate)
        self.sources: dict[str, Source] = {}
        self.slots: dict[str, SlotSender] = {}
        self.may_send = False
        self.may_receive = False
        self.appetite: Appetite = "all"
        self.silent_since: float | None = None
        self.signalled = 0.0  # when its signalling last spoke for it
        self.loudness = 0.0
        self.uplink_loss = 0.0
        self._tap: Tap | None = None
        self._callbacks = callbacks
        self._by_ssrc: dict[int, Source] = {}
        self._slot_by_ssrc: dict[int, SlotSender] = {}
        self._arrivals = ArrivalLog()
        self._control = Allowance(rate=300, burst=600)
        self._counts = self.transport.mux.counts
        self._voice = Allowance(rate=VOICE_RATE, burst=VOICE_BURST)
        self._sequence_extension = 0
        self._level_extension = 0
        self._mid_extension = 0
        self._rid_extension = 0
        self._repaired_rid_extension = 0
        self._feedback_at = 0.0
        self._reports_at = 0.0
        self._asking: asyncio.TimerHandle | None = None

    @property
    def state(self) -> str:
        """How far the session is: checking, handshake, connected, or silent."""
        if self.transport.ready:
            return "connected" if self.silent_since is None else "silent"
        return "handshake" if self.transport.shaking_hands else "checking"

    def silence(self, now: float, config: MediaConfig) -> tuple[float, bool]:
        """When something of it was last heard, and whether that is too long ago."""
        heard = max(self.transport.heard, self.transport.ice.last_check)
        if self._sent_media_before(heard):
            return heard, now - heard > config.silence_seconds
        if now - heard > config.idle_silence_seconds or not self.signalled:
            return heard, now - heard > config.idle_silence_seconds
        newest = max(heard, self.signalled)
        return newest, now - newest > config.signal_silence_seconds

    def _sent_media_before(self, heard: float) -> bool:
        """Whether media were coming until shortly before the last sign of life."""
        latest = max((s.last_packet for s in self.streams), default=float("-inf"))
        return latest > heard - 1.5

    def record(self, tap: Tap | None) -> None:
        """Taps everything that the peer sends, now and later; None ends it before the next
        packet."""
        if tap == self._tap:
            return
        self._tap = tap
        for stream in self.streams:
            stream.tap = None
        if tap is not None:
            for source in self.sources.values():
                source.tap = tap
                source.key_frames.wanted |= source.is_video

    def tap_largest(self, now: float) -> Source | None:
        """Of a camera the largest size that comes is recorded; returns it where that is another
        than before."""
        camera = self.camera
        if self._tap is None or camera is None:
            return None
        stream = layers.present(camera, len(camera.layers), now)
        if stream.tap is not None:
            return None
        for size in (camera, *camera.layers):
            size.tap = None
        stream.tap = self._tap
        stream.key_frames.wanted = True
        return stream

    @property
    def streams(self) -> Iterator[Source]:
        """All that may come from the peer: each source, and the sizes of a camera."""
        for source in self.sources.values():
            yield source
            yield from source.layers

    @property
    def camera(self) -> Source | None:
        return next((s for s in self.sources.values() if s.kind == "video"), None)

    # Negotiation.

    def negotiated(self, offer: Offer) -> dict[str, Outgoing]:
        """Takes an offer's sections over; returns the SSRCs of each receive slot.

        Raises SdpRefused when this and earlier offers name more sections than one may.
        """
        mids = {section.mid for section in offer.sections}
        if len(mids | self.sources.keys() | self.slots.keys()) > sdp.MAX_SECTIONS:
            raise SdpRefused("malformed", "too many media sections over time")
        outgoing: dict[str, Outgoing] = {}
        videos = 0
        rank = {"audio": 0, "video": 0}
        for section in offer.sections:
            if section.rejected or section.kind == "application":
                continue
            if section.client_sends:
                kind: SourceKind = "audio" if section.kind == "audio" else "video"
                if kind == "video":
                    videos += not section.layers
                    kind = "video" if videos == 1 else "screen"
                if section.layers:
                    self._publish_layers(section)
                else:
                    self._publish(section, kind)
            if section.client_receives:
                outgoing[section.mid] = self._subscribe(section, rank[section.kind])
                rank[section.kind] += 1
            self._learn_extensions(section)
        return outgoing

    def _learn_extensions(self, section: Section) -> None:
        if has_transport_feedback(section):
            self._sequence_extension = section.extensions[sdp.TWCC]
            self.downlink.sequence_extension = self._sequence_extension
        elif sdp.ABS_SEND_TIME in section.extensions and not self._sequence_extension:
            self.downlink.time_extension = section.extensions[sdp.ABS_SEND_TIME]
        self._mid_extension = section.extensions.get(sdp.MID, self._mid_extension)
        self._level_extension = section.extensions.get(sdp.AUDIO_LEVEL, self._level_extension)

    def _publish(self, section: Section, kind: SourceKind) -> None:
        source = self.sources.get(section.mid)
        if source is None:
            source = Source(self.peer_id, section.mid, kind, section.payload_type)
            source.open = self.may_send
            source.tap = self._tap
            source.on_loss = self._ask_soon
            self.sources[section.mid] = source
        source.payload_type = section.payload_type
        if section.ssrc is not None:
            self._bind(source, section.ssrc, repair=False)
        if section.rtx_ssrc is not None:
            self._bind(source, section.rtx_ssrc, repair=True)

    def _publish_layers(self, section: Section) -> None:
        """Takes a section up that sends the camera in several sizes; which stream is which its
        packets tell."""
        camera = self.camera
        if camera is None or section.mid in self.sources:
            return
        for rid in section.layers[len(camera.layers) :]:
            layer = Source(
                self.peer_id, section.mid, "video", section.payload_type, rid=rid, camera=camera
            )
            layer.open = camera.open
            layer.on_loss = self._ask_soon
            camera.layers.append(layer)
        for layer in camera.layers:
            layer.payload_type = section.payload_type
        self._rid_extension = section.extensions[sdp.RID]
        self._repaired_rid_extension = section.extensions.get(sdp.REPAIRED_RID, 0)

    def _bind(self, source: Source, ssrc: int, *, repair: bool) -> None:
        if repair:
            source.rtx_ssrc = ssrc
        elif source.ssrc != ssrc:
            source.begin(ssrc)
        self._by_ssrc[ssrc] = source

    def _subscribe(self, section: Section, rank: int) -> Outgoing:
        slot = self.slots.get(section.mid)
        if slot is None:
            ssrc = secrets.randbits(30) << 1 | 0x80000000
            slot = SlotSender(self.downlink, section.mid, section.kind, ssrc, ssrc + 1)  # type: ignore[arg-type]
            slot.stream = f"slot{rank}"
            slot.pause(not self.transport.ready)
            self.slots[section.mid] = slot
            self._slot_by_ssrc[slot.ssrc] = self._slot_by_ssrc[slot.rtx_ssrc] = slot
        slot.payload_type = section.payload_type
        slot.rtx_payload_type = section.rtx_payload_type
        return Outgoing(slot.ssrc, slot.rtx_ssrc, slot.stream)

    # What the transport reports.

    def connected(self, seconds: float) -> None:
        self.downlink.begin(seconds)
        for slot in self.slots.values():
            slot.pause(False)
        self._callbacks.connected()

    def disconnected(self, reason: str) -> None:
        self._callbacks.disconnected(self, reason)

    def path_changed(self) -> None:
        self._callbacks.path_changed()

    def on_data(self, message: bytes | str) -> None:
        self._callbacks.data(message)

    def on_rtp(self, data: bytes, now: float) -> None:
        """The hot path: one authentic RTP packet from this peer."""
        try:
            _, head, sequence, timestamp, ssrc = rtp.HEADER.unpack_from(data)
            number_at, level_at, start = rtp.locate(
                data, self._sequence_extension, self._level_extension
            )
            source = self._by_ssrc.get(ssrc) or self._learn_source(data, head & 0x7F, ssrc)
            if number_at > 0 and self._sequence_extension:
                number = data[number_at] << 8 | data[number_at + 1]
                is_picture = source is not None and source.is_video and source.ssrc == ssrc
                self._arrivals.add(number, now, of_picture=is_picture)
            if source is None:
                self.transport.mux.dropped("unknown_ssrc")
            elif source.ssrc == ssrc:
                before = source.last_packet
                if source.kind == "audio":
                    if not self._voice.allows(now, len(data) + VOICE_PACKET):
                        self.transport.mux.dropped("voice_rate")
                        return
                    if level_at > 0:
                        self._hear(127 - (data[level_at] & 0x7F))  # from -dBov to rising loudness
                source.receive(data, start, head & 0x80, sequence, timestamp, now)
                if now - before > 1.0:
                    self._callbacks.new_source()
            elif source.rtx_ssrc == ssrc:
                source.receive_repair(data, start, head & 0x80, timestamp, now)
        except (RtpInvalid, Vp8Invalid):
            self.transport.mux.dropped("rtp_invalid")

    def _hear(self, level: int) -> None:
        self.loudness += (level - self.loudness) * (0.3 if level > self.loudness else 0.03)

    def forget_speech(self, now: float) -> None:
        """Lets the loudness fade while discontinuous transmission sends nothing."""
        voices = (s.last_packet for s in self.sources.values() if s.kind == "audio")
        if now - max(voices, default=0.0) > SPEECH_GAP:
            self.loudness *= 0.8

    def _learn_source(self, data: bytes, payload_type: int, ssrc: int) -> Source | None:
        """Binds a stream that was not announced in SDP, by its MID extension (RFC 8843) or, where a
        section has several, by its RID (RFC 8852)."""
        if not self._mid_extension or len(self._by_ssrc) >= MAX_UNKNOWN_SSRCS:
            return None
        mid = _text(data, self._mid_extension)
        source = self.sources.get(mid)
        if source is not None:
            self._bind(source, ssrc, repair=payload_type != source.payload_type)
            return source
        return self._learn_layer(data, payload_type, ssrc, mid)

    def _learn_layer(self, data: bytes, payload_type: int, ssrc: int, mid: str) -> Source | None:
        layers = self.camera.layers if self.camera is not None else []
        if not layers or layers[0].mid != mid:
            return None
        repair = payload_type != layers[0].payload_type
        extension = self._repaired_rid_extension if repair else self._rid_extension
        rid = _text(data, extension) if extension else ""
        layer = next((layer for layer in layers if layer.rid == rid), None)
        if layer is not None:
            self._bind(layer, ssrc, repair=repair)
        return layer

    # RTCP from the peer.

    def on_rtcp(self, data: bytes, now: float) -> None:
        if not self._control.allows(now, 1 + len(data) / RTCP_BYTES_A_TOKEN):
            self.transport.mux.dropped("rtcp_rate")
            return
        for packet in rtcp.walk(data):
            if packet.packet_type == rtcp.RTPFB:
                self._transport_layer_feedback(packet, now)
            elif packet.packet_type == rtcp.PSFB:
                self._payload_feedback(packet, now)
            elif packet.packet_type in (rtcp.SR, rtcp.RR):
                self._reports(packet, now)

    def _transport_layer_feedback(self, packet: rtcp.Packet, now: float) -> None:
        if packet.variant == rtcp.TRANSPORT_FEEDBACK:
            try:
                report = feedback.read(packet.body)
            except feedback.FeedbackInvalid:
                self.transport.mux.dropped("feedback_invalid")
            else:
                self._counts["lost_down"] += sum(arrival is None for _, arrival in report)
                self.downlink.estimator.feedback(report, now)
        elif packet.variant == rtcp.NACK and len(packet.body) >= 12:
            slot = self._slot_by_ssrc.get(int.from_bytes(packet.body[4:8]))
            if slot is not None:
                for number in islice(rtcp.nacked(packet.body), MAX_NACKED):
                    self._counts["nacked_down"] += 1
                    self.downlink.resend(slot, number, now)

    def _payload_feedback(self, packet: rtcp.Packet, now: float) -> None:
        if packet.variant in (rtcp.PLI, rtcp.FIR):
            for ssrc in rtcp.media_ssrcs(packet):
                slot = self._slot_by_ssrc.get(ssrc)
                if slot is not None and slot.source is not None:
                    self._counts["key_frames_down"] += 1
                    slot.ask_for_key_frame(now)
        elif packet.variant == rtcp.APPLICATION_LAYER:
            bitrate = rtcp.remb(packet.body)
            if bitrate is not None:
                self.downlink.estimator.remb(bitrate)

    def _reports(self, packet: rtcp.Packet, now: float) -> None:
        if packet.packet_type == rtcp.SR:
            parsed = rtcp.sender_info(packet)
            source = self._by_ssrc.get(parsed[0]) if parsed else None
            if parsed and source is not None and source.ssrc == parsed[0]:
                source.note_sender_info(parsed[1], now)
        for block in rtcp.report_blocks(packet):
            slot = self._slot_by_ssrc.get(block.ssrc)
            if slot is None or slot.ssrc != block.ssrc:
                continue
            if slot.kind == "audio":
                self.downlink.audio_loss = block.fraction_lost / 256
            self.downlink.estimator.note_loss(block.fraction_lost / 256)
            middle, sent = slot.report_sent
            if middle and block.last_report == middle:
                self.downlink.estimator.note_round_trip(now - sent - block.delay / 65536)

    def close(self) -> None:
        """Ends what waits, and the circles that the peer would be held in; the transport is closed
        by who made it."""
        self.downlink.close()
        if self._asking is not None:
            self._asking.cancel()
        for source in self.streams:
            source.on_loss = None

    # What is due from time to time.

    def tick(self, now: float) -> None:
        """Sends the RTCP that is due; called some fifty times a second."""
        self.transport.refill(now)
        if not self.transport.ready:
            return
        if self._arrivals and now - self._feedback_at >= FEEDBACK_INTERVAL:
            self._feedback_at = now
            ssrc = next(iter(self._by_ssrc), 0)
            for packet in self._arrivals.take(ssrc, now):
                self.transport.send_rtcp(packet)
        for source in self.streams:
            if source.ssrc is not None and source.key_frames.due(now, self.downlink.estimator.path):
                self._counts["key_frames_up"] += 1
                self.transport.send_rtcp(rtcp.write_pli(source.ssrc))
        if now - self._reports_at >= 1.0:
            self._reports_at = now
            self._send_reports(now)

    def _ask_soon(self) -> None:
        if self._asking is None:
            self._asking = asyncio.get_running_loop().call_later(ASK_INTERVAL, self._ask)

    def _ask(self) -> None:
        """Asks for what is missing, and comes back while anything is."""
        self._asking = None
        now, again = self.transport.mux.now(), False
        for source in self.streams:
            if source.ssrc is not None and source.has_losses:
                self._ask_for_losses(source, source.ssrc, now)
                again = again or source.has_losses
        if again:
            self._ask_soon()

    def _ask_for_losses(self, source: Source, ssrc: int, now: float) -> None:
        lost = source.losses_to_ask_for(now, self.downlink.estimator.round_trip)
        if lost:
            self._counts["nacked_up"] += len(lost)
            self.transport.send_rtcp(rtcp.write_nack(ssrc, lost))
            if self.downlink.lossy(now):  # a request that is lost costs a round trip more
                self.transport.repeat_later(REPEAT_REPAIR_SECONDS)

    def _send_reports(self, now: float) -> None:
        blocks = [
            block
            for source in self.streams
            if (block := source.report(now, self.viewers_audio_loss(source))) is not None
        ]
        self._counts["lost_up"] += sum(source.lost_lately for source in self.streams)
        self.uplink_loss = max((source.loss for source in self.streams), default=0.0)
        compound = rtcp.write_receiver_report(blocks)
        for slot in self.slots.values():
            info = slot.sender_info()
            if info is not None:
                compound += rtcp.write_sender_report(slot.ssrc, info, slot.stream)
                slot.report_sent = info.ntp >> 16 & 0xFFFFFFFF, now
        self.transport.send_rtcp(compound)

    def viewers_audio_loss(self, source: Source) -> float:
        """The worst loss that a listener of this source reports."""
        return max((slot.downlink.audio_loss for slot in source.slots), default=0.0)


def _text(data: bytes, extension: int) -> str:
    """The value of a header extension as a name, "" when it is absent. Raises RtpInvalid."""
    return (rtp.extension_value(data, extension) or b"").decode("ascii", "replace")
