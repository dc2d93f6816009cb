"""What a call and a connection test leave behind, with real browsers."""

import json
import time

import pytest
from playwright.sync_api import expect

from tests.browser.visit import DESK, PHONE, Guest, meet
from tests.servers import Product

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

RECORDS = """
import json
from consultations.models import CallRecord
found = CallRecord.objects.filter(
    participant__room__consultation__appointment="{visit}"
).select_related("participant")
print(json.dumps([[
    one.participant.role, one.path, one.device, one.browser, one.round_trip_ms, one.concealed,
    one.frozen_seconds, one.bytes_up, one.bytes_down, one.modes, one.ending,
] for one in found]))
"""
TESTS = """
import json
from consultations.models import ConnectionTest
print(json.dumps(list(ConnectionTest.objects.values_list(
    "verdict", "expected_mode", "kbit_up", "kbit_down", "at_home"
))))
"""
STORED_SECONDS = 30
TOLD_MS = 40_000
# Whether the browser has told its numbers: the instruments keep what the socket sent.
# The first comes with the connection, before there was anything to count.
TOLD = "() => window.told > 1"
COUNT_TOLD = """
window.told = 0;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) {
  if (String(text).includes('"stats"')) window.told += 1;
  return send.call(this, text);
};
"""


@pytest.fixture
def together(someone, visit) -> tuple[Guest, Guest]:
    """Amina and Dr Salma in the call, in browsers that count what they tell of it."""
    patient, specialist = someone("amina", **PHONE), someone("dr.salma")
    for guest in (patient, specialist):
        guest.page.add_init_script(COUNT_TOLD)
    meet(patient, specialist, visit.path)
    return patient, specialist


def asked(product: Product, words: str) -> list:
    out = product.manage("shell", "--verbosity", "0", "-c", words)
    return json.loads(out.strip().splitlines()[-1])


def test_a_call_leaves_a_record_that_the_coordinator_reads(together, visit, someone, product):
    patient, specialist = together
    for guest in together:
        guest.page.wait_for_function(TOLD, timeout=TOLD_MS)
    specialist.identify()
    specialist.page.click("[data-opens=finish]")
    specialist.page.click("[data-finish=video]")
    patient.page.locator("#ended:visible").wait_for()

    limit = time.monotonic() + STORED_SECONDS
    found: list = []
    while len([one for one in found if one[-1]]) < 2 and time.monotonic() < limit:
        found = asked(product, RECORDS.format(visit=visit.id))
    by_role = {one[0]: one[1:] for one in found}
    assert set(by_role) == {"patient", "specialist"}
    for (
        path,
        _device,
        browser,
        trip,
        concealed,
        frozen,
        up,
        down,
        modes,
        ending,
    ) in by_role.values():
        assert (path, browser, ending) == ("ipv4", "Chrome", "finished")
        assert 0 <= trip < 1000
        assert 0 <= concealed < 0.5
        assert 0 <= frozen < 60
        assert up > 50_000
        assert down > 50_000
        assert modes[0][1] in ("full", "small", "slow")

    karim = someone("karim", **DESK).page
    karim.goto(f"{product.url}/appointments/{visit.id}/")
    expect(karim.locator("#call-record svg[role=img]")).to_be_visible()
    assert karim.evaluate("document.querySelectorAll('#call-record rect.mode').length") >= 2


def test_a_connection_test_is_kept_for_the_place(someone, visit, product):
    guest = someone("amina")
    before = len(asked(product, TESTS))
    guest.page.goto(product.url + visit.path)
    guest.page.click("[data-action=open]")
    guest.page.locator("[data-opened]").wait_for()
    with guest.page.expect_response("**/measured") as answer:
        guest.page.click("[data-test-start]")
    assert answer.value.status == 200
    verdict = guest.page.locator("[data-test-result]:visible").get_attribute("data-test-result")
    kept = asked(product, TESTS)
    assert len(kept) == before + 1
    assert kept[-1][0] == verdict != "lost"
    assert kept[-1][1] in ("full", "small", "slow", "still")
    assert kept[-1][2] > 30
    assert kept[-1][3] > 30
    assert kept[-1][4] is True
