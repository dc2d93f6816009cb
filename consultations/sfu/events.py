"""What the media server reports to its owner, called synchronously on the event loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

SourceKind = Literal["audio", "video", "screen"]
Appetite = Literal["all", "save", "none"]  # how much of pictures somebody wants to be sent
Quality = Literal["good", "fair", "poor", "audio-only"]


class JoinRefused(Exception):
    """A join that the server turns down; `code` is stable and for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SdpRefused(JoinRefused):
    """An offer that cannot be answered: `malformed`, `no_vp8`, `no_opus`, `no_bundle`, …"""


@dataclass(frozen=True)
class Slot:
    """One receive slot of a peer: a media section of its own session description."""

    mid: str
    kind: Literal["audio", "video"]
    source_peer: str | None = None
    source_kind: SourceKind | None = None


@dataclass(frozen=True)
class Event:
    room_id: str
    peer_id: str


@dataclass(frozen=True)
class PeerConnected(Event):
    """DTLS is up: media may flow (again, after a new session of the same peer)."""


@dataclass(frozen=True)
class PeerSilent(Event):
    """Nothing authentic has come from the peer for `seconds`; it may come back."""

    seconds: float


@dataclass(frozen=True)
class PeerBack(Event):
    """A silent peer is heard again after `seconds`."""

    seconds: float


@dataclass(frozen=True)
class PeerGone(Event):
    """The peer is forgotten: `left`, `closed` (by the browser), `timeout`, `handshake`,
    `replaced` (a newer session of the same peer), `ended` (the room) or `shutdown`."""

    reason: str


@dataclass(frozen=True)
class SlotsChanged(Event):
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class SpeakerChanged:
    """Who speaks in the room, by the audio levels of RFC 6464; None when nobody does."""

    room_id: str
    peer_id: str | None


@dataclass(frozen=True)
class QualityChanged(Event):
    """How good the peer's link is, in its worse direction; `audio-only` when the server has
    stopped every picture to it because only the voice fits."""

    level: Quality


@dataclass(frozen=True)
class LayersWanted(Event):
    """In which sizes the peer should send its camera: the most bits a second of each by its rid,
    which its browser has named; empty when one stream is best."""

    layers: Mapping[str, int]


@dataclass(frozen=True)
class DataReceived(Event):
    """A whole message of the peer's data channel, of at most some window; from whoever is in the
    room, permitted or not."""

    message: bytes | str


@dataclass(frozen=True)
class PathChanged(Event):
    """The peer uses another network path (RFC 8445); its DTLS session goes on."""


class Sink(Protocol):
    """Where a recording goes; called by the recording's own thread alone. May raise OSError."""

    def write(self, chunk: bytes) -> None: ...

    def close(self) -> None:
        """All that was written is whole. Called once, after the last chunk."""


@dataclass(frozen=True)
class RecordingStopped:
    """No packet of the room goes to `sink` any more: `overload`, `storage` (the sink failed),
    `empty` (nobody is left), `shutdown`, or what `stop_recording` was told."""

    room_id: str
    sink: Sink
    reason: str


@dataclass(frozen=True)
class RecordingClosed:
    """The sink has all that was taken; with `storage` as the reason, what it could keep."""

    room_id: str
    sink: Sink
    reason: str


AnyEvent = Event | SpeakerChanged | RecordingStopped | RecordingClosed
