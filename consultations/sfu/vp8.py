"""The VP8 payload descriptor (RFC 7741 section 4.2): where a forwarder must look and write."""

from __future__ import annotations

from typing import NamedTuple


class Vp8Invalid(ValueError):
    """A payload too short for the descriptor it announces."""


class Descriptor(NamedTuple):
    """Offsets into the payload (-1 when absent) and what the packet begins."""

    picture_id_at: int
    picture_id: int
    wide: bool
    tl0_at: int
    tl0: int
    begins_key_frame: bool
    temporal: int  # 0 when the stream has no temporal layers
    synchronises: bool  # refers to nothing but the lowest temporal layer


def read_descriptor(payload: bytes) -> Descriptor:
    """Reads the descriptor at the start of a VP8 payload; raises Vp8Invalid."""
    try:
        first = payload[0]
        position = 1
        picture_at = tl0_at = -1
        picture = tl0 = 0
        wide = synchronises = False
        temporal = 0
        if first & 0x80:
            flags = payload[1]
            position = 2
            if flags & 0x80:
                picture_at = position
                picture = payload[position]
                wide = picture >= 0x80
                if wide:
                    picture = (picture & 0x7F) << 8 | payload[position + 1]
                position += 1 + wide
            if flags & 0x40:
                tl0_at = position
                tl0 = payload[position]
                position += 1
            if flags & 0x30:
                if flags & 0x20:
                    temporal = payload[position] >> 6
                    synchronises = bool(payload[position] & 0x20)
                position += 1
        begins_frame = first & 0x17 == 0x10  # S = 1, partition 0
        return Descriptor(
            picture_at,
            picture,
            wide,
            tl0_at,
            tl0,
            begins_frame and not payload[position] & 1,
            temporal,
            synchronises,
        )
    except IndexError:
        raise Vp8Invalid("descriptor past the end") from None


def shift(payload: bytes, picture_offset: int, tl0_offset: int) -> bytes:
    """A copy whose PictureID and TL0PICIDX are moved, modulo their widths; raises Vp8Invalid."""
    descriptor = read_descriptor(payload)
    copy = bytearray(payload)
    at = descriptor.picture_id_at
    if at >= 0:
        picture = descriptor.picture_id + picture_offset
        if descriptor.wide:
            copy[at] = 0x80 | (picture >> 8 & 0x7F)
            copy[at + 1] = picture & 0xFF
        else:
            copy[at] = picture & 0x7F
    if descriptor.tl0_at >= 0:
        copy[descriptor.tl0_at] = (descriptor.tl0 + tl0_offset) & 0xFF
    return bytes(copy)
