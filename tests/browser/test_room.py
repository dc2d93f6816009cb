"""The room in browsers: consent, the waiting room, mute, devices, a presenter, guests by link."""

import re

import pytest
from playwright.sync_api import Request, WebSocket, expect

from tests.browser.visit import PHONE, RECEIVED, Guest, line
from tests.browser.visits import Visit, book

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

OTHER_SEAT = ".seat:not(.own):not(.screen)"
WAITING_KB_A_MINUTE = 20
PINGS_A_MINUTE, LOOKS_A_MINUTE = 6, 2
LOOK_MS = 30_000
STILL = (
    f"""async (milliseconds) => {{
  const received = {RECEIVED};
"""
    + """
  let held = { bytes: -1, since: 0 };
  do {
    const { bytes } = await received();
    if (bytes !== held.bytes) held = { bytes, since: performance.now() };
    await new Promise((next) => setTimeout(next, 50));
  } while (performance.now() - held.since < milliseconds);
}"""
)


def test_nobody_is_let_in_before_the_consent_and_it_can_be_taken_back(someone, visit):
    patient, specialist = someone("amina", **PHONE), someone("dr.salma")
    patient.go_in(visit.path)
    patient.page.click("[data-decide=refused]")
    expect(patient.page.locator("#consents .notice")).to_be_visible()
    specialist.go_in(visit.path)
    specialist.admit()
    expect(specialist.page.locator(".toast").last).to_contain_text("consentement manque")
    expect(patient.page.locator("#waiting")).to_be_visible()

    patient.page.click("[data-decide=again]")
    patient.agree()
    specialist.admit()
    specialist.sees()

    patient.page.click(".control.stop")
    expect(line(specialist)).to_contain_text("consentement")
    for one in (patient, specialist):
        stands_still(one)
    expect(patient.page.locator("#call #consents .notice")).to_be_visible()


def stands_still(guest: Guest) -> None:
    """Wait until nothing but keep-alives has arrived for half a second."""
    guest.page.evaluate(STILL, 500)


def test_place_and_number_are_confirmed_while_waiting_and_serve_when_the_line_drops(someone, visit):
    patient, specialist = someone("amina", **PHONE), someone("dr.salma")
    patient.go_in(visit.path)
    patient.agree()
    where = patient.page.locator("[data-where]")
    expect(where.locator("#where-phone")).to_have_value(re.compile("2126"))
    patient.page.fill("#where-place", "دوار أكدال")
    patient.page.fill("#where-phone", "0661 23 45 67")
    where.locator("form button").click()
    expect(where.locator("[data-where-said]")).to_contain_text("دوار أكدال")

    specialist.go_in(visit.path)
    specialist.admit()
    specialist.sees()
    patient.page.click("[data-do=emergency]")
    sheet = specialist.page.locator("#emergency")
    expect(sheet.locator("[data-emergency-place]")).to_have_text("دوار أكدال")
    expect(sheet.locator("[data-emergency-place-unsure]")).to_be_hidden()
    specialist.page.click("#emergency [data-closes]")

    patient.cut()
    call = line(specialist).locator("a[href='tel:0661 23 45 67']")
    expect(call).to_be_visible()
    specialist.page.click("[data-opens=finish]")
    expect(specialist.page.locator("#finish [data-phone]")).to_have_text("0661 23 45 67")
    specialist.page.click("[data-finish=telephone]")
    # First it is to be said how the patient was identified: the question opens by itself.
    specialist.page.check("[data-identify-form] [value=known]")
    specialist.page.click("[data-identify-form] button")
    specialist.page.locator("[data-identify-form]").wait_for(state="hidden")
    specialist.page.click("[data-opens=finish]")
    specialist.page.click("[data-finish=telephone]")
    expect(specialist.page.locator("#ended")).to_be_visible()
    patient.mend()
    expect(patient.page.locator("#ended")).to_be_visible()


def test_silence_is_shown_and_outlasts_a_reload(together):
    patient, specialist = together
    microphone = patient.page.locator(".room-bar [data-do=microphone]")
    muted = specialist.page.locator(f"{OTHER_SEAT} [data-muted]")

    microphone.click()
    expect(muted).to_be_visible()
    patient.page.reload()
    patient.sees()
    expect(microphone).to_have_attribute("aria-pressed", "true")
    microphone.click()
    expect(muted).to_be_hidden()


def test_the_doctor_writes_to_one_who_waits(someone, visit):
    patient, specialist = someone("amina", **PHONE), someone("dr.salma")
    patient.go_in(visit.path)
    patient.agree()
    specialist.go_in(visit.path)
    specialist.page.click("[data-act=write]")
    expect(specialist.page.locator("[data-chat-readers]")).to_contain_text("Amina")
    specialist.page.fill("[data-chat-form] input", "J’arrive dans cinq minutes")
    specialist.page.press("[data-chat-form] input", "Enter")

    patient.reads("J’arrive dans cinq minutes")
    patient.page.fill("[data-waiting-form] input", "حسناً")
    patient.page.press("[data-waiting-form] input", "Enter")
    specialist.reads("حسناً")


