"""A JPEG with nothing in it but the picture (ITU-T T.81, Annex B). Pure.

What cameras write beside the picture (place, time, device, thumbnails, a second picture after the
end) stands in application and comment segments and after the end of the image. They are left out;
what is decoded stays bit by bit the same.
"""

from collections.abc import Iterator

MARKER = 0xFF
STUFFED, SOI, EOI, SOS, COMMENT = 0x00, 0xD8, 0xD9, 0xDA, 0xFE
RESTARTS = range(0xD0, 0xD8)
APPLICATION = range(0xE0, 0xF0)
# JFIF's resolution; how the colours were transformed. Without them some decoders show it wrongly.
NEEDED = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}
NEEDED_BYTES = {0xE0: 14, 0xEE: 12}


class NotJpeg(ValueError):
    """Not a whole JPEG."""


def without_metadata(data: bytes) -> bytes:
    """The same picture, and nothing else. Raises ``NotJpeg``."""
    return b"".join(part for _marker, part in _parts(data))


def has_metadata(data: bytes) -> bool:
    return without_metadata(data) != data


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    if data[:2] != bytes([MARKER, SOI]):
        raise NotJpeg
    yield SOI, data[:2]
    at, scans = 2, 0
    while True:
        marker, at = _marker(data, at)
        if marker == EOI:
            break
        end = at + int.from_bytes(data[at : at + 2])
        if end < at + 2 or end > len(data) or marker in (SOI, STUFFED):
            raise NotJpeg
        body = data[at + 2 : end]
        if marker == SOS:
            scans += 1
            end = _end_of_scan(data, end)
            yield marker, bytes([MARKER, marker]) + data[at:end]
        elif _is_needed(marker, body):
            body = body[: NEEDED_BYTES.get(marker, len(body))]
            if marker == 0xE0:
                body = body[:12] + b"\0\0"  # no thumbnail
            yield marker, bytes([MARKER, marker]) + (len(body) + 2).to_bytes(2) + body
        at = end
    if scans == 0:
        raise NotJpeg
    yield EOI, bytes([MARKER, EOI])


def _is_needed(marker: int, body: bytes) -> bool:
    if marker in APPLICATION:
        head = NEEDED.get(marker)
        return head is not None and body.startswith(head) and len(body) >= NEEDED_BYTES[marker]
    return marker != COMMENT


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker that stands here, after any fill bytes, and where its segment begins."""
    if at >= len(data) or data[at] != MARKER:
        raise NotJpeg
    while at < len(data) and data[at] == MARKER:
        at += 1
    if at >= len(data):
        raise NotJpeg
    return data[at], at + 1


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next marker stands that is neither data nor a restart."""
    while True:
        at = data.find(MARKER, at)
        if at < 0 or at + 1 >= len(data):
            raise NotJpeg
        following = data[at + 1]
        if following == MARKER:
            at += 1
        elif following == STUFFED or following in RESTARTS:
            at += 2
        else:
            return at
