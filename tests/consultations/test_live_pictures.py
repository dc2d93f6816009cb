"""A picture that has come whole while the database is away."""

import asyncio

import pytest

from consultations import live_pictures, picture_files
from tests.consultations.lock import held_lock
from tests.consultations.sending import PHOTO, Sending, agrees, asked, is_kept


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.PICTURES_DIR = tmp_path / "pictures"


async def comes_whole(sending: Sending) -> None:
    """As the browser does while nobody says that it was stored: it asks again, and sends on from
    what it is told. What was there is never asked for again."""
    have = 0
    async with asyncio.timeout(15):
        while have < len(PHOTO):
            now = int((await sending.asks())["have"])
            assert now >= have
            have = now
            sending.sends(have)
    for _ in range(5):
        assert (await sending.asks())["have"] == len(PHOTO)


async def test_who_asks_while_the_database_is_away_is_told_that_all_is_here(sending_call):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await agrees(amina, picture)
    sending = Sending(peer, picture)
    async with held_lock():
        await comes_whole(sending)
        assert not any("stored" in said for said in sending.words())

    await sending.word("stored")
    row = await is_kept(picture)
    assert row.state == "ready"
    assert await asyncio.to_thread(picture_files.read, row)


async def test_who_asks_after_every_try_has_it_stored(sending_call, monkeypatch):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await agrees(amina, picture)
    sending = Sending(peer, picture)
    with monkeypatch.context() as patch:
        patch.setattr(live_pictures, "TRIES", 0)
        await comes_whole(sending)
    assert not any("stored" in said for said in sending.words())

    sending.sends_word()
    await sending.word("stored")
    assert (await is_kept(picture)).state == "ready"
