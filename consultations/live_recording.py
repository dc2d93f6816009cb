"""Recordings that this process takes: they follow the database, and may end before it says so."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.db import DatabaseError

from consultations import database, recordings, rules
from consultations.actions import recording as actions
from consultations.engine import Engine, RecordingClosed, RecordingStopped
from consultations.models import Recording, Room
from telemed.lib.sealed_file import SealedWriter

if TYPE_CHECKING:
    from consultations.facts import Facts

logger = logging.getLogger(__name__)

TRIES = 5
WHY = {"shutdown": "lost"}


class Owner(Protocol):
    """What is asked of ``Rooms``."""

    engine: Engine

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

    def follow(self, room_id: str, facts: "Facts") -> None:
        """Start, go on or end as the database says. Ends also what it says by mistake may go on."""
        row = facts.recorded.running
        here = self._running.get(room_id)
        wanted = str(row.pk) if row is not None and not rules.may_record(facts.recording) else None
        if here is not None and here != wanted:
            self.halt(room_id, (facts.recorded.latest and facts.recorded.latest.why) or "stopped")
        if row is None or wanted is None:
            return
        inside = [one for one in facts.people if one.state in rules.INSIDE]
        peers = [str(one.pk) for one in inside if one.beside_id is None]
        if here == wanted:
            self._owner.engine.allow_recording(room_id, peers)
        elif wanted in self._over:
            self._store(actions.ended, wanted, self._over[wanted])
        elif not _is_ours(row, facts.room):
            self._end_elsewhere(wanted)
        else:
            self._begin(room_id, wanted, row.key, peers)

    def halt(self, room_id: str, why: str) -> None:
        """Not one packet more, whatever is stored afterwards."""
        self._owner.engine.stop_recording(room_id, why)

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
            self._over[recording_id] = "empty"
            self._store(actions.ended, recording_id, "empty")
            self._store(actions.written, recording_id)

    def _end_elsewhere(self, recording_id: str) -> None:
        """Begun by a process, or in an epoch, that is over: its file is not continued."""
        self._over[recording_id] = "lost"
        self._store(actions.ended, recording_id, "lost")
        self._store(actions.written, recording_id)

    def _store(self, action: Callable[..., None], *args: str) -> None:
        self._owner.spawn(_stored(action, *args))


def _is_ours(row: Recording, room: Room) -> bool:
    return (row.process_id, row.epoch) == (room.process_id, room.epoch)


async def _stored(action: Callable[..., None], *args: str) -> None:
    for attempt in range(TRIES):
        try:
            await database.write(action, *args)
        except DatabaseError:
            logger.exception("%s was not stored", action.__name__)
            await asyncio.sleep(2**attempt)
        else:
            return
