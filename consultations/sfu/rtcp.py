"""RTCP read with tolerance and written as bytes (RFC 3550, 4585, 5104, 5506).

A compound is walked packet by packet: an unknown or damaged one is stepped over or ends the
walk, and never costs its neighbours.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SR, RR, SDES, BYE, APP, RTPFB, PSFB, XR = 200, 201, 202, 203, 204, 205, 206, 207
NACK, TRANSPORT_FEEDBACK = 1, 15
PLI, FIR, APPLICATION_LAYER = 1, 4, 15
OUR_SSRC = 1
NTP_EPOCH = 2_208_988_800


class Packet(NamedTuple):
    """`variant` is the five-bit field after the version; `body` begins after the length."""

    packet_type: int
    variant: int
    body: bytes


class ReportBlock(NamedTuple):
    ssrc: int
    fraction_lost: int
    total_lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


class SenderInfo(NamedTuple):
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int


def walk(compound: bytes) -> Iterator[Packet]:
    """The packets of a compound or reduced-size RTCP datagram, padding taken off."""
    position, total = 0, len(compound)
    while position + 4 <= total:
        first, packet_type, words = struct.unpack_from("!BBH", compound, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > total:
            return
        stop = end
        if first & 0x20:
            stop -= compound[end - 1]
        if stop >= position + 4:
            yield Packet(packet_type, first & 31, compound[position + 4 : stop])
        position = end


def report_blocks(packet: Packet) -> Iterator[ReportBlock]:
    """The reception reports of an SR or RR."""
    position = 24 if packet.packet_type == SR else 4
    for _ in range(packet.variant):
        if position + 24 > len(packet.body):
            return
        ssrc, lost, highest, jitter, last, delay = struct.unpack_from(
            "!LLLLLL", packet.body, position
        )
        yield ReportBlock(ssrc, lost >> 24, lost & 0xFFFFFF, highest, jitter, last, delay)
        position += 24


def sender_info(packet: Packet) -> tuple[int, SenderInfo] | None:
    """The SSRC and sender information of an SR; None when it is cut short."""
    if len(packet.body) < 24:
        return None
    ssrc, ntp, timestamp, packets, octets = struct.unpack_from("!LQLLL", packet.body)
    return ssrc, SenderInfo(ntp, timestamp, packets, octets)


def nacked(body: bytes) -> Iterator[int]:
    """Sequence numbers asked for by a generic NACK."""
    for position in range(8, len(body) - 3, 4):
        packet_id, mask = struct.unpack_from("!HH", body, position)
        yield packet_id
        while mask:
            bit = mask & -mask
            yield (packet_id + bit.bit_length()) & 0xFFFF
            mask ^= bit


def media_ssrcs(packet: Packet) -> tuple[int, ...]:
    """The streams a PLI or FIR asks a key frame of."""
    if len(packet.body) < 8:
        return ()
    if packet.variant == FIR:
        return tuple(
            struct.unpack_from("!L", packet.body, position)[0]
            for position in range(8, len(packet.body) - 7, 8)
        )
    return (struct.unpack_from("!L", packet.body, 4)[0],)


def remb(body: bytes) -> int | None:
    """The bit rate of a receiver-estimated-maximum-bitrate message, when it is one."""
    if len(body) < 16 or body[8:12] != b"REMB":
        return None
    exponent, mantissa = body[13] >> 2, (body[13] & 3) << 16 | body[14] << 8 | body[15]
    return min(mantissa << exponent, 1 << 40)


def packet(packet_type: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, packet_type, len(body) // 4) + body


def write_nack(media_ssrc: int, sequence_numbers: Iterable[int]) -> bytes:
    """A generic NACK for sequence numbers in rising order."""
    pairs: list[list[int]] = []
    for number in sequence_numbers:
        distance = (number - pairs[-1][0]) & 0xFFFF if pairs else 0
        if pairs and 1 <= distance <= 16:
            pairs[-1][1] |= 1 << (distance - 1)
        elif not pairs or distance:
            pairs.append([number, 0])
    body = b"".join(struct.pack("!HH", first, mask) for first, mask in pairs)
    return packet(RTPFB, NACK, struct.pack("!LL", OUR_SSRC, media_ssrc) + body)


def write_pli(media_ssrc: int) -> bytes:
    return packet(PSFB, PLI, struct.pack("!LL", OUR_SSRC, media_ssrc))


def write_remb(bitrate: int, ssrcs: list[int]) -> bytes:
    exponent = max(0, bitrate.bit_length() - 18)
    mantissa = bitrate >> exponent
    fields = bytes(
        [len(ssrcs), exponent << 2 | mantissa >> 16, mantissa >> 8 & 255, mantissa & 255]
    )
    body = struct.pack("!LL", OUR_SSRC, 0) + b"REMB" + fields
    return packet(PSFB, APPLICATION_LAYER, body + struct.pack(f"!{len(ssrcs)}L", *ssrcs))


def write_receiver_report(blocks: list[ReportBlock]) -> bytes:
    body = struct.pack("!L", OUR_SSRC)
    for block in blocks[:31]:
        lost = max(-0x800000, min(0x7FFFFF, block.total_lost)) & 0xFFFFFF
        body += struct.pack(
            "!LLLLLL",
            block.ssrc,
            block.fraction_lost << 24 | lost,
            block.highest,
            block.jitter,
            block.last_report,
            block.delay,
        )
    return packet(RR, len(blocks[:31]), body)


def write_sender_report(ssrc: int, info: SenderInfo, cname: str) -> bytes:
    """A sender report and the SDES that names its canonical end point."""
    report = struct.pack("!LQLLL", ssrc, *info)
    name = cname.encode()[:255]
    chunk = struct.pack("!LBB", ssrc, 1, len(name)) + name
    chunk += bytes(4 - len(chunk) % 4)
    return packet(SR, 0, report) + packet(SDES, 1, chunk)


def compact_ntp(wall_seconds: float) -> int:
    """The middle 32 bits of an NTP time stamp."""
    return int((wall_seconds + NTP_EPOCH) * 65536) & 0xFFFFFFFF
