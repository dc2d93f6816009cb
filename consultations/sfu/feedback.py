"""Transport-wide congestion control feedback, written and read.

draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1. Times are seconds on the
caller's clock; on the wire they count 250 µs ticks from a reference of 64 ms steps.
"""

from __future__ import annotations

import struct

from .rtcp import OUR_SSRC, RTPFB, TRANSPORT_FEEDBACK

TICK = 0.00025
REFERENCE = 0.064
MAX_PACKETS = 400
MAX_REPORTED = 4096
# How long a picture is waited for, where one came in the last second.
WAIT_SECONDS, PICTURE_SECONDS = 0.4, 1.0
NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA = 0, 1, 2


class FeedbackInvalid(ValueError):
    """A feedback message that ends before what it announces."""


class ArrivalLog:
    """The arrivals that have not been reported to a publisher yet.

    Of a message Chromium takes the packets of a stream that are lost after the last one received
    for ones that the receiver cannot miss yet, and sends them again by itself. Where a link
    collapses voices get through and pictures do not: it would send the pictures of before once
    more, for seconds, into a way that is full. So a message ends where nothing is lost after its
    newest picture.
    """

    def __init__(self) -> None:
        self._arrivals: list[tuple[int, float]] = []
        self._picture = 0  # the newest number of one
        self._picture_at = float("-inf")
        self._newest: int | None = None
        self._reported: int | None = None
        self._count = 0

    def __len__(self) -> int:
        return len(self._arrivals)

    def add(self, sequence: int, now: float, *, of_picture: bool = False) -> None:
        """Notes an arrival by its 16-bit transport-wide sequence number."""
        newest = self._newest
        if newest is None:
            self._newest = unwrapped = sequence + 0x10000
        else:
            unwrapped = newest + ((sequence - newest + 0x8000) & 0xFFFF) - 0x8000
            if unwrapped > newest:
                self._newest = unwrapped
        self._arrivals.append((unwrapped, now))
        if of_picture:
            self._picture, self._picture_at = max(self._picture, unwrapped), now

    def take(self, media_ssrc: int, now: float) -> list[bytes]:
        """RTCP packets that report what was noted, but for what a picture is waited for."""
        noted = sorted(self._arrivals)
        end = self._reported_until(noted, now)
        arrivals, self._arrivals = noted[:end], noted[end:]
        packets = []
        position = 0
        while position < len(arrivals):
            part, position = _reportable(arrivals, position)
            packets.append(_write(self._begin(part), part, media_ssrc, self._count & 0xFF))
            self._count += 1
        return packets

    def _reported_until(self, arrivals: list[tuple[int, float]], now: float) -> int:
        if now - self._picture_at > PICTURE_SECONDS:
            return len(arrivals)
        before = self._picture
        for position, (sequence, at) in enumerate(arrivals):
            if sequence > before + 1 and now - at < WAIT_SECONDS:
                return position
            before = max(before, sequence)
        return len(arrivals)

    def _begin(self, part: dict[int, float]) -> int:
        """The first number to report: also what was lost between two messages counts."""
        first, last = next(iter(part)), next(reversed(part))
        after = first if self._reported is None else self._reported + 1
        self._reported = max(last, after - 1)
        return after if after < first and last - after < MAX_PACKETS else first


def _reportable(arrivals: list[tuple[int, float]], start: int) -> tuple[dict[int, float], int]:
    """As many arrivals as one message can carry: by number and by the reach of a delta."""
    base, previous = arrivals[start]
    part = {base: previous}
    position = start + 1
    while position < len(arrivals):
        sequence, time = arrivals[position]
        if sequence - base >= MAX_PACKETS or abs(time - previous) > 8:
            break
        if sequence not in part:
            part[sequence] = previous = time
        position += 1
    return part, position


def _write(base: int, part: dict[int, float], media_ssrc: int, count: int) -> bytes:
    first, last = next(iter(part)), next(reversed(part))
    reference = int(part[first] / REFERENCE)
    clock = reference * round(REFERENCE / TICK)
    symbols, deltas = [], bytearray()
    for sequence in range(base, last + 1):
        time = part.get(sequence)
        if time is None:
            symbols.append(NOT_RECEIVED)
            continue
        ticks = round(time / TICK)
        delta, clock = ticks - clock, ticks
        if 0 <= delta <= 255:
            symbols.append(SMALL_DELTA)
            deltas.append(delta)
        else:
            symbols.append(LARGE_DELTA)
            deltas += struct.pack("!h", max(-32768, min(32767, delta)))
    body = struct.pack("!LLHH", OUR_SSRC, media_ssrc, base & 0xFFFF, len(symbols))
    body += struct.pack("!L", (reference & 0xFFFFFF) << 8 | count) + _chunks(symbols) + deltas
    padding = -len(body) % 4
    if padding:
        body += bytes(padding - 1) + bytes([padding])
    head = 0x80 | (0x20 if padding else 0) | TRANSPORT_FEEDBACK
    return struct.pack("!BBH", head, RTPFB, len(body) // 4) + body


def _chunks(symbols: list[int]) -> bytes:
    """Run lengths where seven or more are equal, two-bit vectors elsewhere."""
    out = bytearray()
    position, total = 0, len(symbols)
    while position < total:
        symbol = symbols[position]
        run = 1
        while position + run < total and symbols[position + run] == symbol:
            run += 1
        if run >= 7:
            out += struct.pack("!H", symbol << 13 | run)
            position += run
            continue
        word = 0xC000
        for index, value in enumerate(symbols[position : position + 7]):
            word |= value << (12 - 2 * index)
        out += struct.pack("!H", word)
        position += 7
    return bytes(out)


def read(body: bytes) -> list[tuple[int, float | None]]:
    """(sequence number, arrival) of each packet reported; arrival None when it was lost.

    `body` is the RTCP packet's, without padding. Arrivals are on the viewer's clock, modulo the
    24-bit reference (about 12 days). Raises FeedbackInvalid.
    """
    if len(body) < 18:
        raise FeedbackInvalid("too short")
    base, total = struct.unpack_from("!HH", body, 8)
    if total > MAX_REPORTED:
        raise FeedbackInvalid("reports more than can be on its way")
    reference = struct.unpack_from("!L", body, 12)[0] >> 8
    symbols, position = _read_chunks(body, total)
    ticks = reference * round(REFERENCE / TICK)
    report: list[tuple[int, float | None]] = []
    for index, symbol in enumerate(symbols):
        sequence = (base + index) & 0xFFFF
        if symbol == NOT_RECEIVED:
            report.append((sequence, None))
            continue
        size = 1 if symbol == SMALL_DELTA else 2
        if position + size > len(body):
            raise FeedbackInvalid("deltas past the end")
        ticks += int.from_bytes(body[position : position + size], signed=size == 2)
        position += size
        report.append((sequence, ticks * TICK))
    return report


def _read_chunks(body: bytes, total: int) -> tuple[list[int], int]:
    symbols: list[int] = []
    position = 16
    while len(symbols) < total:
        if position + 2 > len(body):
            raise FeedbackInvalid("status past the end")
        word = body[position] << 8 | body[position + 1]
        position += 2
        if not word & 0x8000:
            symbols += [min(word >> 13, LARGE_DELTA)] * min(word & 0x1FFF, total - len(symbols))
            if not word & 0x1FFF:
                raise FeedbackInvalid("empty run")
        elif word & 0x4000:
            symbols += [min(word >> shift & 3, LARGE_DELTA) for shift in range(12, -1, -2)]
        else:
            symbols += [word >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:total], position
