"""Six in a room: two real Chromium and four packet-level peers that send prepared RTP."""

import pytest
from playwright.async_api import Browser

from consultations.sfu import MediaServer
from tests.sfu.chromium import Person, people
from tests.sfu.peer import PacketPeer

pytestmark = pytest.mark.browser

SLOTS = {"audio": 5, "video": 6}
GAP_SECONDS = 0.3
TRIES = 3  # a busy machine makes a gap by chance, a disturbance makes one every time


async def test_who_comes_and_who_goes_disturbs_nobody(
    browser: Browser, address: str, server: MediaServer
) -> None:
    others = [PacketPeer(server, "room", f"peer{number}") for number in range(3 + TRIES)]
    async with people(browser, address, server, "amina", "youssef") as (amina, youssef):
        for peer in others[:3]:
            await peer.enter()
            peer.play()
        for person in (amina, youssef):
            await person.enter(slots=SLOTS)
        for person in (amina, youssef):
            await person.sees(15, streams=4)
        gaps: list[float] = []
        while not gaps or (gaps[-1] >= GAP_SECONDS and len(gaps) < TRIES):
            gone = len(gaps)
            for person in (amina, youssef):
                await person.longest_gap()
            gaps.append(await one_comes_one_goes((amina, youssef), others[gone + 3], others[gone]))
            server.leave("room", f"peer{gone}")
            shown = {slot.source_peer for slot in server.slots("room", "amina")} - {None}
            assert shown == {"youssef", *(f"peer{number}" for number in range(gone + 1, gone + 4))}
        assert min(gaps) < GAP_SECONDS
    for peer in others[: len(gaps) + 3]:
        peer.kill()


async def one_comes_one_goes(
    seeing: tuple[Person, ...], comes: PacketPeer, goes: PacketPeer
) -> float:
    """The longest time without a new picture of anybody who stays, in seconds."""
    await comes.enter()
    comes.play()
    await seeing[0].sees(15, streams=5, anew=False)
    goes.kill()
    for person in seeing:
        await person.sees(60, streams=4, anew=False)
    return max([await person.longest_gap(ended=1) for person in seeing])
