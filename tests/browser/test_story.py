"""The main story: a patient books, is reminded, consents, waits, is let in, sees and hears, is lost
and comes back, and leaves with a written result. Two windows, three real processes, no sleeps."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page

from tests.browser.visit import (
    DESK,
    PHONE,
    Guest,
    as_pdf,
    be_there,
    cut_and_come_back,
    finish,
    write,
    write_summary,
)

pytestmark = [pytest.mark.browser, pytest.mark.story]

REMINDER = "موعدكم يبدأ قريباً"  # "Your appointment begins soon"


@pytest.fixture
def patient(new_person: Callable[..., Page], product) -> Guest:
    return Guest(new_person(**PHONE), product.url)


@pytest.fixture
def specialist(new_person: Callable[..., Page], product) -> Guest:
    return Guest(new_person(**DESK), product.url)


def book_tomorrow(page: Page, url: str) -> tuple[str, datetime]:
    """By hand, in the patient's language; the id of the appointment and when it begins."""
    page.goto(f"{url}/book/with/cardiology/")
    salma = page.locator("article.card", has_text="سلمى")
    salma.locator("a[href*='/times/']").first.click()
    page.click(".day:not(.none) >> nth=1")
    page.wait_for_url("**day=**")
    starts = page.locator(".slot").first.get_attribute("value") or ""
    page.click(".slot >> nth=0")
    page.wait_for_url("**/hold/**")
    page.fill("textarea >> nth=0", "ألم في الصدر عند صعود الدرج")
    page.click("form#intake button.primary")
    page.wait_for_url("**/appointments/**")
    return page.url.split("/appointments/")[1].split("/")[0], datetime.fromisoformat(starts)


def test_from_booking_to_summary(product, product_clock, patient, specialist):
    patient.sign_in("amina")
    appointment, starts = book_tomorrow(patient.page, product.url)
    visit = f"/visit/{appointment}/"

    wait_for_reminder(product, product_clock, patient.page, starts)
    be_there(product_clock, starts, before=timedelta(minutes=5))
    patient.sign_in("amina").go_in(visit)
    patient.agree()

    specialist.sign_in("dr.salma").go_in(visit)
    specialist.admit()
    for person in (patient, specialist):
        person.sees()
        person.hears()
    for person in (patient, specialist):
        assert person.concealed() < 0.05

    write(patient, "السلام عليكم دكتورة")
    specialist.page.click("#side [data-panel=chat] >> visible=true")
    specialist.reads("السلام عليكم دكتورة")

    patient.page.reload()
    patient.sees()
    specialist.sees()

    cut_and_come_back(patient, specialist)
    finish(specialist)
    patient.page.locator("#ended").wait_for()
    summary_arrives(specialist, patient)


def wait_for_reminder(product, clock, page: Page, starts: datetime) -> None:
    """An hour before, in the patient's language."""
    shown = f"{product.url}/messages/shown/"
    page.goto(shown)
    reminders = page.get_by_text(REMINDER)
    before = reminders.count()
    be_there(clock, starts, before=timedelta(minutes=59))
    page.wait_for_function(
        """([words, before]) =>
          document.querySelector("#shown").innerText.split(words).length - 1 > before""",
        arg=[REMINDER, before],
        timeout=60_000,
    )


def summary_arrives(specialist: Guest, patient: Guest) -> None:
    write_summary(specialist.page, "لا خطر في القلب. عودوا بعد شهر.")
    patient.page.goto(f"{patient.url}/")
    patient.page.locator("a[href*='/summary/']").first.click()
    patient.reads("لا خطر في القلب")
    as_pdf(patient.page)
