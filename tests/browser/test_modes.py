"""What a call sends over a thin link, and what people choose of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visit import line

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

SEAT = "#stage .seat:not(.own):not(.screen)"
PICTURED = re.compile("pictured")
# (seconds, bits a second that the way out carries, the mode then)
STEPS = [
    (-3, 2_000_000, "small"),  # so begins everybody
    (-1, 2_000_000, "full"),
    (1, 150_000, "full"),  # one bad second is none
    (2, 2_000_000, "full"),
    (3, 180_000, "full"),
    (5, 180_000, "small"),
    (6, 90_000, "small"),
    (8, 90_000, "slow"),
    (9, 65_000, "slow"),
    (11, 65_000, "still"),
    (12, 50_000, "still"),
    (14, 50_000, "voice"),
    (15, 2_000_000, "voice"),
    (20, 2_000_000, "voice"),  # up after six seconds, a step at a time
    (21, 2_000_000, "still"),
    (22, 2_000_000, "still"),
    (28, 2_000_000, "slow"),
    (29, 180_000, "slow"),
    (30, 2_000_000, "slow"),
    (36, 2_000_000, "small"),
    (37, 2_000_000, "small"),
    (43, 2_000_000, "full"),
    (52, 180_000, "full"),
    (54, 180_000, "small"),
    (63, 180_000, "small"),
    (64, 180_000, "full"),  # on trial, after ten seconds that went well
    (65, 180_000, "full"),
    (67, 180_000, "small"),
    (86, 180_000, "small"),  # the next one only after twenty
    (87, 180_000, "full"),
]
CLIMB = """async (steps) => {
  const { Ladder } = await import("/static/consultations/ladder.js");
  const ladder = new Ladder();
  return steps.map(([at, carries]) => {
    ladder.take(carries, at * 1000, false);
    return ladder.mode;
  });
}"""


def test_down_at_once_and_up_one_step_at_a_time(someone):
    guest = someone()
    guest.page.goto(f"{guest.url}/accounts/login/")
    modes = guest.page.evaluate(CLIMB, [list(step[:2]) for step in STEPS])
    assert modes == [step[2] for step in STEPS]


def test_voice_only_is_chosen_and_taken_back(together):
    patient, specialist = together
    expect(specialist.page.locator(SEAT)).to_have_class(PICTURED)
    patient.page.click("[data-panel=devices] >> visible=true")
    patient.page.check("[name=pictures][value=none]")
    expect(specialist.page.locator(SEAT)).not_to_have_class(PICTURED)
    specialist.hears()
    expect(patient.page.locator("[data-used]")).to_contain_text("ميغابايت")
    patient.page.check("[name=pictures][value=all]")
    specialist.sees()
    expect(specialist.page.locator(SEAT)).to_have_class(PICTURED)


def test_a_thin_way_out_keeps_the_voice_and_says_what_the_picture_is(together):
    patient, specialist = together
    patient.thin(up_kbit=70)
    expect(line(patient)).to_contain_text("صوتكم", timeout=40_000)
    specialist.hears()
    patient.mend()
    expect(line(patient)).not_to_contain_text("صوتكم", timeout=60_000)
    specialist.sees(30)
