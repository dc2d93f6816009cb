"""A packet-level peer whose camera comes in several sizes, when it is asked for them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from tests.sfu.peer import RID, RTX, VP8, PacketPeer

RIDS = ("q", "h", "f")
RATE = 30
REPAIRED_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
SIMULCAST = (
    f"a=extmap:{RID} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    f"a=extmap:{RID + 1} {REPAIRED_URI}",
    *(f"a=rid:{rid} send" for rid in RIDS),
    "a=simulcast:send q;h;f",
)


def vp8(picture: int, tl0: int, temporal: int, *, first: bool, key: bool, sync: bool) -> bytes:
    """A descriptor with all its numbers, and the first byte of the frame's header."""
    head = bytes([0x90 if first else 0x80, 0xE0]) + (0x8000 | picture).to_bytes(2)
    return head + bytes([tl0, temporal << 6 | sync << 5, 0 if key else 1])


class Stream:
    """One size: frames of so many bits a second, every second one in a higher temporal layer. Each
    payload ends with the rid."""

    def __init__(self, peer: LayeredPeer, rid: str, mid: str) -> None:
        self.peer, self.rid, self.mid = peer, rid, mid
        self.ssrc = secrets.randbits(30) << 1
        self.sequence, self.picture = secrets.randbits(16), secrets.randbits(15)
        self.tl0 = secrets.randbits(8)
        self.stamp = secrets.randbits(32)
        self.key_frame_at = -1
        self.kept: dict[int, tuple[int, bytes]] = {}

    def shoot(self, number: int, bits: int) -> None:
        key = self.key_frame_at < self.peer.key_frames_asked
        self.key_frame_at = self.peer.key_frames_asked
        temporal = 0 if key else number % 2
        self.picture = (self.picture + 1) & 0x7FFF
        self.tl0 = (self.tl0 + (not temporal)) & 0xFF
        stamp = (self.stamp + number * 90000 // RATE) & 0xFFFFFFFF
        packets = bits // 8 // RATE // 1000 + 1
        size = max(10, bits // 8 // RATE // packets)
        for index in range(packets):
            self.sequence = (self.sequence + 1) & 0xFFFF
            head = vp8(
                self.picture, self.tl0, temporal, first=not index, key=key, sync=number % 4 == 1
            )
            body = head + bytes(size) + (self.rid or "-").encode()
            self.kept[self.sequence] = stamp, body
            self.kept.pop((self.sequence - 300) & 0xFFFF, None)
            marker = 0x80 if index == packets - 1 else 0
            if not self.peer.loses():
                self.peer.send_media(
                    VP8 | marker, self.sequence, stamp, self.ssrc, body, self.mid, self.rid
                )


class LayeredPeer(PacketPeer):
    """`sizes` is what its room has asked for; meanwhile it sends one stream, as much as REMB lets
    it."""

    def __init__(self, server: Any, room: str, name: str) -> None:
        super().__init__(server, room, name)
        self.sizes: Mapping[str, int] = {}
        self.layered_mid = str(self.slots[0] + 2)
        self.streams = {rid: Stream(self, rid, self.layered_mid) for rid in RIDS}
        self.streams[""] = Stream(self, "", str(self.slots[0]))
        self.streams[""].ssrc = self.video_ssrc

    def _video_section(self, mid: str, *, sends: bool) -> list[str]:
        if mid != self.layered_mid:
            return super()._video_section(mid, sends=sends)
        lines = super()._video_section(mid, sends=True)
        return [*(line for line in lines if not line.startswith("a=ssrc:")), *SIMULCAST]

    async def _play_picture(self) -> None:
        start = self._loop.time()
        number = 0
        while True:
            for rid, bits in (self.sizes or {"": min(self.remb or 300_000, 1_500_000)}).items():
                self.streams[rid].shoot(number, bits)
            number += 1
            await asyncio.sleep(max(0, start + number / RATE - self._loop.time()))

    def repair(self, ssrc: int, sequence: int) -> None:
        stream = next(stream for stream in self.streams.values() if stream.ssrc == ssrc)
        if sequence in stream.kept:
            stamp, body = stream.kept[sequence]
            self._rtx_sequence += 1
            again = sequence.to_bytes(2) + body
            self.send_media(RTX, self._rtx_sequence, stamp, ssrc + 1, again, stream.mid, stream.rid)
