"""What aiortc's SCTP (RFC 9260) must not be given: looked at before each packet is handed over.

aiortc takes a peer's word for lengths and counts: a parameter of length 0 keeps it in a loop for
ever, gaps of 65,535 numbers each in another for seconds. Nobody in a room may do that to the
others.
"""

from __future__ import annotations

import struct

COMMON_HEADER, CHUNK_HEADER = 12, 4
DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN = range(8)
ERROR, COOKIE_ECHO, RECONFIG, FORWARD_TSN = 9, 10, 130, 192
# Each is answered by a packet of its own, so one packet must not ask for many.
ANSWERED = frozenset({INIT, HEARTBEAT, SHUTDOWN, COOKIE_ECHO, RECONFIG})
# Where parameters begin in each chunk that has some, behind the chunk's header.
PARAMETERS_AT = {INIT: 16, INIT_ACK: 16} | dict.fromkeys(
    (HEARTBEAT, HEARTBEAT_ACK, ABORT, ERROR, RECONFIG), 0
)
LEAST_BODY = {DATA: 13, INIT: 16, INIT_ACK: 16, SACK: 12, FORWARD_TSN: 4, SHUTDOWN: 4}
MAX_CHUNKS = 32
MAX_GAPS = 64
MAX_GAP = 1024  # the offset of the newest number in a SACK
MAX_STREAM = 1023  # browsers number their channels up to here
MAX_AHEAD = 512  # how far a number may be before the next one that is due


class SctpInvalid(ValueError):
    """An authentic packet that aiortc must not be given."""


def check(data: bytes, last_received: int | None) -> None:
    """Raises SctpInvalid; `last_received` is the newest number up to which all DATA has come, None
    before the association is up."""
    position, chunks, answered = COMMON_HEADER, 0, 0
    while position + CHUNK_HEADER <= len(data):
        kind, _, size = struct.unpack_from("!BBH", data, position)
        if size < CHUNK_HEADER or position + size > len(data):
            raise SctpInvalid("chunk past the end")
        chunks += 1
        answered += kind in ANSWERED
        if chunks > MAX_CHUNKS or answered > 1:
            raise SctpInvalid("too many chunks")
        _check_chunk(kind, data[position + CHUNK_HEADER : position + size], last_received)
        position += size + -size % 4


def _check_chunk(kind: int, body: bytes, last_received: int | None) -> None:
    if len(body) < LEAST_BODY.get(kind, 0):
        raise SctpInvalid("chunk too short")
    if kind in PARAMETERS_AT:
        _check_parameters(body[PARAMETERS_AT[kind] :])
    elif kind == SACK:
        _check_gaps(body)
    elif kind == DATA:
        number, stream = struct.unpack_from("!LH", body)
        _check_number(number, last_received)
        if stream > MAX_STREAM:
            raise SctpInvalid("stream out of range")
    elif kind == FORWARD_TSN:
        _check_number(struct.unpack_from("!L", body)[0], last_received)
        if len(body) % 4 or any(
            stream > MAX_STREAM for stream, _ in struct.iter_unpack("!HH", body[4:])
        ):
            raise SctpInvalid("stream out of range")


def _check_parameters(body: bytes) -> None:
    position = 0
    while position + 4 <= len(body):
        size = int.from_bytes(body[position + 2 : position + 4])
        if size < 4 or position + size > len(body):
            raise SctpInvalid("parameter past the end")
        position += size + -size % 4


def _check_gaps(body: bytes) -> None:
    gaps, duplicates = struct.unpack_from("!HH", body, 8)
    if gaps > MAX_GAPS or 12 + 4 * (gaps + duplicates) > len(body):
        raise SctpInvalid("gaps past the end")
    for first, last in struct.iter_unpack("!HH", body[12 : 12 + 4 * gaps]):
        if not 0 < first <= last <= MAX_GAP:
            raise SctpInvalid("gap out of range")


def _check_number(number: int, last_received: int | None) -> None:
    """What came before may come again."""
    if last_received is None or MAX_AHEAD < (number - last_received) & 0xFFFFFFFF <= 1 << 31:
        raise SctpInvalid("number out of reach")
