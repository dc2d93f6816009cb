"""Pictures on their way into this process: pieces over a data channel, into an encrypted file.

What each piece may do is asked of the room's newest facts. Holds only what may be lost: whoever
sends keeps the picture until it is told that all of it was stored, and asks how much is here after
every loss. PROTOCOL.md section 7.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.db import DatabaseError

from consultations import database, pictures, rules, snapshot
from consultations.actions import picture as actions
from consultations.assembly import Assembly, TooMuch
from consultations.engine import DataReceived, Engine
from consultations.models import Participant, Picture
from telemed.lib.sealed_file import SealedWriter

if TYPE_CHECKING:
    from consultations.live import LiveRoom

logger = logging.getLogger(__name__)

PIECE = struct.Struct("!16sI")  # the picture's id, and from which byte on
MAX_WAITING = 512 * 1024  # bytes of one picture that the disk has not taken yet
RATE = 200_000  # bytes a second that one sender is granted when nobody else sends
RATE_OF_ALL = 600_000
SHOWN_EVERY = 1.0
TRIES = 5
State = Picture.State
STORED = frozenset({State.CHECKING, State.READY})


class Owner(Protocol):
    """What is asked of ``Rooms``."""

    engine: Engine

    def spawn(self, work: Any) -> "asyncio.Task[None]": ...
    def permits(self, room: "LiveRoom", facts: Any) -> dict[str, rules.Permit]: ...
    def refresh_soon(self, room_id: str) -> None: ...
    def tell_professionals(self, room_id: str, message: dict[str, Any]) -> None: ...


class Upload:
    """One picture of one sender. ``write`` and what follows run in the writing thread."""

    def __init__(self, room_id: str, row: Picture) -> None:
        self.room_id = room_id
        self.picture = str(row.pk)
        self.sender = str(row.participant_id)
        self.sha256 = row.sha256
        self.assembly = Assembly(row.announced)
        self.waiting = 0
        self.written = 0
        self.shown_at = 0.0
        self.ended = False
        self.storing: asyncio.Task[None] | None = None  # once the file is whole
        self._dropped = False
        self._key = row.key
        self._digest = hashlib.sha256()
        self._file: SealedWriter | None = None

    def is_of(self, row: Picture) -> bool:
        return (self.sha256, self.assembly.size) == (row.sha256, row.announced)

    def write(self, piece: bytes) -> None:
        """Raises ``OSError``."""
        if self._dropped:
            return
        if self._file is None:
            path = pictures.sent_path(self.picture)
            path.unlink(missing_ok=True)  # of a process that is gone, or of another picture
            self._file = SealedWriter(path, self._key, pictures.sent_name(self.picture))
        self._file.write(piece)
        self._digest.update(piece)

    def close(self) -> bool:
        """Whether the file is what was announced; it is gone when it is not."""
        if self._file is not None:
            self._file.close()
        if self._digest.hexdigest() == self.sha256:
            return True
        pictures.sent_path(self.picture).unlink(missing_ok=True)
        return False

    def drop(self) -> None:
        self._dropped = True
        if self._file is not None and not self._file.closed:
            self._file.abandon()
            pictures.sent_path(self.picture).unlink(missing_ok=True)


class Pictures:
    """By picture, what is coming; belongs to the event loop."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._uploads: dict[str, Upload] = {}
        # One thread: pieces are written in the order in which they came.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    def hear(self, room: "LiveRoom", event: DataReceived) -> None:
        """Whatever somebody says over their data channel; what is not understood is not heard."""
        if isinstance(event.message, str):
            picture = _named(event.message)
            if picture:
                self._answer(room, event.peer_id, picture)
        elif len(event.message) > PIECE.size:
            raw, offset = PIECE.unpack_from(event.message)
            self._take(
                room, event.peer_id, str(UUID(bytes=raw)), offset, event.message[PIECE.size :]
            )

    def follow(self, room: "LiveRoom") -> None:
        """What is not expected any more is dropped."""
        for upload in self._of(room.id):
            row = _row(room, upload.picture)
            if row is None or row.state != State.SENDING or not upload.is_of(row):
                self._drop(upload)

    def give_up(self, room_id: str) -> None:
        """The room is over here, or another process's."""
        for upload in self._of(room_id):
            self._drop(upload)

    async def close(self) -> None:
        for upload in list(self._uploads.values()):
            self._drop(upload)
        await asyncio.to_thread(self._writer.shutdown)

    def _of(self, room_id: str) -> Iterator[Upload]:
        return iter([each for each in self._uploads.values() if each.room_id == room_id])

    def _answer(self, room: "LiveRoom", sender: str, picture: str) -> None:
        """How much of it is here, and how fast the rest may come."""
        row = _row(room, picture)
        if row is None or not _is_asked(room, row, sender):
            self._tell(room.id, sender, picture, refused="not_asked")
        elif row.state in STORED:
            self._tell(room.id, sender, picture, have=row.announced, stored=True)
        elif row.state == State.ASKED:
            return  # what was agreed to may stand in no facts yet: it is asked again
        elif row.state != State.SENDING:
            self._tell(room.id, sender, picture, refused="over")
        else:
            upload = self._uploads.get(picture)
            if upload is not None and not upload.is_of(row):
                self._drop(upload)
                upload = None
            if upload is None:
                upload = self._uploads[picture] = Upload(room.id, row)
            if upload.storing is not None and upload.storing.done():
                self._store_soon(upload)
            self._tell_progress(upload)

    def _take(self, room: "LiveRoom", sender: str, picture: str, offset: int, piece: bytes) -> None:
        upload = self._uploads.get(picture)
        if upload is None or upload.sender != sender or upload.room_id != room.id:
            self._answer(room, sender, picture)
            return
        if upload.ended:
            return  # all of it is here: what comes late changes nothing
        if not self._flows(room, sender) or upload.waiting > MAX_WAITING:
            return  # it is sent again, once it is missed
        try:
            fresh = upload.assembly.take(offset, piece)
        except TooMuch:
            self._drop(upload)
            self._tell(room.id, sender, picture, refused="too_much")
            return
        if not fresh:
            self._tell_progress(upload)
            return
        upload.waiting += len(fresh)
        self._owner.spawn(self._write(upload, fresh))

    def _flows(self, room: "LiveRoom", sender: str) -> bool:
        """As their voice: never before consent, in a pause, or after they were sent away."""
        if room.facts is None:
            return False
        permit = self._owner.permits(room, room.facts).get(sender)
        return permit is not None and permit.send

    async def _write(self, upload: Upload, piece: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._writer, upload.write, piece)
            upload.waiting -= len(piece)
            upload.written += len(piece)
            if upload.ended:
                return
            if upload.written < upload.assembly.size:
                self._tell_progress(upload)
                self._show(upload)
                return
            upload.ended = True
            right = await loop.run_in_executor(self._writer, upload.close)
        except (OSError, ValueError, RuntimeError):  # full; dropped meanwhile; the process ends
            logger.exception("picture %s cannot be written", upload.picture)
            self._drop(upload)
            self._tell(upload.room_id, upload.sender, upload.picture, refused="storage")
            return
        if right:
            self._store_soon(upload)
        else:
            self._drop(upload)
            self._tell(upload.room_id, upload.sender, upload.picture, refused="hash")

    def _store_soon(self, upload: Upload) -> None:
        upload.storing = self._owner.spawn(self._store(upload))

    async def _store(self, upload: Upload) -> None:
        """It stays in ``_uploads`` until the facts say what became of it: whoever asks meanwhile,
        and is told that nothing is here, sends a beginning over the whole file."""
        for attempt in range(TRIES):
            if self._uploads.get(upload.picture) is not upload:
                return  # dropped: what stands at its place may be another file
            try:
                stored = await database.write(actions.whole, upload.picture, upload.sha256)
            except DatabaseError:
                logger.exception("picture %s was not stored", upload.picture)
                await asyncio.sleep(2**attempt)
                continue
            if stored:  # else the facts say why not, to whoever asks again
                have = upload.assembly.size
                self._tell(upload.room_id, upload.sender, upload.picture, have=have, stored=True)
            self._owner.refresh_soon(upload.room_id)
            return

    def _drop(self, upload: Upload) -> None:
        upload.ended = True
        if self._uploads.get(upload.picture) is upload:
            del self._uploads[upload.picture]
        with contextlib.suppress(RuntimeError):  # the process ends
            self._writer.submit(upload.drop)

    def _tell_progress(self, upload: Upload) -> None:
        rate = min(RATE, RATE_OF_ALL // max(1, len(self._uploads)))
        self._tell(upload.room_id, upload.sender, upload.picture, have=upload.written, rate=rate)

    def _tell(self, room_id: str, sender: str, picture: str, **word: Any) -> None:
        said = {"picture": picture, **word}
        self._owner.engine.tell(room_id, sender, json.dumps(said, separators=(",", ":")))

    def _show(self, upload: Upload) -> None:
        """To who waits for it, now and then."""
        now = time.monotonic()
        if now - upload.shown_at >= SHOWN_EVERY:
            upload.shown_at = now
            message = {"type": "picture", "picture": upload.picture, "have": upload.written}
            self._owner.tell_professionals(upload.room_id, message)


def _named(message: str) -> str:
    """The picture that a text asks about; "" for anything else."""
    try:
        said = json.loads(message)
        return str(UUID(said["picture"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""


def _row(room: "LiveRoom", picture: str) -> Picture | None:
    found = room.facts.pictures if room.facts is not None else []
    return next((row for row in found if str(row.pk) == picture), None)


def _is_asked(room: "LiveRoom", row: Picture, sender: str) -> bool:
    one: Participant | None = room.facts.participant(sender) if room.facts else None
    device = room.devices.get(sender)
    if one is None or device is None or str(row.participant_id) != sender:
        return False
    return snapshot.is_live(one, device.browser)
