"""After two hundred people have come and gone nothing of them is left."""

import asyncio
import gc
import os
from collections import Counter
from typing import Any

from consultations.sfu import MediaServer, PeerGone
from tests.sfu.conftest import Start
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


async def come_and_go(server: MediaServer, number: int) -> None:
    """A third leave, a third are killed in the call, a third in the middle of the handshake."""
    peer = PacketPeer(server, f"room{number}", f"peer{number}", slots=(1, 1))
    await peer.signal()
    await peer.check()
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
    for number in range(JOINS):
        await come_and_go(server, number)
        if (number + 1) % BATCH == 0:
            memory.append(await settled(server, events, number + 1))
    assert maps(server) == before
    assert len(asyncio.all_tasks()) == tasks
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert memory[-1] <= memory[0] * 1.05


async def settled(server: MediaServer, events: list[Any], gone: int) -> int:
    """Resident memory once everybody who came has been forgotten."""
    async with asyncio.timeout(35):
        while sum(isinstance(event, PeerGone) for event in events) < gone or server._closing:
            await asyncio.sleep(0.05)
    gc.collect()
    return resident_bytes()
