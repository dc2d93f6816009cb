"""Recordings that this process takes: they follow the database, and may end before it says so."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.db import DatabaseError

from consultations import database, recordings, rules
from consultations.actions import recording as actions
from consultations.actions.change import Holder
from consultations.engine import Engine, RecordingClosed, RecordingStopped
from telemed.lib.sealed_file import SealedWriter

if TYPE_CHECKING:
    from consultations.facts import Facts

logger = logging.getLogger(__name__)

TRIES = 5
WHY = {"shutdown": "lost"}


class Owner(Protocol):
    """What is asked of ``Rooms``."""

    engine: Engine
    identity: Holder

    def spawn(self, work: Any) -> "asyncio.Task[None]": ...


class FileSink:
    """Packets into an encrypted file; every method runs in the recording's thread."""

    def __init__(self, recording_id: str, key: bytes) -> None:
        self.recording_id = recording_id
        self._key = key
        self._file: SealedWriter | None = None

    def write(self, chunk: bytes) -> None:
        if self._file is None:
            path = recordings.packets_path(self.recording_id)
            name = recordings.packets_name(self.recording_id)
            self._file = SealedWriter(path, self._key, name)
        self._file.write(chunk)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class Recordings:
    """By room, the id of what is being recorded; belongs to the event loop."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._running: dict[str, str] = {}
        self._over: dict[str, str] = {}  # recording id: why it ended here
        self._unstored: list[tuple[Callable[..., None], tuple[str, ...]]] = []

    def follow(self, room_id: str, facts: "Facts", halted: str = "") -> None:
        """Start, go on or end as the database says. Ends also what it says by mistake may go on.

        ``halted``: why nothing may be taken whatever these facts say, as somebody has just said
        what they do not know yet.
        """
        unstored, self._unstored = self._unstored, []
        for action, args in unstored:
            self._store(action, *args)
        row = facts.recorded.running
        here = self._running.get(room_id)
        wanted = str(row.pk) if row is not None and not rules.may_record(facts.recording) else None
        if halted:
            self.halt(room_id, halted)
        elif here is not None and here != wanted:
            self.halt(room_id, (facts.recorded.latest and facts.recorded.latest.why) or "stopped")
        if row is None or wanted is None:
            return
        if wanted in self._over:
            self._store(actions.ended, wanted, self._over[wanted])
        elif here == wanted:
            self._owner.engine.allow_recording(room_id, _inside(facts))
        elif (facts.room.process_id, facts.room.epoch) != self._owner.identity:
            pass  # another process has the room by now, as the heartbeat is about to find
        elif halted:
            self._end_unbegun(wanted, halted)
        elif (row.process_id, row.epoch) != self._owner.identity:
            self._end_unbegun(wanted, "lost")  # begun in another life: its file is not continued
        else:
            self._begin(room_id, wanted, row.key, _inside(facts))

    def halt(self, room_id: str, why: str) -> None:
        """Not one packet more, whatever is stored afterwards."""
        self._owner.engine.stop_recording(room_id, why)

    def give_way(self) -> None:
        """Ends the newest: calls suffer. Told again as long as they do."""
        newest = next(reversed(self._running), None)
        if newest is not None:
            self.halt(newest, "overload")

    def on_event(self, event: RecordingStopped | RecordingClosed) -> None:
        recording_id = cast(FileSink, event.sink).recording_id
        if isinstance(event, RecordingClosed):
            self._store(actions.written, recording_id)
            return
        if self._running.get(event.room_id) == recording_id:
            del self._running[event.room_id]
        why = WHY.get(event.reason, event.reason)
        self._over[recording_id] = why
        self._store(actions.ended, recording_id, why)

    def _begin(self, room_id: str, recording_id: str, key: bytes, peers: list[str]) -> None:
        if self._owner.engine.record(room_id, FileSink(recording_id, key), peers):
            self._running[room_id] = recording_id
        else:
            self._end_unbegun(recording_id, "empty")

    def _end_unbegun(self, recording_id: str, why: str) -> None:
        self._over[recording_id] = why
        self._store(actions.ended, recording_id, why)
        self._store(actions.written, recording_id)

    def _store(self, action: Callable[..., None], *args: str) -> None:
        self._owner.spawn(self._stored(action, args))

    async def _stored(self, action: Callable[..., None], args: tuple[str, ...]) -> None:
        for attempt in range(TRIES):
            try:
                await database.write(action, *args)
            except DatabaseError:
                logger.exception("%s was not stored", action.__name__)
                await asyncio.sleep(2**attempt)
            else:
                return
        self._unstored.append((action, args))  # until a room can be read again


def _inside(facts: "Facts") -> list[str]:
    """Whose connections are in the visit."""
    inside = [one for one in facts.people if one.state in rules.INSIDE]
    return [str(one.pk) for one in inside if one.beside_id is None]
