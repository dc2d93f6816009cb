"""Debian's Firefox against Chromium through the server."""

import pytest
from playwright.async_api import Browser

from consultations.sfu import MediaServer
from tests.browser.firefox import Tab, firefox
from tests.sfu.chromium import people

pytestmark = pytest.mark.browser

HEARS = "async start => (await call.statistics()).audioEnergy > start"
SEES = "frames => [...shown.values()].some(times => times.length >= frames)"


async def enter(tab: Tab, server: MediaServer, *, restart: bool = False) -> None:
    offer = await tab.evaluate("restart()" if restart else "prepare({})")
    answer = await server.join("room", "youssef", offer, send=True, receive=True)
    await tab.evaluate("answer => accept(answer)", answer)


async def sees_and_hears(tab: Tab) -> None:
    await tab.evaluate("shown.clear()")
    energy = (await tab.evaluate("call.statistics()"))["audioEnergy"]
    await tab.wait_for(SEES, 10)
    await tab.wait_for(HEARS, energy)


async def test_firefox_and_chromium_see_and_hear_each_other(
    browser: Browser, address: str, server: MediaServer
) -> None:
    async with (
        people(browser, address, server, "amina") as (amina,),
        firefox() as driver,
    ):
        tab = await driver.tab()
        await tab.goto(address)
        await amina.enter()
        await enter(tab, server)
        for step in ("enter", "reload", "restart"):
            if step == "reload":
                await tab.reload()
                await enter(tab, server)
            elif step == "restart":
                await enter(tab, server, restart=True)
            await sees_and_hears(tab)
            await amina.sees()
            await amina.hears()
