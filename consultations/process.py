"""One media process: its rooms, its media server, its heartbeat and its leases."""

import asyncio
import logging
import math
import signal
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError

from consultations import access, database, processes
from consultations.actions.change import Holder
from consultations.actions.entering import seen
from consultations.actions.visit import continue_, interrupt
from consultations.engine import Engine
from consultations.live import PRESENT_SECONDS, LiveRoom, Rooms
from consultations.meter import Meter
from consultations.metrics import Metrics, Now
from consultations.models import MediaProcess, Room
from consultations.refusals import RoomRefused
from consultations.rules import AWAY_LIMIT, UNATTENDED_LIMIT
from telemed.lib import clock
from telemed.lib.exposition import Exposition

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
DEAD_AFTER_SECONDS = processes.DEAD_AFTER.total_seconds()
# Another's last heartbeat may be older than our own by the time between two.
LATE_SECONDS = DEAD_AFTER_SECONDS - BEAT_SECONDS
SEEN_EVERY_ROUNDS = 10
SOCKET_SILENCE_SECONDS = 35.0
SILENT = 4007


class Unavailable(Exception):
    """The room cannot be had here now: another process owns it, or the database is away."""


class Process:
    """Made by ``start``; one at a time in a process, found by ``running``."""

    _running: "Process | None" = None

    def __init__(self, name: str, rooms: Rooms) -> None:
        self.name = name
        self.rooms = rooms
        self.epoch = 0
        self._row = 0
        self._rounds = 0
        self._database_answered = self._database_failed = time.monotonic()
        self._heart: asyncio.Task[None] | None = None
        self._round: asyncio.Task[None] | None = None
        self.meter = Meter(settings.MEDIA_MAX_PEOPLE)
        self.load = processes.Load()
        self.draining = False
        self.metrics = Metrics(self._now)
        self.exposition: Exposition | None = None

    @classmethod
    def running(cls) -> "Process":
        if cls._running is None:
            raise RuntimeError("no media process runs here")
        return cls._running

    @classmethod
    async def start(cls) -> "Process":
        """Opens the media port and the figures' address, begins a new epoch under this process's
        name."""
        rooms = Rooms()
        rooms.engine = await Engine.start(rooms.on_event)
        process = cls(settings.MEDIA_PROCESS, rooms)
        if settings.METRICS_ADDRESS is not None:
            process.exposition = await Exposition.start(
                process.metrics.registry, settings.METRICS_ADDRESS
            )
        await process._register()
        rooms.logbook.start(rooms.engine)
        process._heart = asyncio.get_running_loop().create_task(process._beating())
        cls._running = process
        return process

    async def stop(self) -> None:
        for task in filter(None, (self._heart, self._round)):
            task.cancel()
        for room in self.rooms:
            await self.rooms.abandon(room.id)
        if self.exposition is not None:
            await self.exposition.stop()
        await self.rooms.engine.close()
        await self.rooms.until_still()
        await self.rooms.pictures.close()
        await self.rooms.logbook.close()
        await database.write(processes.retire, self._row, self.epoch)
        await database.close()
        Process._running = None

    async def take(self, room_id: str) -> None:
        """The room's lease, for somebody who comes in. Raises ``Unavailable``.

        A process that has not reached the database for a while is dead to the others and takes
        nothing.
        """
        if time.monotonic() - self._database_answered > DEAD_AFTER_SECONDS:
            raise Unavailable
        if self.meter.full and room_id not in {room.id for room in self.rooms}:
            raise Unavailable
        if not await database.write(
            processes.take, room_id, self._row, self.epoch, is_steady=self._is_steady
        ):
            raise Unavailable

    def _is_steady(self) -> bool:
        """Whether the database was there all along for as long as it takes to look dead, so that
        who looks dead is. Not of one that has just begun: it may have begun into an outage."""
        now = time.monotonic()
        failed = now - self._database_failed <= DEAD_AFTER_SECONDS
        return not failed and now - self._database_answered <= LATE_SECONDS

    async def _register(self) -> None:
        row: MediaProcess = await database.beat(processes.register, self.name)
        self.rooms.identity = self._row, self.epoch = row.pk, row.epoch
        self._database_answered = self._database_failed = time.monotonic()

    async def _beating(self) -> None:
        while True:
            started = time.monotonic()
            try:
                await self._beat()
            except Exception:
                # Calls go on as they were permitted; nothing is concluded from a silent database.
                self._database_failed = time.monotonic()
                logger.exception("the heartbeat did not reach the database")
            await asyncio.sleep(max(0.0, BEAT_SECONDS - (time.monotonic() - started)))

    async def _beat(self) -> None:
        engine = self.rooms.engine
        self.load = self.meter.read(engine.statistics(), len(self.rooms), self.rooms.people)
        self.metrics.observe(engine.estimates())
        if self.meter.is_strained:
            self.rooms.recordings.give_way()
        if not await database.beat(processes.beat, self._row, self.epoch, self.load):
            await self._fenced_off()
            return
        now = time.monotonic()
        if now - self._database_answered > LATE_SECONDS:
            self._database_failed = now
        self._database_answered = now
        # Beside the heart: a table that is locked, or a browser that does not take its end, may
        # hold up a round for seconds, and others would think this process dead.
        if self._round is None or self._round.done():
            self._round = self.rooms.spawn(self._go_round())

    async def _go_round(self) -> None:
        try:
            await self._look_after_rooms()
        except Exception:
            # No trouble with one room may keep the others from being looked after the next time.
            logger.exception("the rooms could not be looked after")

    async def _look_after_rooms(self) -> None:
        ids, epoch = [room.id for room in self.rooms], self.epoch
        self.draining = await database.read(processes.is_draining, self._row, epoch)
        if not ids and self.draining:
            self._end_of_service()
        owned = await database.read(processes.owned, self._row, epoch, ids)
        if epoch != self.epoch:
            return  # what another epoch holds says nothing about the rooms entered since
        await self._shut_out()
        # Only those asked about: a room entered meanwhile is not a lost one.
        for room in [one for one in self.rooms if one.id in ids]:
            await self._attend(room, owned.get(room.id))
        self._rounds += 1
        if self._rounds % SEEN_EVERY_ROUNDS == 0:
            self.rooms.spawn(self._keep_places())

    def _now(self) -> Now:
        return Now(
            self.rooms.engine.statistics(),
            rooms=len(self.rooms),
            people=self.rooms.people,
            epoch=self.epoch,
            draining=self.draining,
            full=self.meter.full,
            cpu=self.load.cpu,
        )

    def _end_of_service(self) -> None:
        """Drained: the last call is over. Whoever started this process may start another."""
        logger.info("media process %s is drained and ends", self.name)
        signal.raise_signal(signal.SIGTERM)

    async def _shut_out(self) -> None:
        """A link that was voided or a login that was ended changes no room, but ends sockets and
        connections."""
        here = [(room, who, guest) for room in self.rooms for who, guest in room.who()]
        guests = {guest for *_, guest in here if guest is not None}
        people = {who for _room, who, _guest in here}
        gone = await database.read(access.shut_out, guests, people) if here else set()
        for room, who, guest in here:
            if guest in gone or who in gone:
                self.rooms.refresh_soon(room.id)

    async def _fenced_off(self) -> None:
        """Another process has this name: what it does not know of must not go on here."""
        logger.error("another process has taken the name %s", self.name)
        for room in self.rooms:
            await self.rooms.abandon(room.id)
        await self._register()

    async def _attend(self, room: LiveRoom, number: int | None) -> None:
        if number is None:
            await self.rooms.abandon(room.id)
            return
        if room.facts is None or room.facts.room.snapshot != number:
            self.rooms.refresh_soon(room.id)
        self._watch_professionals(room)
        await self._end_silent(room)
        if not self._is_over(room):
            return
        if self.draining:
            # Released first: whoever is sent away asks at once where to go.
            await self._release(room.id)
            await self.rooms.abandon(room.id)
        else:
            self.rooms.engine.end_room(room.id)
            self.rooms.forget(room.id)
            self.rooms.spawn(self._release(room.id))

    def _is_over(self, room: LiveRoom) -> bool:
        """Whether nobody is here and nobody is to come back to the connection they had.

        For a draining process: whether there is no call of two. Who waits, or is alone with an
        open page, loses nothing by going elsewhere, and would hold up the end for hours.
        """
        links = list(room.links.values())
        connected, lost = links.count("connected"), links.count("reconnecting")
        least = 2 if self.draining else 1
        if connected >= least or (room.sockets and not self.draining):
            room.idle_since = None
            return False
        room.idle_since = room.idle_since or clock.now()
        closed = room.facts is not None and room.facts.room.state == Room.State.CLOSED
        over = connected + lost < least
        return closed or over or clock.now() - room.idle_since > AWAY_LIMIT

    def _watch_professionals(self, room: LiveRoom) -> None:
        """Media stop when no professional has been connected for two minutes, counted from the
        last sign of one: a dead socket stays open for a while."""
        if room.facts is None:
            return
        state = room.facts.room.state
        silence = room.professionals_silence()
        if silence <= PRESENT_SECONDS:
            room.unattended_since = None
            if state == Room.State.INTERRUPTED:
                self.rooms.spawn(self._store(continue_, room.id))
            return
        since = timedelta(seconds=silence) if math.isfinite(silence) else timedelta()
        room.unattended_since = room.unattended_since or clock.now() - since
        alone = clock.now() - room.unattended_since
        if state == Room.State.IN_SESSION and alone >= UNATTENDED_LIMIT:
            self.rooms.stop_media(room)
            self.rooms.spawn(self._store(interrupt, room.id))

    async def _store(self, action: Callable[[str, Holder], None], room_id: str) -> None:
        try:
            await database.write(action, room_id, self.rooms.identity)
        except (DatabaseError, RoomRefused):
            logger.exception("%r of room %s was not stored", action, room_id)
        self.rooms.refresh_soon(room_id)

    async def _end_silent(self, room: LiveRoom) -> None:
        before = time.monotonic() - SOCKET_SILENCE_SECONDS
        for socket in [one for one in room.sockets if one.heard < before]:
            room.sockets.discard(socket)
            await socket.end(SILENT)

    async def _keep_places(self) -> None:
        here = {socket.participant for room in self.rooms for socket in room.sockets}
        for room in self.rooms:
            here |= {one for one, link in room.links.items() if link == "connected"}
        if here:
            try:
                await database.write(seen, here, self.rooms.identity)
            except DatabaseError:
                logger.exception("places could not be kept")

    async def _release(self, room_id: str) -> None:
        try:
            await database.write(processes.release, room_id, self._row, self.epoch)
        except DatabaseError:
            logger.exception("room %s could not be released", room_id)
