"""Before the visit: what the device check and the connection test find, and who hears of it."""

import pytest
from playwright.sync_api import expect

from tests.browser.visit import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

WEBVIEW = (
    "Mozilla/5.0 (Linux; Android 13; SM-A135F; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36"
)
# A window inside another app says no in the person's name, and asks nobody.
REFUSES = """navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("Permission denied", "NotAllowedError"))"""


@pytest.mark.parametrize(
    ("agent", "trouble", "reason"),
    [(WEBVIEW, "embedded", "browser"), ("", "permission", "permission")],
)
def test_a_refusal_is_explained_and_told_to_the_visit(someone, visit, agent, trouble, reason):
    patient = someone("amina", **PHONE, **({"user_agent": agent} if agent else {}))
    page = patient.page
    page.add_init_script(REFUSES)
    page.goto(patient.url + visit.path)
    with page.expect_response("**/trouble") as told:
        page.click("[data-action=open]")
    assert told.value.request.post_data == f"reason={reason}"
    assert told.value.ok
    shown = page.locator("#device-check [data-trouble]:visible")
    expect(shown).to_have_attribute("data-trouble", trouble)


def test_the_connection_is_judged_and_nobody_is_told_of_a_good_one(someone, visit):
    patient = someone("amina", **PHONE)
    page = patient.page
    told = []
    page.on("request", lambda one: told.append(one) if one.url.endswith("/trouble") else None)
    page.goto(patient.url + visit.path)
    page.click("[data-action=open]")
    page.locator("[data-opened]").wait_for()
    page.click("[data-test-start]")
    expect(page.locator("[data-test-running]")).to_be_visible()
    verdict = page.locator("[data-test-result]:visible")
    expect(verdict).to_have_count(1)
    assert verdict.get_attribute("data-test-result") != "lost"
    assert told == []
