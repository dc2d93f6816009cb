"""After two hundred people have come and gone nothing of them is left."""

import asyncio
import gc
import os
from collections import Counter
from contextlib import ExitStack
from typing import Any

from consultations.sfu import MediaServer, PeerGone
from consultations.sfu.data import DataChannel
from consultations.sfu.downlink import Downlink
from consultations.sfu.forward import SlotSender
from consultations.sfu.ice import IceLite
from consultations.sfu.peer import Peer
from consultations.sfu.source import Source
from consultations.sfu.srtp import Srtp
from consultations.sfu.transport import Transport
from tests.sfu.conftest import Start
from tests.sfu.data_peer import DataPeer
from tests.sfu.peer import PacketPeer

JOINS = 200
BATCH = 50


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def maps(server: MediaServer) -> Counter[str]:
    """Sizes of everything the server keeps by peer or address."""
    mux = server._mux
    sizes: Counter[str] = Counter(rooms=len(server._rooms), ufrags=len(mux.by_ufrag))
    sizes["closing"] = len(server._closing)
    sizes["addresses"] = sum(len(endpoint.sessions) for endpoint in mux.endpoints)
    for room in server._rooms.values():
        sizes["in_room"] += sum(len(book) for book in room._books)
    return sizes


async def come_and_go(server: MediaServer, number: int, ports: ExitStack | None = None) -> None:
    """A third leave, a third are killed in the call, a third in the middle of the handshake.

    Where many come at once `ports` keeps theirs taken: a newcomer who got that of somebody dead
    would be refused as long as the dead are not forgotten, and be forgotten with them.
    """
    peer = PacketPeer(server, f"room{number}", f"peer{number}", slots=(1, 1))
    await peer.signal()
    await peer.check()
    if ports is not None:
        ports.enter_context(peer.port())
    if number % 3 == 2:
        handshake = asyncio.create_task(peer.shake_hands())
        await asyncio.sleep(0)
        peer.kill()
        handshake.cancel()
        return
    await peer.shake_hands()
    for packet in range(5):
        peer.send_voice(packet)
    if number % 3 == 0:
        await peer.leave()
    else:
        peer.kill()


async def test_two_hundred_joins_leave_nothing_behind(start: Start, events: list[Any]) -> None:
    server = await start(reap_seconds=2.0)
    gc.collect()
    tasks, descriptors = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
    before = maps(server)
    memory = []
    with ExitStack() as ports:
        for number in range(JOINS):
            await come_and_go(server, number, ports)
            if (number + 1) % BATCH == 0:
                memory.append(await settled(server, events, number + 1))
    assert maps(server) == before
    assert len(asyncio.all_tasks()) == tasks
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert memory[-1] <= memory[0] * 1.05


async def forgotten(server: MediaServer, events: list[Any], gone: int) -> None:
    """Until everybody who came has been."""
    async with asyncio.timeout(35):
        while sum(isinstance(event, PeerGone) for event in events) < gone or server._closing:
            await asyncio.sleep(0.05)


async def settled(server: MediaServer, events: list[Any], gone: int) -> int:
    """Resident memory once nobody is there."""
    await forgotten(server, events, gone)
    gc.collect()
    return resident_bytes()


OF_A_SESSION = (DataChannel, Downlink, IceLite, Peer, SlotSender, Source, Srtp, Transport)


def of_sessions() -> Counter[str]:
    """What has not been freed yet, whether anything can still reach it or not."""
    return Counter(type(each).__name__ for each in gc.get_objects() if type(each) in OF_A_SESSION)


async def test_nothing_of_a_session_waits_for_a_garbage_collection(
    start: Start, events: list[Any]
) -> None:
    """Collections of the oldest generation are as good as never in a media process."""
    server = await start(reap_seconds=2.0)
    gc.collect()
    gc.disable()
    try:
        before = of_sessions()
        for number in range(6):
            await come_and_go(server, number)
        speaker = DataPeer(server, "talk", "talker", slots=(1, 1))
        await speaker.enter()
        await speaker.open_channel()
        assert of_sessions()["DataChannel"] == before["DataChannel"] + 1
        await speaker.leave()
        speaker.kill()
        await forgotten(server, events, 7)
        assert of_sessions() == before
    finally:
        gc.enable()
