"""The rooms that live in this process: sockets, links and what each connection may do.

Holds only what may be lost. ``Rooms.refresh`` reads the truth and makes everything follow it.
"""

import asyncio
import json
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.db import DatabaseError

from consultations import database, notice, queries, rules, snapshot
from consultations import facts as room_facts
from consultations.actions.change import Holder
from consultations.actions.entering import note_link
from consultations.engine import (
    Allowance,
    AnyEvent,
    DataReceived,
    Engine,
    LayersWanted,
    PeerBack,
    PeerConnected,
    PeerGone,
    PeerSilent,
    QualityChanged,
    RecordingClosed,
    RecordingStopped,
    SlotsChanged,
    SpeakerChanged,
)
from consultations.facts import Facts
from consultations.hints import link_message, slots_message
from consultations.live_pictures import Pictures
from consultations.live_recording import Recordings
from consultations.logbook import Ending, Logbook
from consultations.models import Participant, ParticipantRole, Room
from telemed.lib import clock
from telemed.lib.browsers import Kind
from telemed.lib.refusals import Refused

logger = logging.getLogger(__name__)

REPLACED, REMOVED, FINISHED, ELSEWHERE, CHANGED = 4002, 4003, 4004, 4005, 4008
REJOIN_WITHIN_SECONDS = 1.5
REMEMBERED_ANSWERS = 500
PRESENT_SECONDS = 15.0  # a browser says ping every 10
NOTHING = rules.Permit(send=False, receive=False)


class Socket(Protocol):
    """One browser's connection, as the room sees it."""

    participant: str
    browser: str
    language: str
    guest: str | None
    sequence: int | None  # the appointment's, when this socket was first shown it
    agent: Kind
    heard: float  # when it last said anything, on the monotonic clock

    async def tell(self, message: dict[str, Any]) -> None: ...
    async def end(self, code: int, reason: str = "") -> None: ...


# Nobody is told to wait with what stops something or calls for help; the socket's limit is enough.
UNPACED = frozenset(
    {
        "consent",
        "withdraw",
        "mute",
        "pause",
        "remove",
        "leave",
        "emergency",
        "record_stop",
        "record_withdraw",
        "finish",
    }
)


class Pace:
    """How fast one participant may say things, by all their sockets together: a new socket begins
    with nothing of its own."""

    def __init__(self) -> None:
        self._limits = {
            "chat": Allowance(rate=0.8, burst=8),
            "offer": Allowance(rate=0.4, burst=4),
            "stats": Allowance(rate=0.2, burst=3),
            # Each is a reading of the room, which everybody in it is shown.
            "snapshot": Allowance(rate=0.5, burst=5),
        }
        self._changes = Allowance(rate=4, burst=40)

    def allows(self, type_: str, now: float) -> bool:
        return type_ in UNPACED or self._limits.get(type_, self._changes).allows(now)


@dataclass
class Stop:
    """What was told to stop before that was stored: connections, and the recording of the room,
    for ``recording`` as its reason. ``over``: it is stored, or was refused, and the next reading
    of the room says what holds."""

    connections: frozenset[str]
    recording: str = ""
    over: bool = False


@dataclass(frozen=True)
class Device:
    """What a connection was made from: the browser, and by link the guest session."""

    browser: str
    guest: str | None = None


