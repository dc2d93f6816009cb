"""Before the visit: what the device check and the connection test find, and who hears of it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.visit import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

WEBVIEW = (
    "Mozilla/5.0 (Linux; Android 13; SM-A135F; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36"
)
# A window inside another app says no in the person's name, and asks nobody.
REFUSES = """navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("Permission denied", "NotAllowedError"))"""
# A network that lets nothing through to the media server.
BLOCKED = r"""const agree = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
  return agree.call(this, { type, sdp: sdp.replace(/a=candidate.*\r\n/g, "") });
};"""
# A browser whose offer the media server does not take.
WITHOUT_VP8 = """const make = RTCPeerConnection.prototype.createOffer;
RTCPeerConnection.prototype.createOffer = async function (...given) {
  const { type, sdp } = await make.apply(this, given);
  return { type, sdp: sdp.replaceAll("VP8/", "VPX/") };
};"""
SEND_NOTHING = """async () => {
  const { testConnection } = await import("/static/consultations/conntest.js");
  const { askTicket } = await import("/static/consultations/signal.js");
  const page = document.querySelector("#visit");
  const csrf = page.querySelector("[name=csrfmiddlewaretoken]").value;
  const ask = () => askTicket(page.dataset.test, csrf);
  await testConnection(page.querySelector("#connection-test"), ask, new MediaStream());
}"""
NO_SERVICE = "لا تجيب"


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


def told_of(page: Page) -> list[str]:
    """What the page tells the server of a test, as it comes to be told."""
    told: list[str] = []

    def note(request: Request) -> None:
        name = request.url.rsplit("/", 1)[-1]
        if name in ("trouble", "measured"):
            told.append(name)

    page.on("request", note)
    return told


def refused(status: int, code: str) -> Callable[[Route], None]:
    said = {"code": code, "message": f"words of {code}"}
    return lambda route: route.fulfill(status=status, json=said)


@pytest.mark.parametrize(
    ("script", "ticket", "result", "words", "kept"),
    [
        (BLOCKED, None, "lost", "", ["trouble", "measured"]),
        # No fault of the network: nothing is kept of it.
        (WITHOUT_VP8, None, "refused", "VP8", []),
        ("", lambda route: route.abort(), "refused", NO_SERVICE, []),
        ("", refused(503, "unavailable"), "refused", NO_SERVICE, []),
        ("", refused(503, "full"), "refused", "words of full", []),
        ("", refused(429, "too_fast"), "refused", "words of too_fast", []),
    ],
    ids=["blocked", "no VP8", "away", "no process", "full", "too fast"],
)
def test_a_network_that_carries_nothing_is_told_from_a_service_that_refuses(
    someone, visit, script, ticket, result, words, kept
):
    patient = someone("amina", **PHONE)
    page = patient.page
    page.add_init_script(script)
    if ticket:
        page.route("**/test/ticket", ticket)
    told = told_of(page)
    page.goto(patient.url + visit.path)
    page.click("[data-action=open]")
    page.locator("[data-opened]").wait_for()
    page.click("[data-test-start]")
    shown = page.locator("[data-test-result]:visible")
    expect(shown).to_have_attribute("data-test-result", result)
    expect(shown).to_contain_text(words)
    expect(page.locator("[data-test-start]")).to_be_enabled()
    assert told == kept


def test_nothing_is_tested_before_a_camera_or_microphone_is_on(someone, visit):
    patient = someone("amina", **PHONE)
    page = patient.page
    page.goto(patient.url + visit.path)
    start, why = page.locator("[data-test-start]"), page.locator("[data-test-off]")
    expect(why).to_be_visible()
    expect(start).to_be_disabled()
    page.evaluate(f"() => {{ window.allowed = navigator.mediaDevices.getUserMedia; {REFUSES} }}")
    page.click("[data-action=open]")
    expect(page.locator("[data-trouble=permission]")).to_be_visible()
    expect(start).to_be_disabled()
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = allowed; }")
    page.click("[data-retry] button")
    expect(start).to_be_enabled()
    expect(why).to_be_hidden()


def test_a_test_in_which_nothing_comes_back_finds_nothing_good(someone, visit):
    patient = someone("amina", **PHONE)
    page = patient.page
    page.add_init_script(BLOCKED)
    page.goto(patient.url + visit.path)
    page.evaluate(SEND_NOTHING)
    shown = page.locator("[data-test-result]:visible")
    expect(shown).to_have_attribute("data-test-result", "lost")
    expect(page.locator("[data-test-mode]:visible")).to_have_count(0)


def test_the_connection_is_judged_and_nobody_is_told_of_a_good_one(someone, visit):
    patient = someone("amina", **PHONE)
    page = patient.page
    told = told_of(page)
    page.goto(patient.url + visit.path)
    page.click("[data-action=open]")
    page.locator("[data-opened]").wait_for()
    page.click("[data-test-start]")
    expect(page.locator("[data-test-running]")).to_be_visible()
    verdict = page.locator("[data-test-result]:visible")
    expect(verdict).to_have_count(1)
    assert verdict.get_attribute("data-test-result") not in ("lost", "refused")
    assert told == ["measured"]
