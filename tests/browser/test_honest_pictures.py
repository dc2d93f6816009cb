"""What is told of a picture that does not move as life does."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

NOT_JUDGED = "10 images par seconde"
YOU, PATIENT, INTERPRETER = "you", "patient", "interpreter"
# Sections of the connection: two faces, and the interpreter's screen.
SECTIONS = [
    {"mid": "6", "kind": "video", "participant": PATIENT, "source": "video"},
    {"mid": "7", "kind": "video", "participant": INTERPRETER, "source": "video"},
    {"mid": "8", "kind": "video", "participant": INTERPRETER, "source": "screen"},
]
# After six seconds in which so many frames a second came in each section: whether the picture is
# too slow to judge by, and the word for the connection.
SIX_SECONDS = """async ({ sections, people, rates }) => {
  const { Media } = await import("/static/consultations/media.js");
  const { Stage } = await import("/static/consultations/tiles.js");
  const stage = new Stage(document.createElement("div"));
  stage.seat(people, "you");
  stage.map(sections);
  const room = { ping() {}, change: async () => ({}) };
  const media = new Media(Object.assign(new EventTarget(), room), () => []);
  let second = 0;
  performance.now = () => second * 1000;
  const reports = async () => new Map([
    ["T", { id: "T", type: "transport", selectedCandidatePairId: "a" }],
    ["a", { id: "a", type: "candidate-pair", state: "succeeded", nominated: true,
      bytesReceived: second * 50_000 }],
    ...Object.entries(rates).map(([mid, rate]) =>
      [mid, { id: mid, mid, type: "inbound-rtp", kind: "video", framesDecoded: second * rate }]),
  ]);
  media.call = { state: "connected", reports };
  for (; second <= 6; second += 1) await media.tick(stage.expected);
  return [media.slow, media.quality];
}"""
LINE = """async ([people, state]) => {
  const { lineOf } = await import("/static/consultations/line.js");
  const you = { id: "you", role: people[0].role };
  const snapshot = { people, you, visit: { identified: true } };
  return lineOf(snapshot, { stopped: false, open: true, reconnecting: false, quality: "good",
    silent: false, pictured: true, identifying: false, chosen: "all", ...state }).words;
}"""


def person(name: str, role: str, *muted: str, sends: str = "full") -> dict[str, object]:
    """As a snapshot tells of somebody in the room."""
    told = {"id": name, "name": name, "role": role, "link": "connected", "sends": sends}
    return {**told, "muted": list(muted), "consent": "given"}


@pytest.mark.parametrize(
    ("rates", "muted", "told"),
    [
        ({"6": 5, "7": 25, "8": 25}, [], [True, "poor"]),
        ({"6": 9, "7": 25}, [], [True, "good"]),
        ({"6": 25, "7": 10, "8": 1}, [], [False, "good"]),
        ({"6": 25, "7": 2}, ["video"], [False, "good"]),
        ({"6": 0, "7": 25}, [], [True, "poor"]),
        ({"6": 0, "7": 0, "8": 25}, [], [True, "voice-only"]),
    ],
    ids=["slow", "a little slow", "quick", "camera off", "one stands", "screen alone"],
)
def test_the_slowest_face_is_what_is_judged(someone, visit, rates, muted, told):
    guest = someone("dr.salma")
    guest.page.goto(guest.url + visit.path)
    people = [
        person(YOU, "specialist"),
        person(PATIENT, "patient"),
        person(INTERPRETER, "interpreter", *muted),
    ]
    given = {"sections": SECTIONS, "people": people, "rates": rates}
    assert guest.page.evaluate(SIX_SECONDS, given) == told


@pytest.mark.parametrize(
    ("role", "state", "theirs", "told"),
    [
        ("specialist", {"sends": "full", "slow": True}, "full", True),
        ("specialist", {"sends": "slow", "slow": True}, "full", True),
        ("specialist", {"sends": "voice", "slow": False}, "still", True),
        ("specialist", {"sends": "still", "slow": False}, "full", False),
        ("presenter", {"sends": "slow", "slow": True}, "slow", False),
    ],
)
def test_the_specialist_is_warned_whatever_their_own_way_out(
    someone, visit, role, state, theirs, told
):
    guest = someone("dr.salma")
    guest.page.goto(guest.url + visit.path)
    people = [person(YOU, role), person(PATIENT, "patient", sends=theirs)]
    words = guest.page.evaluate(LINE, [people, state])
    assert (NOT_JUDGED in words) is told