@dataclass
class LiveRoom:
    """``answers`` remembers what each change was answered, so that a repeat hears the same.

    ``devices`` is what each connection was made from; ``stops`` the newest stop of each kind of
    message, by participant and that.
    """

    id: str
    sockets: set[Socket] = field(default_factory=set)
    devices: dict[str, Device] = field(default_factory=dict)
    stops: dict[tuple[str, str], Stop] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    answers: OrderedDict[tuple[str, str], dict[str, Any]] = field(default_factory=OrderedDict)
    facts: Facts | None = None
    unattended_since: datetime | None = None
    # Nobody is here by socket or by media; in a draining process, no two are connected.
    idle_since: datetime | None = None
    refreshing: asyncio.Task[None] | None = None
    again: bool = False

    def pace(self, participant: str) -> Pace:
        return self.paces.setdefault(participant, Pace())

    def of(self, participant: str) -> list[Socket]:
        return [one for one in self.sockets if one.participant == participant]

    def who(self) -> Iterator[tuple[str, str | None]]:
        """Participant and guest session of every socket and of every connection."""
        yield from ((socket.participant, socket.guest) for socket in self.sockets)
        yield from ((participant, device.guest) for participant, device in self.devices.items())

    def inside(self) -> Iterator[tuple[Socket, Participant]]:
        """The sockets of those who are in, by the newest facts."""
        for socket in list(self.sockets):
            one = self.facts.participant(socket.participant) if self.facts else None
            if one is not None and snapshot.is_live(one, socket.browser):
                yield socket, one

    def has_specialist(self) -> bool:
        return any(one.role == ParticipantRole.SPECIALIST for _socket, one in self.inside())

    def professionals_silence(self) -> float:
        """For how many seconds no professional has given a sign of being here.

        Connected media are one at every moment, a socket is one whenever it says something.
        Infinite when none has either.
        """
        people = self.facts.people if self.facts else []
        here = {
            str(one.pk)
            for one in people
            if one.role in snapshot.PROFESSIONAL and one.state in rules.INSIDE
        }
        if any(self.links.get(one) == "connected" for one in here):
            return 0.0
        heard = [socket.heard for socket in self.sockets if socket.participant in here]
        return time.monotonic() - max(heard) if heard else math.inf

    def remember(self, participant: str, message_id: str, answer: dict[str, Any]) -> None:
        self.answers[participant, message_id] = answer
        while len(self.answers) > REMEMBERED_ANSWERS:
            self.answers.popitem(last=False)


