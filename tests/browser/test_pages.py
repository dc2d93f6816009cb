"""What every page owes everybody: readable by all, light, at home on a small phone, from here only.

The pages stand in tests/browser/pages.py.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request

from telemed.desk.demo.cast import PASSWORD
from tests.browser.pages import PAGES, Place

pytestmark = pytest.mark.browser

LANGUAGES = ("fr", "ar", "en")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALL_PHONE = {"width": 360, "height": 740}
# Told to this page by the browser itself; collected before any script of the page runs.
COLLECT_VIOLATIONS = """
window.refusedByPolicy = [];
addEventListener("securitypolicyviolation",
  (event) => refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
TOO_WIDE = """
[...document.querySelectorAll("body *")]
  .filter((one) => { const box = one.getBoundingClientRect();
                     return box.right > innerWidth + 1 || box.left < -1; })
  .slice(0, 5).map((one) => one.outerHTML.slice(0, 90))
"""


@pytest.fixture
def visitor(product, new_person) -> Callable[[str, str], Page]:
    """``visitor(language, who)``: a small phone's page, signed in, that notes what it asks for."""

    def visit(language: str, who: str) -> Page:
        page = new_person(viewport=SMALL_PHONE, reduced_motion="reduce")
        page.set_default_timeout(10_000)
        page.context.add_cookies(
            [{"name": "django_language", "value": language, "url": product.url}]
        )
        page.add_init_script(COLLECT_VIOLATIONS)
        if who:
            sign_in(page, product.url, who)
        return page

    return visit


def sign_in(page: Page, url: str, who: str) -> None:
    page.goto(f"{url}/accounts/login/")
    page.fill("input[name=login]", f"{who}@demo.example")
    page.fill("input[name=password]", PASSWORD)
    page.click("form[action*=login] button[type=submit]")
    page.wait_for_url(lambda address: "/login/" not in address)


def open_place(page: Page, url: str, place: Place) -> None:
    answer = page.goto(url + place.path)
    assert answer is not None
    assert answer.status == place.status
    for selector in place.follow:
        page.locator(selector).first.click()
        page.wait_for_load_state()


def faults(page: Page, **options) -> list[str]:
    """What axe-core finds, one line a fault with the first element that has it."""
    found = Axe().run(page, options=options or {"runOnly": RULES}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.name)
def test_a_page_serves_everybody(product, visitor, place, language):
    page = visitor(language, place.who)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    open_place(page, product.url, place)

    root = page.locator("html")
    assert root.get_attribute("lang") == language
    assert root.get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    assert page.locator("h1").count() == 1

    page.emulate_media(color_scheme="light")
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page, runOnly=["color-contrast"]) == []

    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= SMALL_PHONE["width"], page.evaluate(TOO_WIDE)
    assert page.evaluate("refusedByPolicy") == []
    assert {urlsplit(one.url).netloc for one in asked if one.url.startswith("http")} == {
        urlsplit(product.url).netloc
    }


@pytest.mark.parametrize(
    "place", [place for place in PAGES if place.budget_kb], ids=lambda place: place.name
)
def test_a_page_is_light(product, visitor, place):
    """All compressed bodies of a first opening with an empty cache."""
    page = visitor("ar", place.who)
    if place.who or place.follow:
        open_place(page, product.url, place)
    address = page.url if place.follow else product.url + place.path
    cold = empty_cache(page)
    answered: list[Request] = []
    cold.on("requestfinished", lambda request: answered.append(request))
    cold.goto(address)
    cold.wait_for_load_state("networkidle")
    bodies = {one.url: one.sizes()["responseBodySize"] for one in answered}
    assert sum(bodies.values()) <= place.budget_kb * 1024, bodies


def empty_cache(page: Page) -> Page:
    """The same person in a browser that has never seen a file of ours."""
    session = page.context.new_cdp_session(page)
    session.send("Network.clearBrowserCache")
    session.detach()
    return page
