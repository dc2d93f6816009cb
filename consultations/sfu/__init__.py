"""A selective forwarding media server on asyncio: WebRTC in, the same packets out.

    config = MediaConfig(bind=("192.0.2.2",), port=50000)
    server = await MediaServer.start(config, on_event=print)
    answer = await server.join("room", "peer", offer, send=True, receive=True)

It knows opaque room and peer ids only, and imports nothing of the application.
"""

from .config import MediaConfig, local_addresses
from .events import (
    AnyEvent,
    Appetite,
    DataReceived,
    Event,
    JoinRefused,
    LayersWanted,
    PathChanged,
    PeerBack,
    PeerConnected,
    PeerGone,
    PeerSilent,
    Quality,
    QualityChanged,
    RecordingClosed,
    RecordingStopped,
    SdpRefused,
    Sink,
    Slot,
    SlotsChanged,
    SourceKind,
    SpeakerChanged,
)
from .server import MediaServer
from .statistics import PeerStatistics, Statistics

__all__ = [
    "AnyEvent",
    "Appetite",
    "DataReceived",
    "Event",
    "JoinRefused",
    "LayersWanted",
    "MediaConfig",
    "MediaServer",
    "PathChanged",
    "PeerBack",
    "PeerConnected",
    "PeerGone",
    "PeerSilent",
    "PeerStatistics",
    "Quality",
    "QualityChanged",
    "RecordingClosed",
    "RecordingStopped",
    "SdpRefused",
    "Sink",
    "Slot",
    "SlotsChanged",
    "SourceKind",
    "SpeakerChanged",
    "Statistics",
    "local_addresses",
]
