"""How evenly pictures arrive: the gaps between frames of one slot."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tests.sfu.peer import FRAME_RATE, PacketPeer

# What a flood may add to the gaps that the same people had just before it. A starved loop or a
# stalled sender makes gaps of hundreds of milliseconds and loses frames.
ADDED_SECONDS = 0.04
FEWER = 0.9
TRIES = 3

Flood = Callable[[], Awaitable[None]]


class FrameTimes(list[tuple[str, bytes]]):
    """Takes the place of ``PacketPeer.packets``: keeps when each frame's last packet came."""

    def __init__(self, mid: str) -> None:
        super().__init__()
        self.mid = mid
        self.times: list[float] = []

    def append(self, item: tuple[str, bytes]) -> None:
        if item[0] == self.mid and item[1][1] & 0x80:
            self.times.append(asyncio.get_running_loop().time())


@dataclass(frozen=True)
class Gaps:
    """``usual`` is the gap that 95 of 100 stay below, in seconds."""

    frames: int
    usual: float
    longest: float


def watch(peer: PacketPeer) -> FrameTimes:
    """Notes the frames of the peer's first picture slot from now on."""
    peer.packets = times = FrameTimes(str(peer.slots[0]))
    return times


def gaps(times: FrameTimes, since: float, until: float) -> Gaps:
    within = [at for at in times.times if since <= at <= until]
    edges = [since, *within, until]
    found = sorted(after - before for before, after in itertools.pairwise(edges))
    return Gaps(len(within), found[int(len(found) * 0.95)], found[-1])


def disturbed(control: Gaps, flood: Gaps) -> bool:
    """Whether the second, over the same time, is worse than the first."""
    assert control.frames > 0
    return (
        flood.frames < FEWER * control.frames
        or flood.usual > control.usual + ADDED_SECONDS
        or flood.longest > max(2 * control.longest, 4 / FRAME_RATE)
    )


async def assert_undisturbed(people: Iterable[PacketPeer], flood: Flood, seconds: float) -> None:
    """Watches the people for some seconds without and as long with the flood, which takes that
    time. A machine with other work makes gaps of its own; what a flood does it does every time, so
    one quiet pair of three is enough."""
    loop = asyncio.get_running_loop()
    seen = [watch(peer) for peer in people]
    for _ in range(TRIES):
        start = loop.time()
        await asyncio.sleep(seconds)
        middle = loop.time()
        await flood()
        end = loop.time()
        pairs = [(gaps(times, start, middle), gaps(times, end - seconds, end)) for times in seen]
        if not any(disturbed(*pair) for pair in pairs):
            return
    raise AssertionError(pairs)
