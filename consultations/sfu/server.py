"""The media server: rooms and peers behind one UDP port, and the door to them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable

from aiortc.rtcdtlstransport import RTCDtlsFingerprint

from .answer import ServerFacts, write_answer
from .certificate import Certificate
from .config import MediaConfig, local_addresses
from .events import (
    AnyEvent,
    Appetite,
    DataReceived,
    JoinRefused,
    PathChanged,
    PeerBack,
    PeerConnected,
    PeerGone,
    PeerSilent,
    RecordingClosed,
    RecordingStopped,
    Sink,
    Slot,
)
from .mux import Mux
from .peer import Callbacks, Peer
from .record import Recorder
from .room import Room
from .sdp import Offer, parse_offer
from .statistics import PeerStatistics, Statistics
from .transport import Transport

logger = logging.getLogger(__name__)

TICK = 0.02
REVIEW = 0.2
SWEEP = 0.25
CERTIFICATE_SECONDS = 7 * 86400.0
SINK_SECONDS = 5.0  # that a sink may still take when the server ends


class MediaServer:
    """Made by `start`. All methods belong to the event loop that started it."""

    def __init__(self, config: MediaConfig, on_event: Callable[[AnyEvent], None]) -> None:
        self.config = config
        self.loop_lag = 0.0
        self._on_event = on_event
        self._mux = Mux()
        self._certificate, self._certified = Certificate.generateCertificate(), self._mux.now()
        self._rooms: dict[str, Room] = {}
        self._echoes: dict[str, tuple[Room, float]] = {}
        self._recorders: dict[str, Recorder] = {}
        self._writing: set[Recorder] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._sent_by_gone = [0, 0, 0]
        self._version = 0

    @classmethod
    async def start(cls, config: MediaConfig, on_event: Callable[[AnyEvent], None]) -> MediaServer:
        """Opens the sockets; raises OSError when an address or the port cannot be had.

        `on_event` is called synchronously on the loop with the dataclasses of `events`.
        """
        server = cls(config, on_event)
        server._mux.open(config.bind or local_addresses(), config.port, every=bool(config.bind))
        server._ticker = asyncio.get_running_loop().create_task(server._run())
        return server

    @property
    def port(self) -> int:
        return self._mux.port

    # The door.

    async def join(
        self, room_id: str, peer_id: str, offer: str, *, send: bool = False, receive: bool = False
    ) -> str:
        """Answers an offer: a first one, a renegotiation or an ICE restart.

        An offer with the certificate of the peer's present session continues that session and
        changes no permission. Any other starts a new one, with the permissions given here, and
        replaces what the peer had (PeerGone `replaced`). Raises SdpRefused for the offer itself
        and JoinRefused `full`, `room_full` or (try again in a moment) `busy` for want of room.
        """
        parsed = parse_offer(offer)
        room = self._rooms.get(room_id) or Room(room_id, self._on_event)
        peer = room.peers.get(peer_id)
        if peer is not None and not self._continues(peer, parsed):
            self._remove(room, peer, "replaced")
            peer = None
        if peer is None:
            self._check_capacity(room)
            self._rooms[room_id] = room
            peer = self._admit(room, peer_id, parsed)
            peer.may_send, peer.may_receive = send, receive
        return self._answer(room, peer, parsed)

    async def echo(self, peer_id: str, offer: str, *, seconds: float = 20.0) -> str:
        """Answers the offer of a connection test, which hears and sees itself and nobody else.

        It ends by itself (PeerGone `ended`, room "") after `seconds`. It is in no room: nothing
        that is told of rooms finds it, and `leave("", peer_id)` ends it early.
        """
        parsed = parse_offer(offer)
        known = self._echoes.get(peer_id)
        if known is not None and not self._continues(known[0].peers[peer_id], parsed):
            self._end_echo(peer_id, "replaced")
            known = None
        if known is None:
            room = Room("", self._on_event, echo=True)
            self._check_capacity(room)
            self._echoes[peer_id] = room, self._mux.now() + seconds
            peer = self._admit(room, peer_id, parsed)
            peer.may_send = peer.may_receive = True
        else:
            room, peer = known[0], known[0].peers[peer_id]
        return self._answer(room, peer, parsed)

    def permit(self, room_id: str, peer_id: str, *, send: bool, receive: bool) -> bool:
        """Says whether the peer may be seen and heard, and whether it may see and hear.

        Acts before the next packet. False when there is no such peer.
        """
        room, peer = self._find(room_id, peer_id)
        if room is None or peer is None:
            return False
        room.permit(peer, send=send, receive=receive)
        return True

    def mute(self, room_id: str, peer_id: str, kind: str, muted: bool) -> bool:
        """Stops or lets on what a peer sends of `kind` (audio, video, screen)."""
        room, peer = self._find(room_id, peer_id)
        if room is None or peer is None:
            return False
        room.mute(peer, kind, muted=muted)
        return True

    def heard(self, room_id: str, peer_id: str) -> None:
        """The peer's signalling spoke: somebody who sends no media is there all the same."""
        _, peer = self._find(room_id, peer_id)
        if peer is not None:
            peer.signalled = self._mux.now()

    def watch(self, room_id: str, peer_id: str, appetite: Appetite) -> bool:
        """Sends a peer pictures as the link carries (`all`), small ones (`save`) or `none`."""
        _, peer = self._find(room_id, peer_id)
        if peer is None:
            return False
        peer.appetite = appetite
        return True

    def tell(self, room_id: str, peer_id: str, message: str) -> bool:
        """Says something over the peer's data channel. False when it was dropped."""
        _, peer = self._find(room_id, peer_id)
        return peer is not None and peer.transport.send_data(message)

    def leave(self, room_id: str, peer_id: str) -> None:
        """Ends a peer's session at once; no error when it is gone already."""
        if not room_id:
            self._end_echo(peer_id, "left")
            return
        room, peer = self._find(room_id, peer_id)
        if room is not None and peer is not None:
            self._remove(room, peer, "left")

    def end_room(self, room_id: str) -> None:
        """Ends every session of a room at once."""
        room = self._rooms.get(room_id)
        for peer in list(room.peers.values()) if room else ():
            self._remove(room, peer, "ended")  # type: ignore[arg-type]

    def record(self, room_id: str, sink: Sink, peers: Iterable[str]) -> bool:
        """Hands the packets of these peers, and of nobody else, to `sink` until the recording
        ends (RecordingStopped, then RecordingClosed); whoever of them comes later is recorded too.

        False when nobody is in the room, or it is being recorded.
        """
        room = self._rooms.get(room_id)
        if room is None or room_id in self._recorders:
            return False
        recorder = Recorder(
            sink,
            self._mux.now(),
            over=lambda reason: self._recording_over(room_id, recorder, reason),
            closed=lambda reason: self._recording_closed(room_id, recorder, reason),
        )
        self._recorders[room_id] = recorder
        self._writing.add(recorder)
        room.record(recorder, frozenset(peers))
        return True

    def allow_recording(self, room_id: str, peers: Iterable[str]) -> None:
        """From the next packet on these peers are recorded, and nobody else."""
        room, recorder = self._rooms.get(room_id), self._recorders.get(room_id)
        if room is not None and recorder is not None:
            room.record(recorder, frozenset(peers))

    def stop_recording(self, room_id: str, reason: str = "stopped") -> bool:
        """Takes no further packet. False when nothing is being recorded there."""
        recorder = self._recorders.get(room_id)
        if recorder is None:
            return False
        recorder.stop(reason)
        return True

    def session(self, room_id: str, peer_id: str) -> str:
        """A name for the peer's present session: another one, and what the browser agreed on with
        the session of before is not known any more. Empty for an unknown peer."""
        _, peer = self._find(room_id, peer_id)
        return peer.session if peer is not None else ""

    def slots(self, room_id: str, peer_id: str) -> list[Slot]:
        """The peer's receive slots as they are mapped now; empty for an unknown peer."""
        room, peer = self._find(room_id, peer_id)
        return room.slots(peer) if room is not None and peer is not None else []

    def estimate(self, room_id: str, peer_id: str) -> int:
        """What the peer's downlink is thought to carry, in bits a second; 0 when unknown."""
        _, peer = self._find(room_id, peer_id)
        return int(peer.downlink.estimator.bitrate) if peer is not None else 0

    def peer_statistics(self, room_id: str, peer_id: str) -> PeerStatistics | None:
        """None for an unknown peer. Says nothing of where the peer is."""
        room, peer = self._find(room_id, peer_id)
        if room is None or peer is None:
            return None
        link = peer.downlink.estimator
        return PeerStatistics(
            family=peer.transport.ice.family,
            round_trip=link.round_trip if link.is_informed else None,
            loss_up=peer.uplink_loss,
            loss_down=link.loss if link.is_informed else None,
            bytes_up=sum(source.bytes for source in peer.streams),
            bytes_down=peer.downlink.bytes,
            mode=room.mode_of(peer),
        )

    def statistics(self) -> Statistics:
        peers = [peer for room in self._all_rooms() for peer in room.peers.values()]
        return Statistics(
            rooms=len(self._rooms),
            peers=len(peers),
            packets_received=self._mux.packets,
            packets_sent=self._sent_by_gone[0] + sum(p.downlink.packets for p in peers),
            bytes_received=self._mux.bytes,
            bytes_sent=self._sent_by_gone[1] + sum(p.downlink.bytes for p in peers),
            resent_bytes=self._sent_by_gone[2] + sum(p.downlink.resent_bytes for p in peers),
            loop_lag=self.loop_lag,
            loss=sum(p.downlink.estimator.loss for p in peers) / max(1, len(peers)),
            drops=dict(self._mux.drops),
            counts=dict(self._mux.counts),
            states=Counter(peer.state for peer in peers),
            recordings=len(self._recorders),
        )

    def estimates(self) -> list[float]:
        """What the links of those who have told of theirs are thought to carry, bits a second."""
        peers = [peer for room in self._all_rooms() for peer in room.peers.values()]
        links = [peer.downlink.estimator for peer in peers]
        return [link.bitrate for link in links if link.is_informed]

    async def close(self) -> None:
        """Ends every session and closes the sockets."""
        if self._ticker is not None:
            self._ticker.cancel()
        for recorder in list(self._recorders.values()):
            recorder.stop("shutdown")
        await asyncio.gather(*(recorder.wait(SINK_SECONDS) for recorder in self._writing))
        await asyncio.sleep(0)  # the threads' last words
        for room in self._all_rooms():
            for peer in list(room.peers.values()):
                self._remove(room, peer, "shutdown")
        if self._closing:
            await asyncio.wait(self._closing)
        self._mux.close()

    # Sessions.

    def _find(self, room_id: str, peer_id: str) -> tuple[Room | None, Peer | None]:
        room = self._rooms.get(room_id)
        return room, room.peers.get(peer_id) if room else None

    def _all_rooms(self) -> list[Room]:
        return [*self._rooms.values(), *(room for room, _ in self._echoes.values())]

    def _continues(self, peer: Peer, offer: Offer) -> bool:
        return peer.transport.fingerprints[0].value == offer.fingerprint

    def _check_capacity(self, room: Room) -> None:
        """Connection tests have places of their own: no call waits for the end of one."""
        if room.echo:
            rooms, most = [one for one, _ in self._echoes.values()], self.config.max_echoes
        else:
            rooms, most = list(self._rooms.values()), self.config.max_peers
        peers = [peer for one in rooms for peer in one.peers.values()]
        if len(peers) >= most:
            raise JoinRefused("full", "this media server carries all it can")
        if sum(peer.transport.shaking_hands for peer in peers) >= self.config.max_handshakes:
            raise JoinRefused("busy", "too many people are connecting at this moment")
        if len(room.peers) >= self.config.max_peers_per_room:
            raise JoinRefused("room_full", "this room is full")

    def _admit(self, room: Room, peer_id: str, offer: Offer) -> Peer:
        fingerprint = RTCDtlsFingerprint(algorithm="sha-256", value=offer.fingerprint)
        callbacks = Callbacks(
            connected=lambda: self._on_event(PeerConnected(room.room_id, peer_id)),
            disconnected=lambda peer, reason: self._remove(room, peer, reason),
            path_changed=lambda: self._on_event(PathChanged(room.room_id, peer_id)),
            new_source=room.arrange,
            data=lambda message: self._on_event(DataReceived(room.room_id, peer_id, message)),
        )
        peer = Peer(
            peer_id,
            lambda owner: Transport(self._mux, self._fresh_certificate(), [fingerprint], owner),
            callbacks,
            self.config,
        )
        room.add(peer)
        return peer

    def _answer(self, room: Room, peer: Peer, offer: Offer) -> str:
        outgoing = peer.negotiated(offer)
        for section in offer.sections:
            if section.kind == "application" and not section.rejected:
                peer.transport.use_data_channel(section.sctp_port)
        room.arrange()
        self._version += 1
        return write_answer(
            offer,
            self._version,
            peer.transport.ice.offered(offer.ice_ufrag),
            ServerFacts(
                peer.transport.certificate.sha256,
                self.config.candidate_addresses or self._mux.addresses,
                self._mux.port,
            ),
            outgoing,
        )

    def _fresh_certificate(self) -> Certificate:
        """The one for new sessions; those that live keep theirs. aiortc's expire after 30 days."""
        if self._mux.now() - self._certified > CERTIFICATE_SECONDS:
            self._certificate, self._certified = Certificate.generateCertificate(), self._mux.now()
        return self._certificate

    def _remove(self, room: Room, peer: Peer, reason: str) -> None:
        if room.peers.get(peer.peer_id) is not peer:
            return
        room.remove(peer)
        if room.echo:
            self._echoes.pop(peer.peer_id, None)
        elif not room.peers:
            self._rooms.pop(room.room_id, None)
            self.stop_recording(room.room_id, "empty")
        self._sent_by_gone[0] += peer.downlink.packets
        self._sent_by_gone[1] += peer.downlink.bytes
        self._sent_by_gone[2] += peer.downlink.resent_bytes
        peer.close()
        task = asyncio.get_running_loop().create_task(peer.transport.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._on_event(PeerGone(room.room_id, peer.peer_id, reason))

    def _recording_over(self, room_id: str, recorder: Recorder, reason: str) -> None:
        if self._recorders.get(room_id) is recorder:
            del self._recorders[room_id]
        room = self._rooms.get(room_id)
        if room is not None:
            room.record(None, frozenset())
        self._on_event(RecordingStopped(room_id, recorder.sink, reason))

    def _recording_closed(self, room_id: str, recorder: Recorder, reason: str) -> None:
        self._writing.discard(recorder)
        self._on_event(RecordingClosed(room_id, recorder.sink, reason))

    def _end_echo(self, peer_id: str, reason: str) -> None:
        known = self._echoes.get(peer_id)
        if known is not None:
            self._remove(known[0], known[0].peers[peer_id], reason)

    # Time.

    async def _run(self) -> None:
        """The one clock of the server: RTCP, reviews and liveness of everybody."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        review_at = sweep_at = 0.0
        while True:
            due = max(due + TICK, loop.time())
            await asyncio.sleep(due - loop.time())
            now = self._mux.now()
            self._note_lag(loop.time() - due)
            reviewing, sweeping = now >= review_at, now >= sweep_at
            review_at = now + REVIEW if reviewing else review_at
            if sweeping:
                sweep_at = now + SWEEP
                self._mux.adapt(now)
            for room in self._all_rooms():
                try:
                    self._attend(room, now, reviewing=reviewing, sweeping=sweeping)
                except Exception:  # noqa: BLE001 - one room's trouble must not stop the others
                    self._mux.failed()

    def _note_lag(self, lag: float) -> None:
        self.loop_lag = max(lag, self.loop_lag * 0.98)

    def _attend(self, room: Room, now: float, *, reviewing: bool, sweeping: bool) -> None:
        recorder = self._recorders.get(room.room_id)
        if recorder is not None:
            recorder.tick(now)
        for peer in list(room.peers.values()):
            try:
                peer.tick(now)
            except Exception:  # noqa: BLE001 - nor one person's the others' in their room
                self._mux.failed()
            if sweeping:
                self._watch(room, peer, now)
        if reviewing:
            room.review(now)
        if sweeping and room.echo:
            for peer_id in [p for p in room.peers if self._echoes[p][1] <= now]:
                self._end_echo(peer_id, "ended")

    def _watch(self, room: Room, peer: Peer, now: float) -> None:
        """Tells of silence and its end; forgets who has sent no valid check for too long."""
        ice, config = peer.transport.ice, self.config
        if now - ice.last_check > config.reap_seconds:
            self._remove(room, peer, "timeout")
            return
        ice.expire_addresses(now - config.reap_seconds)
        heard, silent = peer.silence(now, config)
        if peer.silent_since is None and peer.transport.ready and silent:
            peer.silent_since = heard
            self._on_event(PeerSilent(room.room_id, peer.peer_id, now - heard))
        elif peer.silent_since is not None and not silent:
            seconds, peer.silent_since = heard - peer.silent_since, None
            self._on_event(PeerBack(room.room_id, peer.peer_id, seconds))
