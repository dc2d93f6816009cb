"""A room: who is shown to whom, who speaks, and what each publisher may send.

Holds only what may be lost. People are opaque peer ids; whether somebody may be seen or may see
is told from outside (`permit`) and takes effect with the next packet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import layers, rtcp
from .allocation import AUDIO_BITRATE, Share, divide, voice_bitrate
from .events import AnyEvent, LayersWanted, QualityChanged, Slot, SlotsChanged, SpeakerChanged
from .forward import SlotSender
from .peer import Peer
from .quality import QualityWatch, judge
from .record import Recorder
from .source import Source

SPEECH_LEVEL = 70.0  # of 127, that is -57 dBov
SPEAKER_LEAD = 6.0
REMB_INTERVAL = 0.5
# What a picture may take that nobody sees at present. More than a thin link's: who is told of so
# little takes it for the link, and says so, and alone in the room nobody minds what it costs.
UNWATCHED_BITRATE, ALONE_BITRATE = 200_000, 400_000
# What a picture of bits a second is, from the best down; browsers step down at the same figures.
MODES = ((220_000, "full"), (110_000, "small"), (24_000, "slow"), (0, "still"))


class Room:
    """`echo` rooms hold one peer, who is shown to himself."""

    def __init__(
        self, room_id: str, on_event: Callable[[AnyEvent], None], *, echo: bool = False
    ) -> None:
        self.room_id = room_id
        self.peers: dict[str, Peer] = {}
        self.echo = echo
        self._on_event = on_event
        self._seats: dict[str, dict[str, int]] = {}
        self._described: dict[str, tuple[Slot, ...]] = {}
        self._speaker: str | None = None
        self._shares: dict[str, Share] = {}
        self._qualities: dict[str, QualityWatch] = {}
        self._limits: dict[str, tuple[int, float]] = {}
        self._recorder: Recorder | None = None
        self._recorded: frozenset[str] = frozenset()

    def add(self, peer: Peer) -> None:
        self.peers[peer.peer_id] = peer
        self._seats[peer.peer_id] = {}
        self._shares[peer.peer_id] = Share()
        self._qualities[peer.peer_id] = QualityWatch()
        self._tap(peer)

    def remove(self, peer: Peer) -> None:
        peer.record(None)
        for slot in peer.slots.values():
            slot.attach(None)
        for source in peer.sources.values():
            for slot in list(source.slots):
                slot.attach(None)
            source.layers.clear()
        for book in self._books:
            book.pop(peer.peer_id, None)
        self.arrange()

    @property
    def _books(self) -> tuple[dict[str, Any], ...]:
        """Everything that is kept by peer id."""
        return (
            self.peers,
            self._seats,
            self._described,
            self._shares,
            self._qualities,
            self._limits,
        )

    def permit(self, peer: Peer, *, send: bool, receive: bool) -> None:
        peer.may_send, peer.may_receive = send, receive
        for source in peer.sources.values():
            self._open(source, send and not source.muted)
        self.arrange()

    def mute(self, peer: Peer, kind: str, *, muted: bool) -> None:
        for source in peer.sources.values():
            if source.kind == kind:
                source.muted = muted
                self._open(source, peer.may_send and not muted)
        self.arrange()

    def _open(self, source: Source, wanted: bool) -> None:
        if source.open != wanted:
            source.allow(wanted=wanted)
            for slot in source.slots:
                if wanted:
                    slot.resynchronise()
                else:
                    slot.withdraw()

    # Recording.

    def record(self, recorder: Recorder | None, peers: frozenset[str]) -> None:
        """Records these peers and nobody else, who may come later; None takes every tap away."""
        self._recorder, self._recorded = recorder, peers
        for peer in self.peers.values():
            self._tap(peer)

    def _tap(self, peer: Peer) -> None:
        wanted = self._recorder is not None and peer.peer_id in self._recorded
        peer.record(self._recorder.take if wanted and self._recorder else None)

    # Slots.

    def arrange(self) -> None:
        """Maps everybody who may be seen to the slots of everybody who may see."""
        for viewer in self.peers.values():
            self._seat(viewer)
            wanted = self._wanted(viewer)
            for slot in viewer.slots.values():  # first free, so that a source never has two
                if slot.source is not None and wanted.get(slot.mid) is not slot.source:
                    slot.attach(None)
            for mid, source in wanted.items():
                viewer.slots[mid].attach(source)
            self._tell_slots(viewer)

    def _visible_to(self, viewer: Peer) -> list[Peer]:
        if not viewer.may_receive:
            return []
        return [p for p in self.peers.values() if p.may_send and (p is not viewer or self.echo)]

    def _seat(self, viewer: Peer) -> None:
        """Gives each visible person the lowest free seat, kept while they stay."""
        seats = self._seats[viewer.peer_id]
        visible = [person.peer_id for person in self._visible_to(viewer)]
        for person in [p for p in seats if p not in visible]:
            del seats[person]
        for person in visible:
            if person not in seats:
                taken = set(seats.values())
                seats[person] = next(n for n in range(len(taken) + 1) if n not in taken)

    def _wanted(self, viewer: Peer) -> dict[str, Source]:
        """Slot mid to source. One person's voice and camera share a number, so that the browser
        plays them in step; screens take what is free from the end."""
        audio = [slot for slot in viewer.slots.values() if slot.kind == "audio"]
        video = [slot for slot in viewer.slots.values() if slot.kind == "video"]
        wanted: dict[str, Source] = {}
        screens: list[Source] = []
        now = viewer.transport.mux.now()
        for person, seat in self._seats[viewer.peer_id].items():
            for source in self.peers[person].sources.values():
                row = audio if source.kind == "audio" else video
                if source.kind == "screen":
                    if source.open and source.is_live(now):
                        screens.append(source)
                elif seat < len(row):
                    wanted[row[seat].mid] = source
        self._place_screens(video, screens, wanted)
        return wanted

    def _place_screens(
        self, video: list[SlotSender], screens: list[Source], wanted: dict[str, Source]
    ) -> None:
        for source in screens:
            free = [slot for slot in reversed(video) if slot.mid not in wanted]
            kept = next((slot for slot in free if slot.source is source), None)
            chosen = kept or next(iter(free), None)
            if chosen is not None:
                wanted[chosen.mid] = source

    def slots(self, peer: Peer) -> list[Slot]:
        return [slot.describe() for slot in peer.slots.values()]

    def mode_of(self, viewer: Peer) -> str:
        """How good the pictures can be that a viewer is sent, one of `MODES`, or voice."""
        share, quality = self._shares[viewer.peer_id], self._qualities[viewer.peer_id]
        if quality.level == "audio-only":
            return "voice"
        if not viewer.downlink.estimator.is_informed or not share.known:
            return "full"
        return next(mode for least, mode in MODES if max(0, share.per_picture) >= least)

    def _tell_slots(self, viewer: Peer) -> None:
        slots = tuple(self.slots(viewer))
        if slots != self._described.get(viewer.peer_id):
            self._described[viewer.peer_id] = slots
            self._on_event(SlotsChanged(self.room_id, viewer.peer_id, slots))

    # From time to time.

    def review(self, now: float) -> None:
        """Five times a second: stale screens, who speaks, and what everybody may send."""
        self._review_screens(now)
        self._review_speaker(now)
        self._review_limits(now)
        self._review_quality(now)

    def _review_screens(self, now: float) -> None:
        for viewer in self.peers.values():
            for slot in viewer.slots.values():
                source = slot.source
                if source is not None and source.kind == "screen" and not source.is_live(now):
                    self.arrange()
                    return

    def _review_quality(self, now: float) -> None:
        for peer_id, viewer in self.peers.items():
            link = viewer.downlink.estimator
            if link.is_informed:
                paused = self._shares[peer_id].cap == 0 and viewer.appetite != "none"
                judged = judge(link, viewer.uplink_loss, pictures_paused=paused)
                level = self._qualities[peer_id].note(judged, now)
                if level is not None:
                    self._on_event(QualityChanged(self.room_id, peer_id, level))

    def _review_speaker(self, now: float) -> None:
        for peer in self.peers.values():
            peer.forget_speech(now)
        heard = {
            peer_id: peer.loudness
            for peer_id, peer in self.peers.items()
            if peer.may_send and any(s.open and s.kind == "audio" for s in peer.sources.values())
        }
        loudest = max(heard, key=heard.__getitem__, default=None)
        speaker = self._speaker if self._speaker in heard else None
        if loudest is None or heard[loudest] < SPEECH_LEVEL:
            speaker = None
        elif speaker is None or heard[loudest] > heard[speaker] + SPEAKER_LEAD:
            speaker = loudest
        if speaker != self._speaker:
            self._speaker = speaker
            self._on_event(SpeakerChanged(self.room_id, speaker))

    def _review_limits(self, now: float) -> None:
        """Divides each viewer's link among what it watches, and holds publishers to it.

        A newcomer whose link is still being tried out has no say where others watch too, and one
        who is not connected yet has none at all.
        """
        settled: dict[str, int] = {}
        guessed: dict[str, int] = {}
        for viewer in self.peers.values():
            if not viewer.transport.ready:
                continue
            share = self._shares[viewer.peer_id]
            divide(viewer, share, now)
            _choose_layers(viewer, share.per_picture, now)
            book = settled if viewer.downlink.estimator.is_settled(now) else guessed
            for publisher, pictures in _watched(viewer, now).items():
                allowed = voice_bitrate(viewer) + pictures * share.per_picture
                book[publisher] = min(book.get(publisher, allowed), allowed)
        limits = guessed | settled
        unwatched = UNWATCHED_BITRATE if len(self.peers) > 1 else ALONE_BITRATE
        for peer_id, peer in self.peers.items():
            for source in peer.streams:
                source.measure(now)
            sizes = self._review_layers(peer, now)
            self._review_tap(peer, now)
            limit = limits.get(peer_id, AUDIO_BITRATE if sizes else unwatched)
            self._hold(peer, limit + sizes, now)

    def _review_layers(self, publisher: Peer, now: float) -> int:
        """Says in which sizes a camera is wanted; returns what those that come may take, in bits a
        second."""
        camera = publisher.camera
        if camera is None or not camera.layers:
            return 0
        flowing = layers.come(camera, now)
        off = not any(s.is_live(now) for s in (camera, *camera.layers))
        camera.wanted.settle(() if off else _sizes(camera, self.peers.values(), now), now)
        news = camera.wanted.news(now, flowing=flowing)
        if news is not None:
            wanted = {camera.layers[rank].rid: bits for rank, bits in sorted(news.items())}
            self._on_event(LayersWanted(self.room_id, publisher.peer_id, wanted))
        return sum(camera.wanted.bits.values()) if flowing else 0

    def _review_tap(self, publisher: Peer, now: float) -> None:
        taken = publisher.tap_largest(now)
        if taken is not None and self._recorder is not None:
            self._recorder.begin_track(taken)

    def _hold(self, publisher: Peer, limit: int, now: float) -> None:
        """Tells a publisher its limit by REMB, which bounds its own estimate from above."""
        before, told = self._limits.get(publisher.peer_id, (0, 0.0))
        if now - told < REMB_INTERVAL and 0.95 * before < limit < 1.5 * before:
            return
        self._limits[publisher.peer_id] = limit, now
        ssrcs = [s.ssrc for s in publisher.streams if s.ssrc is not None and s.is_video]
        if ssrcs:
            publisher.transport.send_rtcp(rtcp.write_remb(limit, ssrcs))


def _choose_layers(viewer: Peer, share: int, now: float) -> None:
    """Which size of each camera, and how many of its frames, a viewer is sent."""
    for slot in viewer.slots.values():
        camera = slot.source
        if slot.paused or camera is None or not camera.layers:
            continue
        stream = layers.present(camera, slot.choice.take_size(share, now), now)
        slot.turn_to(stream)
        if stream is slot.shown:
            slot.thin(slot.choice.take_frames(share, stream.bitrate, now))


def _sizes(camera: Source, viewers: Iterable[Peer], now: float) -> Iterator[tuple[int, int]]:
    """Which size is right for everybody who sees a camera, and what they can take of it: the
    smallest for a newcomer who is not connected yet or whose link is still being tried out, and for
    whose picture there is no room at present, so that it does not come back larger than it went."""
    for viewer in viewers:
        for slot in viewer.slots.values():
            if slot.source is not camera or not camera.open or viewer.appetite == "none":
                continue
            if slot.paused and viewer.transport.ready:
                yield 0, 0
            elif viewer.downlink.estimator.is_settled(now):
                yield slot.choice.rank, slot.choice.share
            else:
                yield 0, layers.MOST[0]


def _watched(viewer: Peer, now: float) -> Counter[str]:
    """How many pictures of each publisher a viewer is being sent, but for those that come in
    several sizes as they should."""
    return Counter(
        slot.source.peer_id
        for slot in viewer.slots.values()
        if slot.kind == "video"
        and slot.source is not None
        and not slot.paused
        and not (slot.source.wanted.bits and layers.come(slot.source, now))
    )
