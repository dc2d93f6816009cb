"""Day pages beside each other: what one person does appears on another's open page by itself."""

import re

import pytest
from playwright.sync_api import Page, expect

from telemed.desk.demo.cast import PASSWORD
from telemed.desk.demo.ids import demo_id
from tests.browser.test_pages import sign_in
from tests.browser.visit import agree
from tests.browser.visits import book

pytestmark = pytest.mark.browser

# Twice the slowest poll of a day page, and some for a busy machine.
SOON_MS = 30_000


@pytest.fixture
def day(product, new_person):
    """Somebody's home page, opened in French."""

    def opened(who: str) -> Page:
        page = new_person(locale="fr-MA")
        sign_in(page, product.url, who)
        page.goto(product.url)
        return page

    return opened


def go_in(page: Page) -> None:
    """From the visit's page, through the device check."""
    page.click("[data-action=open]")
    page.locator("[data-opened]").wait_for()
    page.click("#go-in")


def test_an_arrival_marked_at_the_centre_appears_on_the_specialists_day(product, day):
    book(product, "hadda", "imilchil")  # late in the evening the demonstration's is tomorrow
    specialist, presenter = day("dr.salma"), day("brahim")
    rows = specialist.locator("li.row", has_text="Hadda Oubella")
    expect(rows.get_by_text("Arrivé")).to_have_count(0)
    presenter.get_by_role("button", name="Est arrivé").first.click()
    expect(rows.get_by_text("Arrivé")).to_be_visible(timeout=SOON_MS)


def test_who_waits_is_seen_in_the_title_and_admitted_by_one_tap(product, day):
    visit = book(product).path
    specialist, patient = day("dr.salma"), day("amina")
    patient.goto(product.url + visit)
    go_in(patient)
    agree(patient)

    # Others may have been left waiting by tests before.
    expect(specialist).to_have_title(re.compile(r"^\([1-9]\d*\) "), timeout=SOON_MS)
    waiting = specialist.locator(f"li.row.now a[href^='{visit}']")
    expect(waiting).to_be_visible(timeout=SOON_MS)
    waiting.click()
    go_in(specialist)

    expect(patient.locator("#stage")).to_be_visible(timeout=SOON_MS)
    expect(specialist.locator("#stage .seat:not(.own)")).to_be_visible(timeout=SOON_MS)
    writes_beside_the_video(specialist)


def writes_beside_the_video(page: Page) -> None:
    page.click("#tab-visit")
    page.fill("#id_note_text", "Palpitations à l'effort.")
    expect(page.locator("#note-version")).to_have_value("1", timeout=SOON_MS)
    expect(page.locator("#note-sign a")).to_have_attribute("target", "_blank")


def test_a_booking_is_told_by_message_within_seconds(product, new_person):
    page = new_person(locale="fr-MA")
    page.goto(f"{product.url}/messages/shown/")
    # Amina's appointment was booked when the product started; her telephone is told.
    expect(page.get_by_text("+212600000001").first).to_be_visible(timeout=SOON_MS)


def test_a_signature_in_its_own_window_is_seen_beside_the_video(product, new_person):
    """Signing asks for the password, so it must not take the page of the call away."""
    panel = new_person(locale="fr-MA")
    sign_in(panel, product.url, "dr.youssef")
    panel.goto(f"{product.url}/records/{demo_id('past:consultation')}/")
    addendum = panel.locator("#id_note_text")
    addendum.fill("Revue à distance : guérison.")
    with panel.expect_popup() as opened:
        panel.locator("#note-sign a").click()
    window = opened.value
    window.fill("input[name=password]", PASSWORD)
    window.locator("main button[type=submit]").first.click()
    window.get_by_role("button", name="Signer cette note").click()
    expect(window.get_by_text("La note est signée.")).to_be_visible()
    expect(panel.locator("article", has_text="guérison")).to_be_visible()
    expect(addendum).to_have_value("")
