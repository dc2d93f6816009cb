"""Films of a recording: its packets muxed to WebM as they are, nothing decoded or encoded anew.

A browser plays one picture and one voice of a file, so every person has a film of their own, and
every shared screen one. All begin at the recording's start, so that they play in step. A picture
that misses a packet is left out, with all after it up to the next key frame.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

import av
from av.container import OutputContainer
from av.packet import Packet

from consultations.sfu import record
from consultations.sfu.playout import InOrder, Pictures, Unwrapped, key_frame_size
from consultations.sfu.record import RecordedPacket, Track

CLOCK = {"audio": 48_000, "video": 90_000, "screen": 90_000}
SETTLING = 10.0  # seconds of a track in which its least delayed packet is looked for


class Output(Protocol):
    """A seekable binary file."""

    def write(self, data: bytes, /) -> int: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def tell(self) -> int: ...


@dataclass(frozen=True, order=True)
class Film:
    """``kind``: person (camera and voice) or screen; ``size``: of its first key frame, None for a
    voice alone; ``voiced``: whether there is one."""

    peer_id: str
    kind: str
    voiced: bool
    size: tuple[int, int] | None


@dataclass
class Timing:
    """Where a track's clock stands at the recording's start: seconds to add to its own.

    The packet that was delayed least tells it best, so that a voice and its picture play in step.
    """

    rate: int
    offset: float | None = None
    began: float = 0.0
    unwrap: Unwrapped = field(default_factory=lambda: Unwrapped(32))

    def note(self, packet: RecordedPacket) -> None:
        late = packet.arrival - self.unwrap(packet.timestamp) / self.rate
        if self.offset is None:
            self.offset, self.began = late, packet.arrival
        elif packet.arrival - self.began < SETTLING:
            self.offset = min(self.offset, late)


@dataclass
class Survey:
    """What a first reading finds: the films, and each track's timing by number."""

    films: list[Film]
    timings: dict[int, Timing]


def survey(packets: Iterable[RecordedPacket]) -> Survey:
    timings: dict[int, Timing] = {}
    voiced: set[str] = set()
    sizes: dict[tuple[str, str], tuple[int, int]] = {}
    for packet in packets:
        track = packet.track
        timings.setdefault(track.number, Timing(CLOCK[track.kind])).note(packet)
        if track.kind == "audio":
            voiced.add(track.peer_id)
        elif (track.peer_id, track.kind) not in sizes:
            size = key_frame_size(packet.payload)
            if size is not None:
                sizes[track.peer_id, track.kind] = size
    films = [
        Film(peer, "person", peer in voiced, sizes.get((peer, "video")))
        for peer in voiced | {peer for peer, kind in sizes if kind == "video"}
    ]
    screens = [Film(peer, kind, False, size) for (peer, kind), size in sizes.items()]
    films += [film for film in screens if film.kind == "screen"]
    return Survey(sorted(films, key=lambda film: (film.peer_id, film.kind)), timings)


class Muxer:
    """Writes one film; ``seconds`` is how long it is so far."""

    def __init__(self, film: Film, timings: dict[int, Timing], output: Output) -> None:
        self.film = film
        self.seconds = 0.0
        self._timings = timings
        self._container: OutputContainer = av.open(output, "w", format="webm")
        self._streams: dict[str, Any] = {}
        if film.size is not None:
            width, height = film.size
            self._streams["picture"] = self._container.add_mux_stream(
                "vp8", width=width, height=height, time_base=Fraction(1, 90_000)
            )
        if film.voiced:
            # Opened as an encoder for its head (OpusHead) alone; nothing is encoded.
            self._streams["voice"] = self._container.add_stream(
                "libopus", rate=CLOCK["audio"], layout="stereo"
            )
        self._container.start_encoding()
        self._last = dict.fromkeys(self._streams, -1)
        self._orders: dict[int, InOrder] = {}
        self._pictures: dict[int, Pictures] = {}
        self._clocks: dict[int, Unwrapped] = {}
        self._tracks: dict[int, Track] = {}

    def takes(self, track: Track) -> bool:
        kinds = {"person": ("audio", "video"), "screen": ("screen",)}[self.film.kind]
        return track.peer_id == self.film.peer_id and track.kind in kinds

    def add(self, packet: RecordedPacket) -> None:
        number = packet.track.number
        self._tracks[number] = packet.track
        for sequence, due in self._orders.setdefault(number, InOrder()).add(packet):
            self._take(sequence, due)

    def close(self) -> None:
        for order in self._orders.values():
            for sequence, packet in order.rest():
                self._take(sequence, packet)
        self._container.close()

    def _take(self, sequence: int, packet: RecordedPacket) -> None:
        number = packet.track.number
        if packet.track.kind == "audio":
            self._write("voice", number, packet.timestamp, packet.payload, key=True)
            return
        whole = self._pictures.setdefault(number, Pictures()).add(sequence, packet)
        if whole is not None:
            timestamp, frame, key = whole
            self._write("picture", number, timestamp, frame, key=key)

    def _write(self, name: str, number: int, timestamp: int, data: bytes, *, key: bool) -> None:
        stream, timing = self._streams.get(name), self._timings[number]
        if stream is None or not data:
            return
        clock = self._clocks.setdefault(number, Unwrapped(32))
        at = clock(timestamp) + round((timing.offset or 0.0) * timing.rate)
        if at <= self._last[name]:
            return  # two tracks of one stream that overlap, or what came before the start
        self._last[name] = at
        packet = Packet(data)
        packet.stream, packet.time_base = stream, Fraction(1, timing.rate)
        packet.pts = packet.dts = at
        packet.is_keyframe = key
        self._container.mux(packet)
        self.seconds = max(self.seconds, at / timing.rate)


def make(chunks: Iterable[bytes], muxers: list[Muxer]) -> None:
    """A second reading, into every film at once."""
    for packet in record.read(chunks):
        for muxer in muxers:
            if muxer.takes(packet.track):
                muxer.add(packet)
    for muxer in muxers:
        muxer.close()