class Rooms:
    """All of this process. Belongs to its event loop."""

    def __init__(self) -> None:
        self.engine: Engine
        self.identity: Holder = (0, 0)  # of the process that these rooms live in
        self.logbook = Logbook()
        self.recordings = Recordings(self)
        self.pictures = Pictures(self)
        self._rooms: dict[str, LiveRoom] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[LiveRoom]:
        return iter(list(self._rooms.values()))

    def __len__(self) -> int:
        return len(self._rooms)

    def get(self, room_id: str) -> LiveRoom:
        return self._rooms.setdefault(room_id, LiveRoom(room_id))

    @property
    def people(self) -> int:
        return sum(len(room.sockets) for room in self._rooms.values())

    # Sockets.

    async def enter(self, room_id: str, socket: Socket) -> LiveRoom:
        """A newer connection of the same browser replaces the older at once."""
        room = self.get(room_id)
        for older in room.of(socket.participant):
            if older.browser == socket.browser:
                room.sockets.discard(older)
                await older.end(REPLACED)
        room.sockets.add(socket)
        return room

    def left(self, room_id: str, socket: Socket) -> None:
        """A socket is gone. The peer connection, if any, goes on by itself."""
        room = self._rooms.get(room_id)
        if room is not None:
            room.sockets.discard(socket)

    def forget(self, room_id: str) -> None:
        self.pictures.give_up(room_id)
        self._rooms.pop(room_id, None)

    def number(self, room_id: str) -> int:
        """The newest snapshot number known here; 0 before the first reading."""
        room = self._rooms.get(room_id)
        return room.facts.room.snapshot if room is not None and room.facts is not None else 0

    # Following the truth.

    def refresh_soon(self, room_id: str) -> None:
        """Refresh without waiting; asked many times at once it runs once more after this one."""
        room = self._rooms.get(room_id)
        if room is None:
            return
        if room.refreshing is not None and not room.refreshing.done():
            room.again = True
            return
        room.refreshing = self.spawn(self._refresh_until_still(room))

    async def refresh(self, room_id: str) -> None:
        """Refresh and wait until the newest state was told."""
        self.refresh_soon(room_id)
        room = self._rooms.get(room_id)
        if room is not None and room.refreshing is not None:
            await asyncio.shield(room.refreshing)

    async def _refresh_until_still(self, room: LiveRoom) -> None:
        room.again = True
        while room.again:
            room.again = False
            over = [(key, stop) for key, stop in room.stops.items() if stop.over]
            # Whoever comes in while this is read may not stand in it yet; they are read again.
            here = set(room.sockets)
            try:
                room.facts = await database.read(room_facts.load, room.id)
            except DatabaseError:
                # The call goes on as it was permitted; the heartbeat asks again.
                logger.exception("room %s could not be read", room.id)
                return
            for key, stop in over:
                if room.stops.get(key) is stop:  # a newer one may be stored by now, and unread
                    del room.stops[key]
            await self._follow(room, room.facts, here)

    async def _follow(self, room: LiveRoom, facts: Facts, here: set[Socket]) -> None:
        halted = next((one.recording for one in room.stops.values() if one.recording), "")
        self.recordings.follow(room.id, facts, halted)  # before anybody new is heard
        self._permit(room, facts)
        self.pictures.follow(room)
        for socket in here & room.sockets:
            code = _must_end(facts, socket)
            if code:
                room.sockets.discard(socket)
                await socket.end(code)
        for socket in here & room.sockets:
            await self.show(room, facts, socket)

    def _permit(self, room: LiveRoom, facts: Facts) -> None:
        if facts.room.state == Room.State.CLOSED:
            self.logbook.announce_room(room.id, Ending.FINISHED)
            self.engine.end_room(room.id)
            return
        permits = self.permits(room, facts)
        for one in facts.people:
            device = room.devices.get(str(one.pk), Device(str(one.browser)))
            live = one.beside_id is None and snapshot.is_live(one, device.browser)
            if not live or _is_shut_out(facts, one, device.guest):
                self.logbook.announce(str(one.pk), _ending(facts, one, device.guest))
                self.engine.leave(room.id, str(one.pk))
                room.links.pop(str(one.pk), None)
                room.modes.pop(str(one.pk), None)
                room.devices.pop(str(one.pk), None)
            else:
                self.engine.permit(room.id, str(one.pk), permits[str(one.pk)])

    @contextmanager
    def stopping(self, room: LiveRoom, key: tuple[str, str], stop: Stop) -> Iterator[None]:
        """Stop this at once and keep it stopped while the body stores why.

        A reading of the room from before that must not open it again. Where storing fails it
        stays stopped until the same person says the same again, or something else (``settle``).
        """
        room.stops[key] = stop
        for one in stop.connections:
            self.engine.permit(room.id, one, NOTHING)
        if stop.recording:
            self.recordings.halt(room.id, stop.recording)
        try:
            yield
        except Refused:
            stop.over = True
            raise
        stop.over = True

    def settle(self, room: LiveRoom, by: str) -> None:
        """What this person had stopped follows the database again."""
        for (who, _type), stop in room.stops.items():
            stop.over = stop.over or who == by

    def permits(self, room: LiveRoom, facts: Facts) -> dict[str, rules.Permit]:
        gone = room.unattended_since
        attended = gone is None or clock.now() - gone < rules.UNATTENDED_LIMIT
        permitted = rules.permits(
            facts.persons(),
            room_state=facts.room.state,
            override=facts.override,
            attended=attended,
        )
        stopped = {one for stop in room.stops.values() for one in stop.connections}
        return {one: NOTHING if one in stopped else it for one, it in permitted.items()}

    def stop_media(self, room: LiveRoom) -> None:
        """Stop every connection of the room at once."""
        for participant in room.links:
            self.engine.permit(room.id, participant, NOTHING)

    async def show(self, room: LiveRoom, facts: Facts, socket: Socket) -> None:
        """Send one socket the snapshot that its person may see."""
        you = facts.participant(socket.participant)
        if you is None:
            return
        socket.sequence = facts.appointment.sequence
        waits = None
        if not snapshot.is_live(you, socket.browser):
            waits = snapshot.Waits(
                await database.read(queries.queue_for, facts.appointment, facts.read_at),
                room.has_specialist() or await database.read(notice.was_shown, you),
            )
        await socket.tell(
            snapshot.of(
                facts,
                you,
                socket.browser,
                socket.language,
                snapshot.Connections(room.links, room.modes),
                waits,
            )
        )

    # What the media server reports.

    def on_event(self, event: AnyEvent) -> None:
        self.logbook.on_event(event)
        if isinstance(event, RecordingStopped | RecordingClosed):
            self.recordings.on_event(event)  # of a room that was given up, too
            return
        room = self._rooms.get(event.room_id)
        if room is not None:
            self._hear(room, event)

    def _hear(self, room: LiveRoom, event: AnyEvent) -> None:
        match event:
            case PeerConnected() | PeerBack():
                self._link(room, event.peer_id, "connected")
            case PeerSilent():
                self._link(room, event.peer_id, "reconnecting")
            case PeerGone(reason="replaced"):
                pass
            case PeerGone(reason="left" | "ended"):
                self._link(room, event.peer_id, "gone")
            case PeerGone():
                self._link(room, event.peer_id, "reconnecting")
            case SlotsChanged():
                self._tell(room, slots_message(event.slots), to=event.peer_id)
            case SpeakerChanged():
                self._tell(room, {"type": "speaker", "participant": event.peer_id})
            case DataReceived():
                self.pictures.hear(room, event)
            case QualityChanged() | LayersWanted():
                self._tell(room, link_message(event), to=event.peer_id)

    def _link(self, room: LiveRoom, participant: str, state: str) -> None:
        if room.links.get(participant) == state:
            return
        room.links[participant] = state
        self._tell(room, {"type": "link", "participant": participant, "state": state})
        if state != "gone":
            kept = _keep_link(participant, self.identity, connected=state == "connected")
            self.spawn(kept)

    def note_mode(self, room: LiveRoom, participant: str, mode: str) -> None:
        """What somebody's camera sends from now on. Those who see it are told."""
        self.logbook.note_mode(participant, mode)
        if room.modes.get(participant, "full") != mode:
            room.modes[participant] = mode
            self._tell(room, {"type": "mode", "participant": participant, "mode": mode})

    def _tell(self, room: LiveRoom, message: dict[str, Any], to: str | None = None) -> None:
        for socket, one in room.inside():
            if to is None or str(one.pk) == to:
                self.spawn(socket.tell(message))

    def tell_professionals(self, room_id: str, message: dict[str, Any]) -> None:
        room = self._rooms.get(room_id)
        for socket, one in room.inside() if room is not None else ():
            if one.role in snapshot.PROFESSIONAL:
                self.spawn(socket.tell(message))

    async def abandon(self, room_id: str) -> None:
        """The lease is another's: end everything here and send people there, not all at once."""
        room = self._rooms.pop(room_id, None)
        self.pictures.give_up(room_id)
        self.recordings.halt(room_id, "lost")
        self.logbook.announce_room(room_id, Ending.SHUTDOWN)
        self.engine.end_room(room_id)
        for socket in list(room.sockets) if room else ():
            await socket.end(ELSEWHERE, json.dumps({"within": REJOIN_WITHIN_SECONDS}))

    def spawn(self, work: Any) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def until_still(self) -> None:
        """Until everything begun here is stored and told, or given up."""
        while self._tasks:
            await asyncio.wait(self._tasks)


