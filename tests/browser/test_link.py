"""What holds when the link does not: a stop that needs no answer."""

import pytest
from playwright.sync_api import expect

from tests.browser.visit import line

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

SENDS = """() => connections.some((one) => one.connectionState !== "closed"
  && one.getSenders().some((sender) => sender.track?.enabled))"""
SHOWS = """() => [...document.querySelectorAll(".seat:not(.own) video")].some(
  (video) => !video.muted || getComputedStyle(video).visibility === "visible")"""


def test_taking_back_stops_at_once_without_a_link(together):
    patient, specialist = together
    patient.cut()
    patient.page.click("[data-panel=more]")
    patient.page.click("[data-do=withdraw]")
    assert not patient.page.evaluate(SENDS)
    assert not patient.page.evaluate(SHOWS)

    patient.mend()
    expect(patient.page.locator("#call #consents .notice")).to_be_visible()
    expect(line(specialist)).to_contain_text("consentement")

    patient.page.click("[data-decide=again]")
    patient.agree()
    patient.sees()
    specialist.sees()
