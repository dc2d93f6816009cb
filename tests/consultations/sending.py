"""A picture on its way over a caller's data channel."""

import asyncio
import hashlib
import json
from uuid import UUID, uuid4

from consultations import tasks
from consultations.live_pictures import PIECE
from consultations.models import Picture
from tests.consultations.jpegs import photo
from tests.consultations.media import Door
from tests.sfu.data_peer import DataPeer

PHOTO = photo(1200, 900)
STEP = 4096


async def with_channel(caller) -> DataPeer:
    peer = DataPeer(Door(caller), "", caller.id)
    await peer.enter()
    peer.play()
    await peer.open_channel()
    return peer


async def asked(salma, amina) -> str:
    picture = str(uuid4())
    answer = await salma.change(
        "picture_ask", participant=amina.id, site="hand", side="left", id_=picture
    )
    assert answer["type"] == "done", answer
    await amina.until(lambda: any(one["id"] == picture for one in of(amina)))
    return picture


def of(caller) -> list[dict]:
    return caller.snapshot.get("pictures") or []


def states(caller) -> set[str]:
    return {one["state"] for one in of(caller)}


def announcement(picture: str, data: bytes = PHOTO, **fields) -> dict:
    return {
        "picture": picture,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "width": 1200,
        "height": 900,
        "age": 3,
        **fields,
    }


async def agrees(amina, picture: str, data: bytes = PHOTO, **fields) -> dict:
    return await amina.change("picture_send", **announcement(picture, data, **fields))


class Sending:
    """What the browser's `upload.js` does, without its pace."""

    def __init__(self, peer: DataPeer, picture: str, data: bytes = PHOTO) -> None:
        self.peer, self.picture, self.data = peer, picture, data

    def words(self) -> list[dict]:
        return [said for said in map(json.loads, self.peer.said) if said["picture"] == self.picture]

    async def word(self, key: str) -> dict:
        """The newest word with this in it."""
        async with asyncio.timeout(15):
            while not any(key in said for said in self.words()):
                await asyncio.sleep(0.02)
        return next(said for said in reversed(self.words()) if key in said)

    async def asks(self) -> dict:
        """How much is there?"""
        before = len(self.words())
        self.sends_word()
        async with asyncio.timeout(15):
            while len(self.words()) <= before:
                await asyncio.sleep(0.02)
        return self.words()[-1]

    def sends_word(self) -> None:
        self.peer.channel.send(json.dumps({"picture": self.picture}))

    def sends(self, start: int, stop: int | None = None) -> None:
        stop = len(self.data) if stop is None else stop
        for at in range(start, stop, STEP):
            piece = self.data[at : min(stop, at + STEP)]
            self.peer.channel.send(PIECE.pack(UUID(self.picture).bytes, at) + piece)

    async def to_the_end(self) -> dict:
        self.sends(int((await self.asks())["have"]))
        return await self.word("stored")


async def is_kept(picture: str) -> Picture:
    """What the worker does once all has come."""
    await asyncio.to_thread(tasks.check_picture, picture)
    return await Picture.objects.select_related("participant").aget(pk=picture)