async def _keep_link(participant: str, holder: Holder, *, connected: bool) -> None:
    try:
        await database.write(note_link, participant, holder, connected=connected)
    except DatabaseError:
        logger.exception("the link of %s could not be kept", participant)


def _must_end(facts: Facts, socket: Socket) -> int | None:
    """The close code for a socket that has no place here any more."""
    if socket.sequence not in (None, facts.appointment.sequence):
        return CHANGED
    if facts.room.state == Room.State.CLOSED:
        return FINISHED
    one = facts.participant(socket.participant)
    if one is None or one.state in rules.OUTSIDE:
        return REMOVED
    if _is_shut_out(facts, one, socket.guest):
        return REMOVED
    ours = {str(one.browser), str(one.next_browser)}
    return None if socket.browser in ours else REPLACED


def _is_shut_out(facts: Facts, one: Participant, guest: str | None) -> bool:
    """Whether the login, session or role, or the guest session, by which they came was ended."""
    return str(one.pk) in facts.barred or (guest is not None and guest not in facts.guests)


def _ending(facts: Facts, one: Participant, guest: str | None) -> Ending:
    """Why the connection of somebody who has no place here any more ends."""
    if one.state in rules.OUTSIDE or _is_shut_out(facts, one, guest):
        return Ending.REMOVED
    return Ending.REPLACED if one.state in rules.INSIDE else Ending.LEFT
