"""The record of the calls that this process carries: a ``CallRecord`` of each media session.

Kept in memory and stored by the clock, never on the way of a packet or an answer. While the
database is away calls go on, and what was not stored is stored later: only the newest seconds of
a process that dies are lost.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError

from consultations import database
from consultations.engine import (
    AnyEvent,
    Engine,
    Event,
    PeerBack,
    PeerConnected,
    PeerGone,
    PeerSilent,
    PeerStatistics,
)
from consultations.models import CallRecord, Participant
from telemed.lib import clock
from telemed.lib.browsers import Kind

logger = logging.getLogger(__name__)

SAMPLE_SECONDS = 2.0
STORE_EVERY_SAMPLES = 10
MOST_STEPS = 200  # changes of mode, and gaps, that one record keeps
MOST_KEPT = 2000  # ended records that wait for the database
WRITTEN_ANEW = [
    one.name
    for one in CallRecord._meta.concrete_fields
    if one.name not in ("id", "participant", "started_at")
]
Ending = CallRecord.Ending
MODES = CallRecord.Mode.values  # from the best to the worst


@dataclass
class Mean:
    total: float = 0.0
    count: int = 0
    worst: float = 0.0

    def add(self, value: float) -> None:
        self.total, self.count = self.total + value, self.count + 1
        self.worst = max(self.worst, value)

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(frozen=True)
class Told:
    """What a browser says of its own connection, in totals since that began.

    ``path`` is direct, relay, relay-tcp or unknown; ``round_trip`` and ``frozen`` are seconds,
    ``concealed`` is a share. None is what this browser does not count.
    """

    path: str
    round_trip: float | None
    concealed: float | None
    freezes: int | None
    frozen: float | None


@dataclass
class Session:
    """One media session under way. ``announced``: how it will have ended when it goes;
    ``chose_voice``: they want no pictures in either direction, whatever the link carries."""

    room: str
    participant: str
    agent: Kind
    id: UUID = field(default_factory=uuid4)
    announced: Ending | None = None
    chose_voice: bool = False

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._record = CallRecord(
            id=self.id,
            participant_id=UUID(self.participant),
            started_at=clock.now(),
            device=self.agent.device,
            browser=self.agent.family,
        )
        self._sent = self._received = MODES[0]
        self._silent_since: float | None = None
        self._round_trip, self._told_round_trip = Mean(), Mean()
        self._loss_up, self._loss_down = Mean(), Mean()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def connected(self) -> None:
        self._record.connected_at = self._record.connected_at or clock.now()
        self.heard()

    def silent(self, seconds: float) -> None:
        if self._silent_since is None:
            self._silent_since = max(0.0, self.seconds - seconds)

    def heard(self) -> None:
        since, self._silent_since = self._silent_since, None
        if since is not None:
            self._keep_gap(since)

    def _keep_gap(self, since: float) -> None:
        if len(self._record.gaps) < MOST_STEPS:
            self._record.gaps.append([round(since, 1), round(self.seconds - since, 1)])

    def note_mode(self, *, sent: str | None = None, received: str | None = None) -> None:
        """Keeps the worse of the two: a person has one link."""
        self._sent, self._received = sent or self._sent, received or self._received
        worse = max(self._sent, self._received, key=MODES.index)
        step = [CallRecord.Mode.VOICE.value, True] if self.chose_voice else [worse]
        modes = self._record.modes
        if len(modes) < MOST_STEPS and (not modes or modes[-1][1:] != step):
            modes.append([round(self.seconds, 1), *step])

    def sample(self, now: PeerStatistics) -> None:
        record = self._record
        record.path = _path(record.path, now.family)
        record.bytes_up, record.bytes_down = now.bytes_up, now.bytes_down
        if record.connected_at is None or self._silent_since is not None:
            return
        self._loss_up.add(now.loss_up)
        if now.loss_down is not None:
            self._loss_down.add(now.loss_down)
        if now.round_trip is not None:
            self._round_trip.add(now.round_trip)
        self.note_mode(received=now.mode)

    def told(self, now: Told) -> None:
        record = self._record
        if now.path.startswith("relay"):
            record.path = CallRecord.Path(now.path)
        if now.round_trip is not None:
            self._told_round_trip.add(now.round_trip)
        record.concealed, record.freezes = now.concealed, now.freezes
        record.frozen_seconds = now.frozen

    def end(self, ending: Ending) -> None:
        self.heard()
        self._record.ended_at, self._record.ending = clock.now(), ending

    def row(self) -> CallRecord:
        """As it stands now; later changes do not touch it."""
        record = self._record
        trip = self._told_round_trip if self._told_round_trip.count else self._round_trip
        numbers: dict[str, Any] = {
            one.attname: getattr(record, one.attname) for one in CallRecord._meta.concrete_fields
        }
        numbers |= {
            "seen_at": max(record.started_at, record.ended_at or clock.now()),
            "round_trip_ms": _milliseconds(trip.value),
            "worst_round_trip_ms": _milliseconds(trip.worst if trip.count else None),
            "loss_up": _share(self._loss_up.value),
            "loss_down": _share(self._loss_down.value),
            "concealed": _share(record.concealed),
            "modes": list(record.modes),
            "gaps": [*record.gaps, *self._gap_under_way()],
        }
        return CallRecord(**numbers)

    def _gap_under_way(self) -> list[list[float]]:
        since = self._silent_since
        return [] if since is None else [[round(since, 1), round(self.seconds - since, 1)]]


def _path(known: str, family: str) -> str:
    """A relay hides the family of the path to the browser."""
    return known if known.startswith("relay") else family or known


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


class Logbook:
    """Of one media process; belongs to its event loop."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._ended: list[CallRecord] = []
        self._task: asyncio.Task[None] | None = None
        self._storing: asyncio.Task[None] | None = None

    # What the room tells.

    def begin(self, room: str, participant: str, agent: Kind) -> None:
        """Their offer was answered; nothing when it belongs to the session under way."""
        if participant not in self._sessions:
            self._sessions[participant] = Session(room, participant, agent)

    def announce(self, participant: str, ending: Ending) -> None:
        """The room is about to end this session, and knows why."""
        if participant in self._sessions:
            self._sessions[participant].announced = ending

    def announce_room(self, room: str, ending: Ending) -> None:
        for session in self._sessions.values():
            if session.room == room:
                session.announced = ending

    def note_mode(self, participant: str, mode: str) -> None:
        """From now on this participant's camera sends ``mode``, one of ``MODES``."""
        if participant in self._sessions:
            self._sessions[participant].note_mode(sent=mode)

    def note_choice(self, participant: str, *, voice_only: bool) -> None:
        """Counts from the next mode that is noted; who chooses tells that as well."""
        if participant in self._sessions:
            self._sessions[participant].chose_voice = voice_only

    def told(self, participant: str, now: Told) -> None:
        if participant in self._sessions:
            self._sessions[participant].told(now)

    def on_event(self, event: AnyEvent) -> None:
        if not isinstance(event, Event):
            return
        session = self._sessions.get(event.peer_id)
        if session is None or event.room_id != session.room:
            return
        match event:
            case PeerConnected():
                session.connected()
            case PeerBack():
                session.heard()
            case PeerSilent():
                session.silent(event.seconds)
            case PeerGone():
                self._end(session, event.reason)

    def _end(self, session: Session, reason: str) -> None:
        by_itself = {"left": Ending.LEFT, "ended": Ending.TIMEOUT}
        ending = session.announced or by_itself[reason] if reason in by_itself else Ending(reason)
        session.end(ending)
        del self._sessions[session.participant]
        self._ended = [*self._ended, session.row()][-MOST_KEPT:]

    # By the clock.

    def start(self, engine: Engine) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(engine))

    async def close(self) -> None:
        """Store what is left, once; every session has ended by now."""
        if self._task is not None:
            self._task.cancel()
        if self._storing is not None:
            await self._storing
        await self.store()

    async def _run(self, engine: Engine) -> None:
        samples = 0
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            self.sample(engine)
            samples += 1
            free = self._storing is None or self._storing.done()
            if samples % STORE_EVERY_SAMPLES == 0 and free:
                self._storing = asyncio.get_running_loop().create_task(self.store())

    def sample(self, engine: Engine) -> None:
        for session in self._sessions.values():
            now = engine.peer_statistics(session.room, session.participant)
            if now is not None:
                session.sample(now)

    async def store(self) -> None:
        ended, self._ended = self._ended, []
        rows = [*ended, *(session.row() for session in self._sessions.values())]
        try:
            if rows:
                await database.write(keep, rows)
        except DatabaseError:
            logger.exception("%s call records could not be stored", len(rows))
            self._ended = [*ended, *self._ended][-MOST_KEPT:]


def keep(rows: list[CallRecord]) -> None:
    """Write these anew, as far as their participants still exist."""
    known = set(
        Participant.objects.filter(pk__in={row.participant_id for row in rows}).values_list(
            "pk", flat=True
        )
    )
    CallRecord.objects.bulk_create(
        [row for row in rows if row.participant_id in known],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=WRITTEN_ANEW,
    )


def is_over(record: CallRecord) -> bool:
    """Whether a session has ended, or its process has not been heard of for long."""
    silence = timedelta(seconds=3 * SAMPLE_SECONDS * STORE_EVERY_SAMPLES)
    return record.ended_at is not None or clock.now() - record.seen_at > silence
