"""Thin and lossy links, by a relay in user space, between two real Chromium."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from playwright.async_api import Browser

from consultations.sfu import MediaServer, local_addresses
from tests.sfu import chromium
from tests.sfu.chromium import Person, people
from tests.sfu.relay import Relay, relay_to

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium.browser(chromium.picture_flag()) as launched:
        yield launched


class Call:
    """Amina publishes; Youssef watches over the relay."""

    def __init__(self, amina: Person, youssef: Person, relay: Relay, server: MediaServer) -> None:
        self.amina, self.youssef, self.relay, self.server = amina, youssef, relay, server

    async def video_bitrate(self, seconds: float = 1.0) -> float:
        """What Amina's camera sends, in bits a second, measured over `seconds`."""
        before = await self._video_bytes()
        await asyncio.sleep(seconds)
        return (await self._video_bytes() - before) * 8 / seconds

    async def _video_bytes(self) -> int:
        return await self.amina.page.evaluate("sentBytes('video')")

    async def until(self, seconds: float, holds: Callable[[float], bool]) -> float:
        """Waits at most `seconds` for a bit rate; returns the last one."""
        rate = 0.0
        async with asyncio.timeout(seconds):
            while not holds(rate := await self.video_bitrate()):
                pass
        return rate


@pytest.fixture
async def call(browser: Browser, address: str, start: Any) -> AsyncIterator[Call]:
    host = local_addresses()[0]
    server = await start(bind=(host,))
    async with (
        relay_to(host, server.port) as relay,
        people(browser, address, server, "amina", "youssef") as (amina, youssef),
    ):
        youssef.relay = relay
        await youssef.mends_itself()
        relay.down.delay = relay.up.delay = 0.025
        await amina.enter()
        await youssef.enter()
        yield Call(amina, youssef, relay, server)


async def test_a_publisher_follows_the_thinnest_link_down_and_up(call: Call) -> None:
    await call.until(25, lambda rate: rate > 800_000)
    before = await call.video_bitrate(3.0)
    call.relay.down.rate = 300_000
    await call.until(5, lambda rate: 0 < rate < 300_000)
    await asyncio.sleep(5)
    assert await call.video_bitrate(2.0) < 300_000
    await call.youssef.sees(30)
    call.relay.down.rate = 0
    await call.until(20, lambda rate: rate >= 0.8 * before)


async def test_loss_is_repaired_within_the_budget(call: Call) -> None:
    await call.until(25, lambda rate: rate > 600_000)
    call.relay.down.loss = 0.05
    before = await call.youssef.page.evaluate("soundSamples()")
    resent = call.server.statistics().resent_bytes
    seconds = 12
    await asyncio.sleep(seconds)
    after = await call.youssef.page.evaluate("soundSamples()")
    concealed = (after[0] - before[0]) / (after[1] - before[1])
    assert concealed <= 0.05
    repairs = (call.server.statistics().resent_bytes - resent) * 8 / seconds
    assert 0 < repairs <= 0.2 * call.server.estimate("room", "youssef")
    await call.youssef.longest_gap()
    await call.youssef.sees(60)
    assert await call.youssef.longest_gap() < 1.0


async def test_a_new_network_path_takes_the_session_along(call: Call) -> None:
    await call.youssef.sees()
    call.relay.cut()
    await call.youssef.page.wait_for_function("states.at(-1) === 'reconnecting'", timeout=15_000)
    call.relay.move()
    call.relay.cut(cut=False)
    await call.youssef.sees()
    await call.amina.sees()


async def test_an_outage_ends_with_the_link(call: Call) -> None:
    await call.youssef.sees()
    call.relay.cut()
    await call.youssef.page.wait_for_function("states.at(-1) === 'reconnecting'", timeout=15_000)
    for person in (call.amina, call.youssef):
        await person.longest_gap()
    back = asyncio.get_running_loop().time()
    call.relay.cut(cut=False)
    await asyncio.gather(call.amina.sees(5, anew=False), call.youssef.sees(5, anew=False))
    assert asyncio.get_running_loop().time() - back < 3.0
