"""A camera in several sizes from real browsers: to a thin link and a wide one at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser

from consultations.sfu import AnyEvent, LayersWanted, MediaServer, local_addresses
from tests.browser.firefox import firefox
from tests.sfu import chromium
from tests.sfu.chromium import Person, people
from tests.sfu.conftest import Start
from tests.sfu.relay import relay_to

pytestmark = pytest.mark.browser

SLOTS = {"audio": 2, "video": 3}
WHOLE, HALF = 640, 320  # wide: what a camera of 640 by 360 is sent in


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium.browser(chromium.picture_flag()) as launched:
        yield launched


class Signalled:
    """Tells a page in which sizes its camera is wanted, as the room's socket does."""

    def __init__(self, person: Person, events: list[AnyEvent]) -> None:
        self.person, self.events = person, events
        self.told: dict[str, int] = {}

    def wanted(self) -> dict[str, int]:
        mine = [
            event.layers
            for event in self.events
            if isinstance(event, LayersWanted) and event.peer_id == self.person.name
        ]
        return dict(mine[-1]) if mine else {}

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            if self.wanted() != self.told:
                self.told = self.wanted()
                await self.person.page.evaluate("sizes => sendSizes(sizes)", self.told)


@asynccontextmanager
async def signalled(person: Person, events: list[AnyEvent]) -> AsyncIterator[Signalled]:
    signal = Signalled(person, events)
    task = asyncio.create_task(signal.run())
    try:
        yield signal
    finally:
        task.cancel()


async def until(holds: Callable[[], Awaitable[object]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.1)


async def shows(person: Person, width: int) -> None:
    async def holds() -> bool:
        return await person.page.evaluate("widths()") == [width]

    await until(holds)


async def sent(person: Person) -> dict[str, int]:
    """Packets by rid, or by mid for what has none."""
    return {rid: sizes[0] for rid, sizes in (await person.page.evaluate("sentSizes()")).items()}


async def test_a_thin_link_gets_a_small_picture_and_a_wide_one_the_whole(
    browser: Browser, address: str, start: Start, events: list[AnyEvent]
) -> None:
    host = local_addresses()[0]
    server = await start(bind=(host,))
    async with (
        relay_to(host, server.port) as relay,
        people(browser, address, server, "amina", "wide", "thin") as (amina, wide, thin),
        signalled(amina, events) as signal,
    ):
        relay.down.rate, relay.down.delay = 300_000, 0.025
        thin.relay = relay
        await amina.enter(slots=SLOTS)
        await wide.enter(slots=SLOTS, video=False)
        await wide.sees()

        async def ample() -> bool:
            return server.estimate("room", "wide") > 1_500_000

        await until(ample)
        assert not signal.wanted(), "one viewer, one stream"
        await thin.enter(slots=SLOTS, video=False)
        await shows(thin, HALF)
        await shows(wide, WHOLE)
        await thin.sees(1)
        for person in (thin, wide):
            await person.longest_gap()
        before = await sent(amina)
        await thin.sees(120, anew=False)
        assert await thin.longest_gap() < 1.0
        assert await wide.longest_gap() < 1.0
        await shows(thin, HALF)
        await shows(wide, WHOLE)
        after = await sent(amina)
        assert {rid for rid in after if after[rid] > before[rid]} >= {"q", "h"}
        assert after["f"] - before["f"] <= 1, "a camera so small has two sizes"
        server.leave("room", "thin")

        async def small_is_off() -> bool:
            return "q" not in signal.told

        await until(small_is_off)
        before = await sent(amina)
        await wide.sees(30)
        assert (await sent(amina))["q"] - before["q"] <= 1, "nobody sees it"

        async def one_stream() -> bool:
            return not signal.told

        await until(one_stream)
        await wide.sees(30)
        await shows(wide, WHOLE)


async def test_firefox_sends_its_camera_in_several_sizes(
    browser: Browser, address: str, server: MediaServer
) -> None:
    async with (
        people(browser, address, server, "amina") as (amina,),
        firefox() as driver,
    ):
        tab = await driver.tab()
        await tab.goto(address)
        await amina.enter(slots=SLOTS, video=False)
        offer = await tab.evaluate(
            "prepare({ slots: { audio: 2, video: 3 }, video: { width: 640, height: 360 } })"
        )
        answer = await server.join("room", "youssef", offer, send=True, receive=True)
        await tab.evaluate("answer => accept(answer)", answer)
        await amina.sees()
        for sizes, width in (
            ({"q": 150_000}, HALF),
            ({"q": 150_000, "h": 500_000}, WHOLE),
            ({"q": 150_000}, HALF),
        ):
            await tab.evaluate("sizes => sendSizes(sizes)", sizes)
            await shows(amina, width)
            await amina.sees(15)
        await tab.evaluate("sendSizes({})")
        await amina.sees(30)
        assert await amina.longest_gap() < 0.6
