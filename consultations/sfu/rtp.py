"""The RTP header as bytes (RFC 3550, RFC 8285): read in place, written afresh per viewer."""

from __future__ import annotations

from struct import Struct

HEADER = Struct("!BBHLL")
HEADER_BYTES = 12
ONE_BYTE_PROFILE = 0xBEDE
MAX_EXTENSION_WORDS = 64  # of padding, byte by byte, a packet of 1500 would cost as much as ten

# Header and extension block of what the server sends, by the extension the viewer negotiated.
PLAIN = HEADER.pack
WITH_SEQUENCE = Struct("!BBHLLHHBHx").pack  # transport-wide sequence number
WITH_TIME = Struct("!BBHLLHHL").pack  # absolute send time, its id in the top byte
_SHORT = Struct("!H").unpack_from
_SHORTS = Struct("!HH").unpack_from


class RtpInvalid(ValueError):
    """An authentic packet whose header nevertheless makes no sense."""


def locate(data: bytes, first: int, second: int) -> tuple[int, int, int]:
    """Offsets of the values of two one-byte extensions (-1 when absent or cut off) and of the
    payload's start. Raises RtpInvalid."""
    start = HEADER_BYTES + 4 * (data[0] & 15)
    if not data[0] & 0x10:
        return -1, -1, start
    if start + 4 > len(data):
        raise RtpInvalid("extension header past the end")
    profile, words = _SHORTS(data, start)
    position = start + 4
    start = end = position + 4 * words
    if start > len(data) or words > MAX_EXTENSION_WORDS:
        raise RtpInvalid("extensions past the end")
    first_at = second_at = -1
    if profile == ONE_BYTE_PROFILE:
        while position < end:
            head = data[position]
            if not head:
                position += 1
                continue
            following = position + 2 + (head & 15)
            if following <= end:
                if head >> 4 == first:
                    first_at = position + 1
                elif head >> 4 == second:
                    second_at = position + 1
            position = following
    return first_at, second_at, start


def payload_end(data: bytes, start: int) -> int:
    """Offset behind the payload that begins at `start`, without padding. Raises RtpInvalid."""
    end = len(data)
    if data[0] & 0x20:
        end -= data[-1]
    if start > end or data[0] & 0xC0 != 0x80:
        raise RtpInvalid("header or padding past the end")
    return end


def find_extension(data: bytes, wanted: int) -> int:
    """Offset of the value of one-byte extension `wanted`, or -1. Raises RtpInvalid."""
    return locate(data, wanted, 0)[0]


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
