"""The RTP header as bytes (RFC 3550, RFC 8285): read in place, written afresh per viewer."""

from __future__ import annotations

from struct import Struct

HEADER = Struct("!BBHLL")
HEADER_BYTES = 12
ONE_BYTE_PROFILE = 0xBEDE

# Header and extension block of what the server sends, by the extension the viewer negotiated.
PLAIN = HEADER.pack
WITH_SEQUENCE = Struct("!BBHLLHHBHx").pack  # transport-wide sequence number
WITH_TIME = Struct("!BBHLLHHL").pack  # absolute send time, its id in the top byte
_SHORT = Struct("!H").unpack_from
_FIXED = Struct("!BBHLL").unpack_from


class RtpInvalid(ValueError):
    """An authentic packet whose header nevertheless makes no sense."""


def payload_bounds(data: bytes) -> tuple[int, int]:
    """Offsets of the payload's start and end, without header, extensions and padding."""
    first = data[0]
    start = HEADER_BYTES + 4 * (first & 15)
    if first & 0x10:
        if start + 4 > len(data):
            raise RtpInvalid("extension header past the end")
        start += 4 + 4 * _SHORT(data, start + 2)[0]
    end = len(data)
    if first & 0x20:
        end -= data[-1]
    if start > end or first & 0xC0 != 0x80:
        raise RtpInvalid("header or padding past the end")
    return start, end


def find_extension(data: bytes, wanted: int) -> int:
    """Offset of the value of one-byte extension `wanted`, or -1 (also when it is cut off)."""
    if not data[0] & 0x10:
        return -1
    position = HEADER_BYTES + 4 * (data[0] & 15)
    if position + 4 > len(data):
        return -1
    profile, words = _SHORT(data, position)[0], _SHORT(data, position + 2)[0]
    if profile != ONE_BYTE_PROFILE:
        return -1
    position += 4
    end = min(position + 4 * words, len(data))
    while position < end:
        head = data[position]
        if head == 0:
            position += 1
            continue
        size = (head & 15) + 1
        if head >> 4 == wanted:
            return position + 1 if position + 1 + size <= end else -1
        position += 1 + size
    return -1


def extension_value(data: bytes, wanted: int) -> bytes | None:
    """The bytes of extension `wanted`; None when it is absent."""
    offset = find_extension(data, wanted)
    return None if offset < 0 else data[offset : offset + (data[offset - 1] & 15) + 1]


def absolute_send_time(now: float) -> int:
    """24 bits of 6.18 fixed-point seconds."""
    return int((now % 64) * 262144) & 0xFFFFFF


def newer(first: int, second: int) -> bool:
    """Whether 16-bit sequence number `first` comes after `second`, over the wrap."""
    return 0 < ((first - second) & 0xFFFF) < 0x8000
