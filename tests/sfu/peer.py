"""A packet-level peer: real STUN, DTLS and SRTP on a socket of its own, prepared RTP, no codec.

It offers what Chromium offers in little, sends a recorded picture and voice in a loop, and
reports what it receives by transport-wide feedback as a browser does.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import secrets
import socket
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from aioice import stun
from aiortc import RTCCertificate
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder, VpxPayloadDescriptor
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from av import AudioFrame, VideoFrame

from consultations.sfu import rtcp, rtp
from consultations.sfu.feedback import ArrivalLog
from tests.sfu.relay import udp_socket

OPUS, VP8, RTX = 111, 96, 97
MID, LEVEL, SEQUENCE, RID, REPAIRED = 4, 1, 3, 10, 11
FRAME_RATE = 15
FRAMES = 30


@functools.cache
def picture(width: int = 320, height: int = 180) -> list[list[bytes]]:
    """Two seconds of VP8: for each frame its payloads without descriptor; the first is a key
    frame."""
    rng = np.random.default_rng(1)
    texture = rng.integers(60, 190, (height // 20, width // 20, 3), dtype=np.uint8)
    texture = np.kron(texture, np.ones((20, 20, 1), np.uint8))
    encoder = Vp8Encoder()
    frames = []
    for number in range(FRAMES):
        image = np.ascontiguousarray(np.roll(texture, 2 * number, axis=1))
        frame = VideoFrame.from_ndarray(image)
        frame.pts, frame.time_base = number * 90000 // FRAME_RATE, Fraction(1, 90000)
        payloads, _ = encoder.encode(frame, force_keyframe=number == 0)
        frames.append([VpxPayloadDescriptor.parse(payload)[1] for payload in payloads])
    return frames


@functools.cache
def voice() -> list[bytes]:
    """A second of a 440 Hz tone in Opus packets of 20 ms."""
    encoder = OpusEncoder()
    packets = []
    for number in range(50):
        times = np.arange(960) / 48000 + number * 0.02
        wave = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
        frame = AudioFrame.from_ndarray(np.repeat(wave, 2)[np.newaxis], layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960, Fraction(1, 48000)
        packets += encoder.encode(frame)[0]
    return packets


class _Wire:
    """What RTCDtlsTransport asks of an ICE transport, on a plain socket."""

    role = "controlling"
    state = "completed"

    def __init__(self, peer: PacketPeer) -> None:
        self.peer = peer
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def _recv(self) -> bytes:
        data = await self.queue.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        await asyncio.sleep(self.peer.delay)
        for part in self.peer.fragment(data):
            self.peer.send(part)


class PacketPeer:
    """`received` counts packets by slot mid, `repairs` those of repair flows; `packets`, when it
    is a list, keeps (mid, plain RTP). `loses` tells whether a video packet is lost on its way to
    the server. `fragment` cuts what DTLS sends into datagrams."""

    def __init__(self, server: Any, room: str, name: str, *, slots: tuple[int, int] = (5, 6)):
        self.server = server
        self.room = room
        self.name = name
        self.slots = slots
        self.received: Counter[str] = Counter()
        self.packets: list[tuple[str, bytes]] | None = None
        self.key_frames_asked = 0
        self.remb: int | None = None
        self.nacks: list[int] = []
        self.reports = 0
        self.worst_loss = 0.0
        self.repairs = 0
        self.ufrag = secrets.token_hex(4)
        self.certificate = RTCCertificate.generateCertificate()
        self.mids: dict[int, str] = {}
        self.audio_ssrc, self.video_ssrc = secrets.randbits(31), secrets.randbits(31)
        self.address: tuple[str, int] = ("", 0)
        self.stun_answered = asyncio.Event()
        self._socket: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self._log = ArrivalLog()
        self._sequence = 0
        self._audio_sequence = secrets.randbits(16)
        self._video_sequence = secrets.randbits(16)
        self._picture_id = secrets.randbits(15)
        self._loop = asyncio.get_running_loop()
        self._wire = _Wire(self)
        self.dtls = RTCDtlsTransport(self._wire, [self.certificate])  # type: ignore[arg-type]
        self.dtls._set_role("client")
        self.loses: Callable[[], bool] = lambda: False
        self._kept: dict[int, tuple[int, bytes]] = {}
        self._rtx_sequence = 0
        self.nominates = True
        self.delay = 0.0  # seconds before each of its DTLS flights
        self.fragment: Callable[[bytes], list[bytes]] = lambda flight: [flight]

    # Signalling.

    def offer(self) -> str:
        prints = self.certificate.getFingerprints()
        fingerprint = next(f.value for f in prints if f.algorithm == "sha-256")
        audio, video = self.slots
        mids = [str(number) for number in range(audio + video)]
        lines = [
            "v=0",
            "o=- 4611 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            f"a=group:BUNDLE {' '.join(mids)}",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{secrets.token_hex(12)}",
            f"a=fingerprint:sha-256 {fingerprint}",
            "a=setup:actpass",
        ]
        for index in range(audio):
            lines += self._audio_section(mids[index], sends=index == 0)
        for index in range(video):
            lines += self._video_section(mids[audio + index], sends=index == 0)
        return "\r\n".join(lines) + "\r\n"

    def _audio_section(self, mid: str, *, sends: bool) -> list[str]:
        return [
            f"m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}",
            *self._common(mid, OPUS, sends),
            f"a=extmap:{LEVEL} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            f"a=rtpmap:{OPUS} opus/48000/2",
            f"a=fmtp:{OPUS} minptime=10;useinbandfec=1",
            *([f"a=ssrc:{self.audio_ssrc} cname:{self.name}"] if sends else []),
        ]

    def _video_section(self, mid: str, *, sends: bool) -> list[str]:
        return [
            f"m=video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}",
            *self._common(mid, VP8, sends),
            f"a=rtpmap:{VP8} VP8/90000",
            f"a=rtpmap:{RTX} rtx/90000",
            f"a=fmtp:{RTX} apt={VP8}",
            *(f"a=rtcp-fb:{VP8} {what}" for what in ("goog-remb", "ccm fir", "nack", "nack pli")),
            *([f"a=ssrc:{self.video_ssrc} cname:{self.name}"] if sends else []),
        ]

    def _common(self, mid: str, payload_type: int, sends: bool) -> list[str]:
        return [
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a={'sendrecv' if sends else 'recvonly'}",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            f"a=extmap:{MID} urn:ietf:params:rtp-hdrext:sdes:mid",
            f"a=extmap:{SEQUENCE} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            f"a=rtcp-fb:{payload_type} transport-cc",
        ]

    async def enter(self, *, to: tuple[str, int] | None = None) -> None:
        """Joins, checks and shakes hands; returns when media may flow."""
        await self.signal()
        await self.check(to=to)
        await self.shake_hands()

    async def signal(self) -> None:
        answer = await self.server.join(self.room, self.name, self.offer(), send=True, receive=True)
        self.answer = answer
        self.remote_ufrag = _found(r"a=ice-ufrag:(\S+)", answer)
        self.password = _found(r"a=ice-pwd:(\S+)", answer)
        candidate = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer)
        assert candidate
        self.address = candidate[1], int(candidate[2])
        for section in answer.split("\r\nm=")[1:]:
            mid = _found(r"a=mid:(\S+)", section)
            for ssrc in re.findall(r"a=ssrc:(\d+) cname", section):
                self.mids[int(ssrc)] = mid

    async def check(self, *, to: tuple[str, int] | None = None) -> None:
        """Checks a pair from a new socket: the first, or another after a change of network."""
        self.address = to or self.address
        if self._socket is not None:
            self._drop_socket()
        self._socket = udp_socket(self.address[0])
        self._loop.add_reader(self._socket, self._readable)
        self.stun_answered.clear()
        async with asyncio.timeout(5):
            while not self.stun_answered.is_set():
                self.send(self.binding_request())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stun_answered.wait(), 0.2)

    def binding_request(self, *, password: str | None = None) -> bytes:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self.remote_ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLING"] = 1
        if self.nominates:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity((password or self.password).encode())
        return bytes(request)

    async def shake_hands(self) -> None:
        value = _found(r"a=fingerprint:sha-256 (\S+)", self.answer)
        async with asyncio.timeout(10):
            await self.dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", value)]))
        assert self.dtls.state == "connected"
        self._tasks.append(self._loop.create_task(self._keep_alive()))

    async def _keep_alive(self) -> None:
        while True:
            for _ in range(20):
                await asyncio.sleep(0.1)
                for packet in self._log.take(next(iter(self.mids)), self._loop.time()):
                    self.send(self.dtls._tx_srtp.protect_rtcp(packet))
            self.send(self.binding_request())

    # Media.

    def play(self) -> None:
        """Sends the recorded picture and voice until the peer goes."""
        self._tasks.append(self._loop.create_task(self._play_voice()))
        self._tasks.append(self._loop.create_task(self._play_picture()))

    async def _play_voice(self) -> None:
        start = self._loop.time()
        number = 0
        while True:
            self.send_voice(number)
            number += 1
            await asyncio.sleep(max(0, start + number * 0.02 - self._loop.time()))

    async def _play_picture(self) -> None:
        start = self._loop.time()
        number = frame = 0
        while True:
            asked = self.key_frames_asked
            self.send_frame(picture()[frame % FRAMES], number * 90000 // FRAME_RATE)
            number += 1
            await asyncio.sleep(max(0, start + number / FRAME_RATE - self._loop.time()))
            frame = frame + 1 if asked == self.key_frames_asked else 0

    def send_voice(self, number: int) -> None:
        self._audio_sequence = (self._audio_sequence + 1) & 0xFFFF
        payload = voice()[number % 50]
        self.send_media(OPUS, self._audio_sequence, number * 960, self.audio_ssrc, payload, "0")

    def send_frame(self, payloads: list[bytes], timestamp: int) -> None:
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        for index, payload in enumerate(payloads):
            self._video_sequence = (self._video_sequence + 1) & 0xFFFF
            head = bytes([0x80 | (0x10 if index == 0 else 0), 0x80])
            descriptor = head + (0x8000 | self._picture_id).to_bytes(2)
            marker = 0x80 if index == len(payloads) - 1 else 0
            sequence, body = self._video_sequence, descriptor + payload
            self._kept[sequence] = timestamp, body
            self._kept.pop((sequence - 500) & 0xFFFF, None)
            if not self.loses():
                mid = str(self.slots[0])
                self.send_media(VP8 | marker, sequence, timestamp, self.video_ssrc, body, mid)

    def repair(self, ssrc: int, sequence: int) -> None:
        """Answers a NACK on a flow of its own (RFC 4588), known to the server by MID alone."""
        kept = self._kept.get(sequence)
        if kept is not None:
            timestamp, body = kept
            self._rtx_sequence += 1
            again = sequence.to_bytes(2) + body
            self.send_media(RTX, self._rtx_sequence, timestamp, ssrc + 1, again, str(self.slots[0]))

    def send_media(
        self,
        head: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        payload: bytes,
        mid: str,
        rid: str = "",
    ) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        extensions = bytes([SEQUENCE << 4 | 1]) + self._sequence.to_bytes(2)
        extensions += bytes([MID << 4 | (len(mid) - 1)]) + mid.encode()
        extensions += bytes([LEVEL << 4, 0x80 | 30])
        if rid:
            extension = REPAIRED if head & 0x7F == RTX else RID
            extensions += bytes([extension << 4 | (len(rid) - 1)]) + rid.encode()
        extensions += bytes(-len(extensions) % 4)
        block = (0xBEDE << 16 | len(extensions) // 4).to_bytes(4) + extensions
        header = rtp.HEADER.pack(0x90, head, sequence, timestamp & 0xFFFFFFFF, ssrc)
        self.send(self.dtls._tx_srtp.protect(header + block + payload))

    def send(self, data: bytes) -> None:
        if self._socket is not None:
            self._socket.sendto(data, self.address)

    def _readable(self) -> None:
        while self._socket is not None:
            try:
                data = self._socket.recv(2048)
            except BlockingIOError:
                return
            self._take(data)

    def _take(self, data: bytes) -> None:
        if data[0] < 4:
            self.stun_answered.set()
        elif data[0] < 64:
            self._wire.queue.put_nowait(data)
        elif self.dtls._rx_srtp is not None:
            self._media(data)

    def _media(self, data: bytes) -> None:
        if 192 <= data[1] <= 223:
            self._control(self.dtls._rx_srtp.unprotect_rtcp(data))
            return
        plain = self.dtls._rx_srtp.unprotect(data)
        at = rtp.find_extension(plain, SEQUENCE)
        self._log.add(int.from_bytes(plain[at : at + 2]), self._loop.time())
        mid = self.mids[int.from_bytes(plain[8:12])]
        if plain[1] & 0x7F == RTX:
            self.repairs += 1
            return
        self.received[mid] += 1
        if self.packets is not None:
            self.packets.append((mid, plain))

    def _control(self, compound: bytes) -> None:
        for packet in rtcp.walk(compound):
            if packet.packet_type == rtcp.PSFB and packet.variant == rtcp.PLI:
                self.key_frames_asked += 1
            elif packet.packet_type == rtcp.PSFB:
                self.remb = rtcp.remb(packet.body)
            elif packet.packet_type == rtcp.RTPFB and packet.variant == rtcp.NACK:
                lost = list(rtcp.nacked(packet.body))
                self.nacks += lost
                for sequence in lost:
                    self.repair(int.from_bytes(packet.body[4:8]), sequence)
            elif packet.packet_type == rtcp.RR:
                self.reports += 1
                for block in rtcp.report_blocks(packet):
                    self.worst_loss = max(self.worst_loss, block.fraction_lost / 256)

    # Going.

    def fall_silent(self) -> None:
        """Sends no more of its own accord: no media, no feedback, no checks."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def port(self) -> socket.socket:
        """Another hold of its port, which outlives the peer."""
        assert self._socket is not None
        return self._socket.dup()

    def kill(self) -> None:
        """Goes without a word, as a dead device does."""
        self.fall_silent()
        if self.dtls._task is not None:
            self.dtls._task.cancel()
        if self._socket is not None:
            self._drop_socket()

    async def leave(self) -> None:
        """Ends as a closed page does, with close_notify."""
        self.fall_silent()
        await self.dtls.stop()
        self.kill()

    def _drop_socket(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = None


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, pattern
    return match[1]
