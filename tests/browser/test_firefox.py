"""Firefox lives through a visit against Chromium: let in, see, hear, reload."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from telemed.desk.demo.cast import PASSWORD
from tests.browser import visits
from tests.browser.firefox import Tab, firefox
from tests.browser.visit import INSTRUMENTS, RECEIVED
from tests.sfu import chromium

pytestmark = pytest.mark.browser

SIGN_IN = """(who, password) => {
  document.querySelector("input[name=login]").value = who;
  document.querySelector("input[name=password]").value = password;
  document.querySelector("form[action*=login] button[type=submit]").click();
}"""
SHOWN = """(selector) => {
  const found = document.querySelector(selector);
  return Boolean(found && !found.hidden && found.getClientRects().length);
}"""
CLICK = "(selector) => document.querySelector(selector).click()"
SEEN = """() => [...document.querySelectorAll(".seat:not(.own) video")]
  .some((video) => video.videoWidth > 0 && video.currentTime > 0.5)"""
# Firefox's own camera for tests has 640 lines; a call begins with half of it.
WHOLE = """() => [...document.querySelectorAll(".seat:not(.own) video")]
  .some((video) => video.videoWidth >= 640)"""
HEARD = f"async (before) => (await ({RECEIVED})()).energy > before"


@pytest.fixture
async def chromium_page(product) -> AsyncIterator[Page]:
    async with chromium.browser() as browser:
        page = await browser.new_page(locale="fr", viewport={"width": 1440, "height": 900})
        await page.add_init_script(INSTRUMENTS)
        yield page


async def press(tab: Tab, selector: str) -> None:
    await tab.wait_for(SHOWN, selector)
    await tab.evaluate(CLICK, selector)


async def test_firefox_is_let_in_sees_hears_and_reloads(product, chromium_page):
    visit = visits.book(product).path
    async with firefox() as driver:
        await driver.preload(INSTRUMENTS)
        patient = await driver.tab()
        await patient.goto(f"{product.url}/accounts/login/")
        await patient.evaluate(SIGN_IN, "amina@demo.example", PASSWORD)
        await patient.wait_for("() => !location.pathname.includes('/login/')")
        await patient.goto(product.url + visit)
        await press(patient, "[data-action=open]")
        await patient.wait_for(SHOWN, "[data-opened]")
        await press(patient, "#go-in")
        await patient.wait_for(SHOWN, "#waiting")
        if await patient.evaluate(SHOWN, "[data-decide=given]"):
            await press(patient, "[data-decide=given]")

        await go_in(chromium_page, product.url, visit)
        await chromium_page.locator("[data-act=admit]").first.click()

        await patient.wait_for(SEEN)
        await chromium_page.wait_for_function("() => window.frames_ > 20")
        await chromium_page.wait_for_function(WHOLE)
        await patient.wait_for(HEARD, (await patient.evaluate(RECEIVED))["energy"])
        before = (await chromium_page.evaluate(RECEIVED))["energy"]
        await chromium_page.wait_for_function(HEARD, arg=before)

        await patient.reload()
        await patient.wait_for(SEEN)
        drawn = await chromium_page.evaluate("() => window.frames_")
        await chromium_page.wait_for_function("(drawn) => window.frames_ > drawn + 10", arg=drawn)


async def go_in(page: Page, url: str, visit: str) -> None:
    await page.goto(f"{url}/accounts/login/")
    await page.evaluate(
        f"([who, password]) => ({SIGN_IN})(who, password)", ["dr.salma@demo.example", PASSWORD]
    )
    await page.wait_for_url(lambda address: "/login/" not in address)
    await page.goto(url + visit)
    await page.click("[data-action=open]")
    await page.locator("[data-opened]").wait_for()
    await page.click("#go-in")
