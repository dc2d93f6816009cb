"""A recording: the plaintext packets of those who may be recorded, on their way to a sink.

The tap costs the live call one `pack` and one append a packet. Chunks go to a thread of their own,
at most `MAX_WAITING` of them: when the sink cannot keep up the recording ends (`overload`), never
the call. What a sink does with the bytes (encrypt, store) is its owner's business; what they mean
is told by `read`.
"""

from __future__ import annotations

import asyncio
import itertools
import queue
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .events import Sink, SourceKind

if TYPE_CHECKING:
    from .source import Source

CHUNK = 64 * 1024
MAX_WAITING = 64
FLUSH_SECONDS = 1.0
KINDS: tuple[SourceKind, ...] = ("audio", "video", "screen")

# A record is its length and type, then: a track's number, kind, SSRC and peer id; or a packet's
# track, marker, sequence number, time stamp, arrival (seconds since the start) and payload.
_HEAD = struct.Struct("!HB")
_TRACK = struct.Struct("!HBI")
_PACKET = struct.Struct("!HBHId")
TRACK, PACKET = 1, 2


@dataclass(frozen=True)
class Track:
    """One stream of one peer; a stream that replaces another (a new SSRC), or that is taken again,
    is a track of its own."""

    number: int
    peer_id: str
    kind: SourceKind
    ssrc: int


@dataclass(frozen=True)
class RecordedPacket:
    """`arrival` in seconds since the start of the recording."""

    track: Track
    marker: bool
    sequence: int
    timestamp: int
    arrival: float
    payload: bytes


class Recorder:
    """One recording of one room. Belongs to the event loop, but for its writing thread.

    `over` is told on the loop why no packet is taken any more, `closed` (with the same reason)
    that the sink has everything. Reasons: those of `stop`, `overload`, and `storage` for a sink
    that failed.
    """

    def __init__(
        self,
        sink: Sink,
        now: float,
        over: Callable[[str], None],
        closed: Callable[[str], None],
    ) -> None:
        self.packets = 0
        self.reason: str | None = None
        self._over, self._closed = over, closed
        self.sink = sink
        self._began = self._flushed_at = now
        self._tracks: dict[tuple[str, SourceKind, int], int] = {}
        self._numbers = itertools.count()
        self._buffer = bytearray()
        self._loop = asyncio.get_running_loop()
        # Unbounded for the queue's sake only: these two numbers bound it without a lock.
        self._handed = self._written = 0
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="recording", daemon=True)
        self._writer.start()

    def take(
        self,
        source: Source,
        marker: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        now: float,
    ) -> None:
        """The tap, on the packet path."""
        if self.reason is not None or source.ssrc is None:
            return
        key = source.peer_id, source.kind, source.ssrc
        track = self._tracks.get(key)
        if track is None:
            track = self._tracks[key] = next(self._numbers)
            self._put(TRACK, _TRACK.pack(track, KINDS.index(source.kind), source.ssrc), key[0])
        head = _PACKET.pack(track, bool(marker), sequence, timestamp, now - self._began)
        self._buffer += _HEAD.pack(len(head) + len(payload), PACKET)
        self._buffer += head
        self._buffer += payload
        self.packets += 1
        if len(self._buffer) >= CHUNK:
            self._hand_over(now)

    def begin_track(self, source: Source) -> None:
        """What comes of a stream from now on is a track of its own: where nothing was taken of it
        for a while, its numbers may have gone once round."""
        self._tracks.pop((source.peer_id, source.kind, source.ssrc or 0), None)

    def tick(self, now: float) -> None:
        """Hands over what has waited; little comes of a voice alone."""
        if self._buffer and now - self._flushed_at >= FLUSH_SECONDS:
            self._hand_over(now)

    def stop(self, reason: str) -> None:
        """Takes nothing more; what was taken is still written. The first reason counts."""
        if self.reason is not None:
            return
        self.reason = reason
        if self._buffer:
            self._chunks.put(bytes(self._buffer))
            self._buffer.clear()
        self._chunks.put(None)
        self._over(reason)

    async def wait(self, seconds: float) -> None:
        """Until the thread has ended, but no longer than that."""
        await asyncio.to_thread(self._writer.join, seconds)

    def _put(self, kind: int, body: bytes, text: str) -> None:
        body += text.encode()
        self._buffer += _HEAD.pack(len(body), kind) + body

    def _hand_over(self, now: float) -> None:
        self._flushed_at = now
        if self._handed - self._written >= MAX_WAITING:
            self._buffer.clear()
            self.stop("overload")
            return
        self._handed += 1
        self._chunks.put(bytes(self._buffer))
        self._buffer.clear()

    def _write(self) -> None:
        """The thread. After a failure it only waits for the end."""
        failed = False
        while (chunk := self._chunks.get()) is not None:
            if not failed:
                failed = not self._attempt(partial(self.sink.write, chunk))
            self._written += 1
        failed = not self._attempt(self.sink.close) or failed
        self._tell(lambda: self._closed("storage" if failed else str(self.reason)))

    def _attempt(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception:  # noqa: BLE001 - whatever a sink raises ends the recording, not the call
            self._tell(lambda: self.stop("storage"))
            return False
        return True

    def _tell(self, work: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)


class Malformed(ValueError):
    """Not what a recorder wrote."""


def read(chunks: Iterable[bytes]) -> Iterator[RecordedPacket]:
    """The packets in order of arrival. A record that is cut off at the end is left out."""
    tracks: dict[int, Track] = {}
    rest = b""
    for chunk in chunks:
        data, at = rest + chunk, 0
        while len(data) - at >= _HEAD.size:
            length, kind = _HEAD.unpack_from(data, at)
            end = at + _HEAD.size + length
            if end > len(data):
                break
            body = data[at + _HEAD.size : end]
            at = end
            if kind == TRACK:
                track = _read_track(body)
                tracks[track.number] = track
            elif kind == PACKET:
                yield _read_packet(body, tracks)
            else:
                raise Malformed(f"a record of type {kind}")
        rest = data[at:]


def _read_track(body: bytes) -> Track:
    try:
        number, kind, ssrc = _TRACK.unpack_from(body)
        return Track(number, body[_TRACK.size :].decode(), KINDS[kind], ssrc)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise Malformed("a track") from None


def _read_packet(body: bytes, tracks: dict[int, Track]) -> RecordedPacket:
    try:
        number, marker, sequence, timestamp, arrival = _PACKET.unpack_from(body)
        track = tracks[number]
    except (struct.error, KeyError):
        raise Malformed("a packet") from None
    return RecordedPacket(track, bool(marker), sequence, timestamp, arrival, body[_PACKET.size :])
