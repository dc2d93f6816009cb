"""Packets of a recording, made without a call: a voice and a picture of four seconds."""

from consultations.sfu import record
from consultations.sfu.record import RecordedPacket, Track
from tests.sfu.peer import FRAME_RATE, FRAMES, picture, voice

SECONDS = 4


def track(number, peer, kind):
    return Track(number, peer, kind, 1000 + number)


def spoken(peer, number=0, *, delay=0.0, start=0):
    one = track(number, peer, "audio")
    return [
        RecordedPacket(
            one,
            False,
            (65_500 + n) & 0xFFFF,
            (start + n * 960) & 0xFFFFFFFF,
            delay + n * 0.02,
            voice()[n % 50],
        )
        for n in range(50 * SECONDS)
    ]


def seen(peer, number=1, *, kind="video", delay=0.0, start=0):
    one, packets, sequence = track(number, peer, kind), [], 65_520
    for n in range(FRAME_RATE * SECONDS):
        parts = picture()[n % FRAMES]
        for index, part in enumerate(parts):
            head = bytes([0x80 | (0x10 if index == 0 else 0), 0x80])
            payload = head + (0x8000 | n & 0x7FFF).to_bytes(2) + part
            last = index == len(parts) - 1
            stamp = (start + n * 90_000 // FRAME_RATE) & 0xFFFFFFFF
            packets.append(
                RecordedPacket(one, last, sequence & 0xFFFF, stamp, delay + n / FRAME_RATE, payload)
            )
            sequence += 1
    return packets


def written(packets):
    """In the form that a recorder writes."""
    data, known = b"", set()
    for packet in packets:
        one = packet.track
        if one.number not in known:
            known.add(one.number)
            kind = record.KINDS.index(one.kind)
            body = record._TRACK.pack(one.number, kind, one.ssrc) + one.peer_id.encode()
            data += record._HEAD.pack(len(body), record.TRACK) + body
        body = record._PACKET.pack(
            one.number, packet.marker, packet.sequence, packet.timestamp, packet.arrival
        )
        body += packet.payload
        data += record._HEAD.pack(len(body), record.PACKET) + body
    return data
