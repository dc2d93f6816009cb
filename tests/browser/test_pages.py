"""What every page owes everybody: readable by all, light, at home on a small phone, from here only.

The pages stand in tests/browser/pages.py.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, StorageState, ViewportSize

from telemed.desk.demo.cast import PASSWORD
from tests.browser.pages import PAGES, Place

pytestmark = pytest.mark.browser

LANGUAGES = ("fr", "ar", "en")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALL_PHONE: ViewportSize = {"width": 360, "height": 740}
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


class People:
    """Browsers on small phones; each demo person signs in once."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._signed_in: dict[str, StorageState] = {}

    def browser_of(self, who: str, language: str) -> BrowserContext:
        if who and who not in self._signed_in:
            with closing(self._browser.new_context()) as context:
                sign_in(context.new_page(), self._url, who)
                self._signed_in[who] = context.storage_state()
        context = self._browser.new_context(
            viewport=SMALL_PHONE,
            reduced_motion="reduce",
            storage_state=self._signed_in.get(who),
        )
        context.set_default_timeout(10_000)
        context.add_init_script(COLLECT_VIOLATIONS)
        context.add_cookies([{"name": "django_language", "value": language, "url": self._url}])
        return context


@pytest.fixture(scope="module")
def people(product, chromium) -> People:
    return People(chromium, product.url)


@pytest.fixture
def visitor(people) -> Iterator[Callable[[str, str], Page]]:
    """``visitor(language, who)``: a page of a browser with an empty cache."""
    contexts = []

    def visit(language: str, who: str) -> Page:
        contexts.append(people.browser_of(who, language))
        return contexts[-1].new_page()

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def addresses(product, people) -> dict[str, str]:
    """The paths that stand for names in tests/browser/pages.py."""
    with closing(people.browser_of("amina", "fr")) as context:
        page = context.new_page()
        keep_a_time(page, product.url)
        page.fill("textarea >> nth=0", "Contrôle")
        page.click("form#intake button.primary")
        page.wait_for_url("**/appointments/**")
        appointment = urlsplit(page.url).path
        page.goto(f"{product.url}{appointment}invite/")
        page.check("[name=kind] >> nth=0")
        page.fill("[name=name]", "Interprète")
        page.click("main form button.primary")
        link = urlsplit(page.locator("[data-link]").inner_text()).path
        keep_a_time(page, product.url)
        return {
            "appointment": appointment,
            "visit": appointment.replace("/appointments/", "/visit/"),
            "link": link,
            "hold": urlsplit(page.url).path,
        }


def keep_a_time(page: Page, url: str) -> None:
    """Some day after tomorrow, so that it can still be moved and cancelled."""
    page.goto(f"{url}/book/with/cardiology/")
    page.click("a[href*='/times/'] >> nth=0")
    page.click(".day:not(.none) >> nth=3")
    page.wait_for_url("**day=**")
    page.click(".slot >> nth=0")
    page.wait_for_url("**/hold/**")


def sign_in(page: Page, url: str, who: str) -> None:
    page.goto(f"{url}/accounts/login/")
    page.fill("input[name=login]", f"{who}@demo.example")
    page.fill("input[name=password]", PASSWORD)
    page.click("form[action*=login] button[type=submit]")
    page.wait_for_url(lambda address: "/login/" not in address)


def open_place(page: Page, url: str, place: Place, addresses: dict[str, str]) -> None:
    answer = page.goto(url + place.path.format(**addresses))
    assert answer is not None
    assert answer.status == place.status, page.url
    for selector in place.follow:
        page.locator(selector).first.click()
        page.wait_for_load_state()


def faults(page: Page, **options) -> list[str]:
    """What axe-core finds, one line a fault with the first element that has it."""
    found = Axe().run(page, options=options or {"runOnly": RULES}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.name)
def test_a_page_serves_everybody(product, visitor, addresses, place, language):
    page = visitor(language, place.who)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    open_place(page, product.url, place, addresses)

    root = page.locator("html")
    assert root.get_attribute("lang") == language
    assert root.get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    assert page.locator("h1:visible").count() == 1

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
def test_a_page_is_light(product, visitor, addresses, place):
    """All compressed bodies of a first opening with an empty cache."""
    page = visitor("ar", place.who)
    address = product.url + place.path.format(**addresses)
    if place.follow:
        open_place(page, product.url, place, addresses)
        address = page.url
        page = visitor("ar", place.who)
    answered: list[Request] = []
    page.on("requestfinished", lambda request: answered.append(request))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    bodies = {one.url: one.sizes()["responseBodySize"] for one in answered}
    assert sum(bodies.values()) <= place.budget_kb * 1024, bodies