def test_who_writes_too_fast_is_told_and_loses_no_word(someone, visit):
    specialist = someone("dr.salma")
    specialist.go_in(visit.path)
    specialist.page.click(".room-bar [data-panel=chat]")
    field = specialist.page.locator("[data-chat-form] input")
    toast = specialist.page.locator(".toast").last
    for number in range(20):
        field.fill(f"mot {number}")
        field.press("Enter")
        expect(field).to_be_enabled()
        if field.input_value():
            break
    expect(toast).to_contain_text("trop rapide")
    expect(field).to_have_value(f"mot {number}")
    while field.input_value():
        field.press("Enter")
        expect(field).to_be_enabled()
    specialist.reads(f"mot {number}")


def test_a_newer_device_waits_and_takes_over_when_let_in(someone, together, visit):
    patient, specialist = together
    other = someone("amina", **PHONE)
    other.go_in(visit.path)
    expect(other.page.locator("#waiting")).to_be_visible()
    expect(line(patient)).to_be_visible()
    patient.sees()

    specialist.admit()
    other.sees()
    expect(patient.page.locator("#ended")).to_be_visible()
    specialist.sees()


def test_a_presenter_a_patient_without_login_and_an_interpreter(product, someone):
    visit = book(product, "hadda", site="imilchil")
    presenter, specialist = someone("brahim"), someone("dr.salma")
    presenter.go_in(visit.path, with_whom=("Itto", "mère"))
    consents = presenter.page.locator("#consents section")
    expect(consents).to_have_count(2)
    consents.filter(has_text="Hadda").locator("[data-decide=spoken]").click()
    expect(consents).to_have_count(1)
    presenter.agree()
    specialist.go_in(visit.path)
    waiting = specialist.page.locator("[data-waiting-list] .row")
    expect(waiting).to_contain_text("Hadda Oubella")
    specialist.admit()
    specialist.sees()
    presenter.sees()
    seat = specialist.page.locator(f"{OTHER_SEAT} figcaption")
    expect(seat).to_contain_text("Hadda Oubella")
    expect(seat).to_contain_text("Brahim")

    specialist.page.click("#tab-people")
    specialist.reads("Itto, mère")
    identify(specialist)

    interpreter = someone()
    come_by_link(interpreter, visit)
    specialist.page.click(".room-head [data-panel=waiting]")
    row = waiting.filter(has_text="Lahcen")
    expect(row).to_contain_text("identité non vérifiée")
    row.locator("[data-act=admit]").click()
    for one in (interpreter, specialist, presenter):
        expect(one.page.locator(OTHER_SEAT)).to_have_count(2)
        one.sees()
    interpreter.page.reload()
    interpreter.sees()

    specialist.page.click("#tab-people")
    guest = specialist.page.locator("[data-people] .row", has_text="Lahcen")
    guest.locator("[data-act=remove]").click()
    expect(interpreter.page.locator("#ended")).to_be_visible()
    specialist.sees()


def identify(specialist: Guest) -> None:
    expect(line(specialist)).to_be_visible()
    line(specialist).locator("button").click()
    specialist.page.check("[data-identify-form] [value=witnessed]")
    specialist.page.click("[data-identify-form] button")
    expect(specialist.page.locator("[data-identify-form]")).to_be_hidden()
    expect(line(specialist)).to_be_hidden()


def come_by_link(guest: Guest, visit: Visit) -> None:
    """The invitation names the specialist and nobody else; a wrong code opens nothing."""
    link = visit.invite("interpreter", "Lahcen")
    page = guest.page
    page.goto(guest.url + link.path)
    expect(page.locator("main")).to_contain_text("Dr Salma Bennis")
    expect(page.locator("main")).not_to_contain_text("Hadda")
    page.fill("#code", f"{(int(link.code) + 1) % 10**6:06}")
    page.press("#code", "Enter")
    expect(page.locator("#code-error")).to_be_visible()
    page.fill("#code", link.code)
    page.press("#code", "Enter")
    guest.go_in()
    guest.agree()


def test_waiting_costs_little(someone, visit):
    patient = someone("amina", **PHONE)
    with patient.page.expect_websocket() as opened:
        patient.go_in(visit.path)
    patient.agree()
    socket = opened.value
    frames: list[str | bytes] = []
    asked: list[Request] = []
    socket.on("framereceived", lambda frame: frames.append(frame))
    socket.on("framesent", lambda frame: frames.append(frame))
    patient.page.on("requestfinished", lambda request: asked.append(request))

    wait_for_pong(socket)
    frames.clear()
    asked.clear()
    wait_for_pong(socket)
    pings = sum(map(len, frames)) + sum(map(size, asked))
    frames.clear()
    socket.wait_for_event("framereceived", is_snapshot, timeout=LOOK_MS + 5_000)
    looks = sum(len(frame) for frame in frames if '"snapshot"' in str(frame))
    cost = PINGS_A_MINUTE * pings + LOOKS_A_MINUTE * looks
    assert cost <= WAITING_KB_A_MINUTE * 1024


def is_snapshot(frame: str | bytes) -> bool:
    return '"queue"' in str(frame)


def wait_for_pong(socket: WebSocket) -> None:
    socket.wait_for_event("framereceived", lambda frame: '"pong"' in str(frame))


def size(request: Request) -> int:
    sizes = request.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]
