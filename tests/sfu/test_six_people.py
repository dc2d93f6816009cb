"""Six in a room: two real Chromium and four packet-level peers that send prepared RTP."""

import pytest
from playwright.async_api import Browser

from consultations.sfu import MediaServer
from tests.sfu.chromium import people
from tests.sfu.peer import PacketPeer

pytestmark = pytest.mark.browser

SLOTS = {"audio": 5, "video": 6}


async def test_who_comes_and_who_goes_disturbs_nobody(
    browser: Browser, address: str, server: MediaServer
) -> None:
    others = [PacketPeer(server, "room", f"peer{number}") for number in range(4)]
    async with people(browser, address, server, "amina", "youssef") as (amina, youssef):
        for peer in others[:3]:
            await peer.enter()
            peer.play()
        for person in (amina, youssef):
            await person.enter(slots=SLOTS)
        for person in (amina, youssef):
            await person.sees(15, streams=4)
            await person.longest_gap()
        await others[3].enter()
        others[3].play()
        await amina.sees(15, streams=5, anew=False)
        others[0].kill()
        for person in (amina, youssef):
            await person.sees(60, streams=4, anew=False)
            assert await person.longest_gap(ended=1) < 0.3
        shown = {slot.source_peer for slot in server.slots("room", "amina")} - {None}
        assert shown == {"youssef", "peer0", "peer1", "peer2", "peer3"}
        server.leave("room", "peer0")
        assert "peer0" not in {slot.source_peer for slot in server.slots("room", "amina")}
    for peer in others:
        peer.kill()
