"""Django's one door to the media server. Everybody else speaks of rooms and participants."""

from collections.abc import Callable, Iterable

from django.conf import settings

from consultations.models import ParticipantRole
from consultations.rules import Permit
from consultations.sfu import (
    AnyEvent,
    Appetite,
    DataReceived,
    Event,
    JoinRefused,
    LayersWanted,
    MediaConfig,
    MediaServer,
    PeerBack,
    PeerConnected,
    PeerGone,
    PeerSilent,
    PeerStatistics,
    QualityChanged,
    RecordingClosed,
    RecordingStopped,
    Sink,
    Slot,
    SlotsChanged,
    SpeakerChanged,
    Statistics,
)
from consultations.sfu.collecting import keep_collections_short
from consultations.sfu.limits import Allowance

__all__ = [
    "Allowance",
    "AnyEvent",
    "DataReceived",
    "Engine",
    "Event",
    "JoinRefused",
    "LayersWanted",
    "PeerBack",
    "PeerConnected",
    "PeerGone",
    "PeerSilent",
    "PeerStatistics",
    "QualityChanged",
    "RecordingClosed",
    "RecordingStopped",
    "Sink",
    "Slot",
    "SlotsChanged",
    "SpeakerChanged",
    "Statistics",
    "keep_collections_short",
]

SHARES_SCREEN = frozenset({ParticipantRole.SPECIALIST, ParticipantRole.PRESENTER})
# Six people: five others to hear and see, and one screen.
SLOTS = {"audio": 5, "video": 6}


class Engine:
    """The media server of this process, in the room's words."""

    def __init__(self, server: MediaServer) -> None:
        self._server = server

    @classmethod
    async def start(cls, on_event: Callable[[AnyEvent], None]) -> "Engine":
        """Raises ``OSError`` when the configured address or port cannot be had."""
        config = MediaConfig(
            bind=tuple(settings.MEDIA_BIND),
            port=settings.MEDIA_PORT,
            advertised=tuple(settings.MEDIA_ADVERTISED),
            max_peers=settings.MEDIA_MAX_PEOPLE,
        )
        return cls(await MediaServer.start(config, on_event))

    async def join(
        self,
        room: str,
        participant: str,
        role: str,
        offer: str,
        permit: Permit,
        muted: list[str],
    ) -> str:
        """The answer. Raises ``JoinRefused`` with the media server's code."""
        answer = await self._server.join(
            room, participant, offer, send=permit.send, receive=permit.receive
        )
        # An answer to a restart keeps the permissions of before; they are told anew.
        self.permit(room, participant, permit)
        for kind in muted:
            self._server.mute(room, participant, kind, True)
        if role not in SHARES_SCREEN:
            self._server.mute(room, participant, "screen", True)
        return answer

    def permit(self, room: str, participant: str, permit: Permit) -> None:
        self._server.permit(room, participant, send=permit.send, receive=permit.receive)

    def mute(self, room: str, participant: str, role: str, kind: str, *, muted: bool) -> None:
        if kind == "screen" and role not in SHARES_SCREEN:
            return
        self._server.mute(room, participant, kind, muted)

    def watch(self, room: str, participant: str, appetite: Appetite) -> None:
        self._server.watch(room, participant, appetite)

    def heard(self, room: str, participant: str) -> None:
        self._server.heard(room, participant)

    def tell(self, room: str, participant: str, message: str) -> bool:
        """Over their data channel; False when it was dropped."""
        return self._server.tell(room, participant, message)

    def leave(self, room: str, participant: str) -> None:
        self._server.leave(room, participant)

    def end_room(self, room: str) -> None:
        self._server.end_room(room)

    def session(self, room: str, participant: str) -> str:
        return self._server.session(room, participant)

    def slots(self, room: str, participant: str) -> list[Slot]:
        return self._server.slots(room, participant)

    def record(self, room: str, sink: Sink, participants: Iterable[str]) -> bool:
        """Of these participants' connections alone. False when there is nothing to record."""
        return self._server.record(room, sink, participants)

    def allow_recording(self, room: str, participants: Iterable[str]) -> None:
        self._server.allow_recording(room, participants)

    def stop_recording(self, room: str, why: str) -> bool:
        return self._server.stop_recording(room, why)

    async def echo(self, test: str, offer: str) -> str:
        """The connection test's answer: whoever offers hears and sees themselves for a while."""
        return await self._server.echo(test, offer)

    def end_echo(self, test: str) -> None:
        self._server.leave("", test)

    def peer_statistics(self, room: str, participant: str) -> PeerStatistics | None:
        return self._server.peer_statistics(room, participant)

    def statistics(self) -> Statistics:
        return self._server.statistics()

    def estimates(self) -> list[float]:
        """Of the viewers' links, in bits a second."""
        return self._server.estimates()

    async def close(self) -> None:
        await self._server.close()
