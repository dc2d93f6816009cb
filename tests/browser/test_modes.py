"""What a call sends over a thin link, and what people choose of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visit import PHONE, line

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

SEAT = "#stage .seat:not(.own):not(.screen)"
PICTURED = re.compile("pictured")
# (seconds, bits a second that the way out carries, the mode then)
STEPS = [
    (-3, 2_000_000, "small"),  # so begins everybody
    (-1, 2_000_000, "full"),
    (1, 170_000, "full"),  # one bad second is none
    (2, 2_000_000, "full"),
    (3, 180_000, "full"),
    (5, 180_000, "small"),
    (6, 120_000, "small"),
    (8, 120_000, "slow"),
    (9, 65_000, "slow"),
    (11, 65_000, "still"),
    (12, 55_000, "still"),
    (14, 55_000, "voice"),
    (15, 2_000_000, "voice"),
    (16, 2_000_000, "voice"),
    (17, 2_000_000, "full"),  # up after two seconds to what fits with plenty to spare
    (22, 90_000, "slow"),  # far too little, at once
    (30, 300_000, "slow"),
    (33, 300_000, "slow"),
    (34, 300_000, "small"),  # and after four where there is some to spare
    (43, 60_000, "still"),
    (52, 70_000, "still"),
    (53, 70_000, "slow"),  # on trial, after ten seconds that went well
    (54, 70_000, "slow"),
    (56, 70_000, "still"),
    (75, 70_000, "still"),  # the next one only after twenty
    (76, 70_000, "slow"),
]
# (seconds, the round trip, the mode then) where 400 kbit/s are thought to be carried
STANDING = [
    (-3, 0.2, "small"),
    (-1, 0.2, "full"),
    (1, 0.9, "full"),
    (5, 0.9, "full"),
    (6, 0.9, "small"),  # full of what was sent for five seconds
    (7, 0.9, "small"),
    (12, 0.9, "slow"),
    (13, 0.3, "slow"),
    (15, 0.3, "small"),  # soon, once nothing stands there any more
]
# From a network that answers fast to one that answers late by itself: what the voice alone meets is
# how long a round trip takes there.
FARTHER = [
    (-3, 0.2, "small"),
    (-1, 0.2, "full"),
    *[(second, 1.0, None) for second in range(1, 34)],
    (34, 1.0, "voice"),
    (35, 1.0, "voice"),
    (39, 1.0, "full"),
    (60, 1.0, "full"),
]
# Whether no more than twenty packets of the voice were sent in the last second.
LONG_PACKETS = """async () => {
  const reports = [...(await connections.at(-1).getStats()).values()];
  const now = reports.find((one) => one.type === "outbound-rtp" && one.kind === "audio");
  const before = window.voice_ ?? now;
  window.voice_ = now;
  const seconds = (now.timestamp - before.timestamp) / 1000;
  return seconds > 0.9 && (now.packetsSent - before.packetsSent) / seconds <= 20;
}"""
# Whether a voice that was sent over all of the last second went in usual packets.
SHORT_PACKETS = LONG_PACKETS.replace("<= 20", "> 35")
# Seconds in which somebody who is alone may take what nobody watches for a thin way out.
ALONE_MS = 5000
CLIMB = """async (steps) => {
  const { Ladder } = await import("/static/consultations/ladder.js");
  const ladder = new Ladder();
  return steps.map(([at, available, roundTrip]) => {
    ladder.take({ available, roundTrip, thin: false }, at * 1000);
    return ladder.mode;
  });
}"""

# Of each section that may send pictures, whether it has one, and whether any of its sizes counts.
COUNTED = """() => connections[0].getSenders()
  .filter((one) => one.getParameters().codecs.some(({ mimeType }) => mimeType === "video/VP8"))
  .slice(0, 3)
  .map((one) => [one.track ? "camera" : "",
    one.getParameters().encodings.some(({ active }) => active)])"""
BY_LEVEL = """async (steps) => {
  const { Ladder } = await import("/static/consultations/ladder.js");
  const ladder = new Ladder();
  return steps.map(([at, level]) => {
    ladder.takeLevel(level, at * 1000);
    return [ladder.mode, ladder.settled];
  });
}"""

# What is told of a second in which a connection's reports went from one to the other.
SECOND = """async (reports) => {
  const { carried, measure, sample, verdict } = await import("/static/consultations/quality.js");
  const [earlier, later] = reports.map((one, index) =>
    sample(new Map(one.map((each) => [each.id, each])), index * 1000));
  const told = verdict(measure(earlier, later), { video: false, audio: true });
  return [told, carried(earlier, later).received, later.availableUp];
}"""


def over(pair: str, received: int, state: str = "succeeded") -> list[dict[str, object]]:
    """The reports of a connection over this pair, beside one that was left."""
    common = {"type": "candidate-pair", "nominated": True}
    rate = {"availableOutgoingBitrate": 100_000}
    return [
        {"id": "T", "type": "transport", "selectedCandidatePairId": pair},
        {"id": "left", **common, "state": "failed", "bytesReceived": 70_000},
        {"id": pair, **common, "state": state, "bytesReceived": received, **rate},
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (over("a", 1000), over("a", 9000, "in-progress"), ["good", 8000, 100_000]),
        (over("a", 50_000), over("b", 4000), ["good", 4000, 100_000]),
        (over("a", 3000), over("b", 4000), ["good", 4000, 100_000]),
        (over("a", 50_000), over("a", 50_000), ["lost", 0, 100_000]),
    ],
    ids=["consent check", "another pair", "another and more", "nothing"],
)
def test_what_a_second_was_like(someone, before, after, told):
    guest = someone()
    guest.page.goto(f"{guest.url}/accounts/login/")
    assert guest.page.evaluate(SECOND, [before, after]) == told


@pytest.mark.parametrize(
    "steps",
    [
        [(at, carries, 0.2, mode) for at, carries, mode in STEPS],
        [(at, 400_000, round_trip, mode) for at, round_trip, mode in STANDING],
        [(at, 400_000, round_trip, mode) for at, round_trip, mode in FARTHER],
    ],
    ids=["carried", "standing", "farther"],
)
def test_the_ladder(someone, steps):
    guest = someone()
    guest.page.goto(f"{guest.url}/accounts/login/")
    modes = guest.page.evaluate(CLIMB, [list(step[:3]) for step in steps])
    found = [mode if step[3] else None for mode, step in zip(modes, steps, strict=True)]
    assert found == [step[3] for step in steps]


def test_a_browser_that_tells_nothing_of_its_way_out_goes_by_the_rooms_word(someone):
    guest = someone()
    guest.page.goto(f"{guest.url}/accounts/login/")
    steps = [(0, "good"), (2, "good"), (3, "good"), (4, "fair"), (5, "poor"), (9, "good")]
    assert guest.page.evaluate(BY_LEVEL, steps) == [
        ["small", False],
        ["small", False],
        ["full", True],
        ["small", True],
        ["slow", True],
        ["full", True],
    ]


def test_what_has_no_picture_has_no_share_of_the_way_out(together):
    """Chromium may go on counting it in: the camera was held to half of what there was."""
    specialist, page = together[1], together[1].page
    assert page.evaluate(COUNTED) == [["camera", True], ["", False], ["", False]]
    page.click("[data-do=screen] >> visible=true")
    page.wait_for_function(f"async () => (await ({COUNTED})())[1][1]")
    page.click("[data-do=screen] >> visible=true")
    page.wait_for_function(f"async () => !(await ({COUNTED})())[1][1]")
    specialist.sees()


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


def test_who_is_first_has_no_thin_way_out(someone, visit):
    """Nobody sees their picture yet, and the media server holds it to little."""
    specialist, patient = someone("dr.salma"), someone("amina", **PHONE)
    specialist.go_in(visit.path)
    specialist.page.wait_for_function("() => connections.at(-1)?.connectionState === 'connected'")
    specialist.page.wait_for_timeout(ALONE_MS)
    patient.go_in(visit.path)
    patient.agree()
    specialist.admit()
    specialist.sees()
    assert "faible" not in line(specialist).inner_text()
    specialist.page.wait_for_function(SHORT_PACKETS, polling=1000, timeout=5_000)


def test_a_thin_way_out_keeps_the_voice_and_says_what_the_picture_is(together):
    patient, specialist = together
    patient.thin(up_kbit=70)
    patient.page.wait_for_function(LONG_PACKETS, polling=1000, timeout=20_000)
    expect(line(patient)).to_contain_text("صوتكم", timeout=40_000)
    specialist.hears()
    patient.mend()
    expect(line(patient)).not_to_contain_text("صوتكم", timeout=60_000)
    specialist.sees(30)
    patient.page.wait_for_function(SHORT_PACKETS, polling=1000, timeout=60_000)
