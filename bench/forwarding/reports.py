"""RTCP as Chromium's receiving end writes it, from the arrivals that the load noted."""

import struct
from collections.abc import Iterator

import numpy as np

RTPFB, PSFB, SR, RR = 205, 206, 200, 201
TICK = 0.00025
NTP_EPOCH = 2_208_988_800


def transport_feedback(numbers: np.ndarray, times: np.ndarray, ssrc: int, count: int) -> bytes:
    """draft-holmer-rmcat-transport-wide-cc-extensions-01 for 16-bit `numbers` that came at
    `times` (seconds)."""
    first = int(numbers[0])
    unwrapped = first + ((numbers.astype(np.int64) - first + 0x8000) & 0xFFFF) - 0x8000
    unwrapped, where = np.unique(unwrapped, return_index=True)
    ticks = np.round(times[where] / TICK).astype(np.int64)
    reference = int(ticks[0]) >> 8
    deltas = np.diff(ticks, prepend=reference << 8)
    small = (deltas >= 0) & (deltas <= 255)
    total = int(unwrapped[-1] - unwrapped[0]) + 1
    if total == len(unwrapped) and small.all():
        chunks = struct.pack("!H", 1 << 13 | total)
        coded = deltas.astype(np.uint8).tobytes()
    else:
        symbols = np.zeros(-(-total // 7) * 7, np.int64)
        symbols[unwrapped - unwrapped[0]] = np.where(small, 1, 2)
        words = (symbols.reshape(-1, 7) << np.arange(12, -1, -2)).sum(axis=1) | 0xC000
        chunks = words.astype(">u2").tobytes()
        coded = b"".join(
            struct.pack("!B", d) if 0 <= d <= 255 else struct.pack("!h", max(-32768, min(32767, d)))
            for d in deltas.tolist()
        )
    body = struct.pack("!LLHH", 1, ssrc, int(unwrapped[0]) & 0xFFFF, total)
    body += struct.pack("!L", (reference & 0xFFFFFF) << 8 | count & 0xFF) + chunks + coded
    padding = -len(body) % 4
    if padding:
        body += bytes(padding - 1) + bytes([padding])
    return _packet(15, RTPFB, body, padded=bool(padding))


def nack(ssrc: int, sequence: int) -> bytes:
    return _packet(1, RTPFB, struct.pack("!LLHH", 1, ssrc, sequence, 0))


def remb(bitrate: int, ssrcs: list[int]) -> bytes:
    exponent = max(0, bitrate.bit_length() - 18)
    mantissa = bitrate >> exponent
    head = bytes([len(ssrcs), exponent << 2 | mantissa >> 16, mantissa >> 8 & 255, mantissa & 255])
    body = struct.pack("!LL", 1, 0) + b"REMB" + head + struct.pack(f"!{len(ssrcs)}L", *ssrcs)
    return _packet(15, PSFB, body)


def receiver_report(blocks: list[tuple[int, int, int, int]]) -> bytes:
    """`blocks` hold SSRC, highest number, last report, delay since it; nothing was lost."""
    body = struct.pack("!L", 1)
    for ssrc, highest, last, delay in blocks[:31]:
        body += struct.pack("!LLLLLL", ssrc, 0, highest, 10, last, delay)
    return _packet(len(blocks[:31]), RR, body)


def sender_report(ssrc: int, now: float, timestamp: int, packets: int, octets: int) -> bytes:
    """A report and the name of its end point (RFC 3550); `now` is the wall clock."""
    ntp = int((now + NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
    body = struct.pack("!LQLLL", ssrc, ntp, timestamp & 0xFFFFFFFF, packets, octets)
    name = struct.pack("!LBB", ssrc, 1, 5) + b"bench\0"
    return _packet(0, SR, body) + _packet(1, 202, name)


def walk(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, format and body of each packet."""
    position = 0
    while position + 4 <= len(compound):
        first, kind, words = struct.unpack_from("!BBH", compound, position)
        end = position + 4 + 4 * words
        yield kind, first & 31, compound[position + 4 : end]
        position = end


def _packet(count: int, kind: int, body: bytes, *, padded: bool = False) -> bytes:
    return struct.pack("!BBH", 0x80 | padded << 5 | count, kind, len(body) // 4) + body
