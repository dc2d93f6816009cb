"""Recorded packets put back in order, and into pictures (RFC 7741): nothing is decoded."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from .record import RecordedPacket
from .vp8 import Vp8Invalid

PATIENCE = 1.5  # seconds that a late packet is waited for; repairs come within one


def split(payload: bytes) -> tuple[bool, bytes]:
    """Whether a VP8 payload begins a frame, and what follows its descriptor; raises Vp8Invalid."""
    try:
        first, at = payload[0], 1
        if first & 0x80:
            flags, at = payload[1], 2
            if flags & 0x80:
                at += 2 if payload[at] & 0x80 else 1
            at += bool(flags & 0x40) + bool(flags & 0x30)
    except IndexError:
        raise Vp8Invalid("descriptor past the end") from None
    if at >= len(payload):
        raise Vp8Invalid("nothing after the descriptor")
    return first & 0x17 == 0x10, payload[at:]


@dataclass
class Unwrapped:
    """A counter of so many bits that starts again at nought."""

    bits: int
    last: int | None = None

    def __call__(self, value: int) -> int:
        if self.last is None:
            self.last = value
            return value
        half = 1 << (self.bits - 1)
        step = (value - self.last + half) % (1 << self.bits) - half
        self.last += step
        return self.last


def key_frame_size(payload: bytes) -> tuple[int, int] | None:
    """Width and height, where an RTP payload begins a VP8 key frame (RFC 6386, section 9.1)."""
    try:
        begins, body = split(payload)
    except Vp8Invalid:
        return None
    if not begins or len(body) < 10 or body[0] & 1 or body[3:6] != b"\x9d\x01\x2a":
        return None
    width = int.from_bytes(body[6:8], "little") & 0x3FFF
    return width, int.from_bytes(body[8:10], "little") & 0x3FFF


class InOrder:
    """A track's packets by sequence number: waits ``PATIENCE`` for what is missing."""

    def __init__(self) -> None:
        self._unwrap = Unwrapped(16)
        self._waiting: list[tuple[int, float, RecordedPacket]] = []
        self._next: int | None = None

    def add(self, packet: RecordedPacket) -> Iterator[tuple[int, RecordedPacket]]:
        sequence = self._unwrap(packet.sequence)
        if self._next is None or sequence >= self._next:
            heapq.heappush(self._waiting, (sequence, packet.arrival, packet))
        yield from self._due(packet.arrival - PATIENCE)

    def rest(self) -> Iterator[tuple[int, RecordedPacket]]:
        yield from self._due(float("inf"))

    def _due(self, waited_since: float) -> Iterator[tuple[int, RecordedPacket]]:
        while self._waiting:
            sequence, arrival, packet = self._waiting[0]
            if sequence != self._next and arrival > waited_since and self._next is not None:
                return
            heapq.heappop(self._waiting)
            if self._next is None or sequence >= self._next:
                self._next = sequence + 1
                yield sequence, packet


class Pictures:
    """VP8 frames put together from a track's packets in order (RFC 7741)."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._expected: int | None = None
        self._timestamp: int | None = None
        self._broken = True  # until a key frame

    def add(self, sequence: int, packet: RecordedPacket) -> tuple[int, bytes, bool] | None:
        """A whole frame with its time stamp and whether it is a key frame, when this ends one."""
        if sequence != self._expected:
            self._parts, self._broken = [], True
        self._expected = sequence + 1
        try:
            begins, body = split(packet.payload)
        except Vp8Invalid:
            self._broken = True
            return None
        if begins:
            self._parts, self._timestamp = [body], packet.timestamp
            if body and not body[0] & 1:
                self._broken = False
        elif not self._parts or packet.timestamp != self._timestamp:
            self._parts, self._broken = [], True
        else:
            self._parts.append(body)
        if not packet.marker or self._broken or not self._parts:
            return None
        frame = b"".join(self._parts)
        self._parts = []
        return packet.timestamp, frame, not frame[0] & 1
