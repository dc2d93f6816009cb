"""The visit from the inside, at each of its steps: readable by all, in both themes.

The page before it stands in tests/browser/pages.py; here two people go in.
"""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page

from tests.browser import visits
from tests.browser.test_pages import People, faults

pytestmark = pytest.mark.browser
PANELS = ("chat", "people", "devices", "more")


@pytest.fixture
def amina(product, chromium) -> Iterator[Page]:
    """On her phone, in Arabic, before the door of a visit that she can join now."""
    with closing(People(chromium, product.url).browser_of("amina", "ar")) as context:
        page = context.new_page()
        page.goto(product.url + visits.book(product).path)
        yield page


@pytest.fixture
def salma(product, chromium) -> Iterator[Page]:
    """At her desk, in French."""
    with closing(People(chromium, product.url).browser_of("dr.salma", "fr")) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 1440, "height": 900})
        yield page


def assert_good(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults(page, runOnly=["color-contrast"]) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("refusedByPolicy") == []


def go_in(page: Page) -> None:
    page.click("[data-action=open]")
    page.wait_for_selector("[data-opened]:visible")
    page.click("#go-in")


def test_every_step_of_a_visit_serves_everybody(amina, salma):
    go_in(amina)
    amina.wait_for_selector("[data-decide=given]")
    assert_good(amina)
    amina.click("[data-decide=given]")
    amina.wait_for_selector("#consents:not(:has(section))", state="attached")
    assert_good(amina)

    salma.goto(amina.url)
    go_in(salma)
    salma.click(".room-head [data-panel=waiting]")
    salma.wait_for_selector("[data-act=admit]")
    assert_good(salma)
    salma.click("[data-act=admit]")

    for page in (amina, salma):
        page.wait_for_selector(".seat.pictured:not(.own)")
        assert_good(page)
        page.click(".room-bar [data-panel=chat]")
        for panel in PANELS:
            page.click(f"#tab-{panel}")
            page.wait_for_selector(f"#panel-{panel}:visible")
            assert_good(page)
        page.click("[data-do=close-side]")

    amina.click("[data-do=emergency]")
    for page in (amina, salma):
        page.wait_for_selector("#emergency[open]")
        assert_good(page)
        page.click("#emergency [data-closes] >> nth=0")

    salma.click(".room-bar [data-panel=chat]")
    salma.click("#tab-more")
    salma.check("[data-identify-form] [value=known]")
    salma.click("[data-identify-form] button")
    salma.wait_for_selector("[data-identify-form]", state="hidden")
    salma.click("[data-opens=finish]")
    assert_good(salma)
    salma.click("[data-finish=video]")
    for page in (amina, salma):
        page.wait_for_selector("#ended:visible")
        assert_good(page)
