"""What many do at once, or one does on and on, in good faith: repairs, arrivals, stalls."""

import asyncio
import itertools
import time

from consultations.sfu import JoinRefused, MediaServer, PeerGone, rtcp
from tests.sfu.conftest import Start
from tests.sfu.gaps import assert_undisturbed
from tests.sfu.peer import PacketPeer
from tests.sfu.test_hostile_packets import more_packets, two
from tests.sfu.test_sessions import until

JOINS, JOIN_SECONDS = 40, 2.5


async def test_who_asks_for_everything_again_gets_a_share_of_the_link(server: MediaServer) -> None:
    """A link that cannot carry a picture asks for all of it, again and again: unlimited, repairs
    fill it for good."""
    amina, youssef = await two(server)
    heard: list[tuple[str, bytes]] = []
    youssef.packets = heard
    await more_packets(youssef)
    picture = next(ssrc for ssrc, mid in youssef.mids.items() if mid == "5")
    loop = asyncio.get_running_loop()
    begun, resent, link = loop.time(), server.statistics().resent_bytes, 0
    while loop.time() - begun < 4:
        numbers = [int.from_bytes(plain[2:4]) for mid, plain in heard if mid == "5"]
        for start in range(0, 200, 50):
            lost = [(numbers[-1] - start - back) & 0xFFFF for back in range(50, 0, -1)]
            youssef.send(youssef.dtls._tx_srtp.protect_rtcp(rtcp.write_nack(picture, lost)))
        link = max(link, server.estimate("room", "youssef"))
        await asyncio.sleep(0.02)
    seconds = loop.time() - begun
    repairs = (server.statistics().resent_bytes - resent) * 8 / seconds
    assert 0 < repairs <= 0.25 * link, "its share, and once what is kept for bursts"
    assert server.statistics().counts["nacked_down"] > 10 * server.statistics().counts["resent"]
    voice = [int.from_bytes(plain[2:4]) for mid, plain in heard if mid == "0"]
    steps = {(after - before) & 0xFFFF for before, after in itertools.pairwise(voice)}
    assert steps <= {0, 1}, "a voice never waits behind repairs"
    amina.kill()
    youssef.kill()


async def test_forty_who_come_in_two_seconds_cost_those_in_a_call_no_frame(
    start: Start,
) -> None:
    server = await start(max_handshakes=8)
    people = await two(server)
    came: list[PacketPeer] = []

    async def come(number: int) -> None:
        """Again when the server says that too many shake hands at this moment."""
        peer = PacketPeer(server, f"room{number % 10}", f"peer{number}", slots=(1, 1))
        for _ in range(50):
            try:
                await peer.enter()
            except JoinRefused:
                await asyncio.sleep(0.1)
            else:
                came.append(peer)
                return

    async def storm() -> None:
        begun = time.monotonic()
        coming = []
        for number in range(JOINS):
            coming.append(asyncio.create_task(come(number + JOINS * len(came))))
            await asyncio.sleep(max(0, begun + number * JOIN_SECONDS / JOINS - time.monotonic()))
        await asyncio.gather(*coming)

    await assert_undisturbed(people, storm, JOIN_SECONDS)
    assert len(came) >= JOINS
    for peer in (*people, *came):
        peer.kill()


async def test_a_stall_of_the_process_ends_nothing(server: MediaServer, events: list) -> None:
    """What came in the meantime is worked off in a moment, and nobody is taken for gone."""
    amina, youssef = await two(server)
    await more_packets(youssef)
    for _ in range(10):
        time.sleep(0.05)  # noqa: ASYNC251 - the stall
        await asyncio.sleep(0.05)
    time.sleep(0.5)  # noqa: ASYNC251
    await more_packets(youssef)
    await until(lambda: server.statistics().loop_lag < 0.05)
    assert not [e for e in events if isinstance(e, PeerGone)]
    assert "media_rate" not in server.statistics().drops
    amina.kill()
    youssef.kill()
