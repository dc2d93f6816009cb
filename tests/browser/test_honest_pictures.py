"""What is told of a picture that does not move as life does."""

import pytest

from tests.browser.test_call import BUSY_MS, STALE_MS

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
# A stage of its own, and a canvas whose pictures somebody sends.
STAGED = """
  const { Stage } = await import("/static/consultations/tiles.js");
  const root = document.createElement("div");
  document.body.prepend(root);
  const stage = new Stage(root);
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d");
"""
# How old the last picture is when it is said not to be live: of a canvas, at first as a still, then
# so many frames of a moving picture that stops.
AGE = (
    "async ({ sections, people, frames }) => {"
    + STAGED
    + """
  const track = canvas.captureStream(0).getVideoTracks()[0];
  stage.seat(people, "you");
  stage.addTrack({ mid: "6", track });
  stage.map(sections);
  stage.sends("patient", "still");
  const seat = root.querySelector(".seat:not(.own)");
  let last = 0;
  const drawn = () => new Promise((next) => {
    seat.querySelector("video").requestVideoFrameCallback(() => next(last = performance.now()));
    ink.fillStyle = `hsl(${Math.round(last)} 50% 50%)`;
    ink.fillRect(0, 0, canvas.width, canvas.height);
    track.requestFrame();
  });
  await drawn();
  await drawn();
  if (!seat.classList.contains("still")) return "no still";
  stage.sends("patient", "slow");
  for (let count = 0; count < frames; count += 1) await drawn();
  if (seat.matches(".still, .stale")) return "not live";
  return new Promise((told) => {
    new MutationObserver(() => {
      if (seat.classList.contains("stale")) told(performance.now() - last);
    }).observe(seat, { attributes: true });
  });
}"""
)
# A real stream whose pictures are held up on their way once it flows: whether they pass for live
# before, meanwhile and in the end, and what is said of them, twice.
LATE = (
    "async ({ sections, people, held }) => {"
    + STAGED
    + """
  const draw = () => setInterval(() => {
    ink.fillStyle = `hsl(${Math.round(performance.now() / 10) % 360} 50% 50%)`;
    ink.fillRect(0, 0, canvas.width, canvas.height);
  }, 50);
  let drawing = draw();
  const near = new RTCPeerConnection({ encodedInsertableStreams: true });
  const far = new RTCPeerConnection();
  near.onicecandidate = ({ candidate }) => candidate && far.addIceCandidate(candidate);
  far.onicecandidate = ({ candidate }) => candidate && near.addIceCandidate(candidate);
  const sender = near.addTrack(canvas.captureStream(20).getVideoTracks()[0]);
  const { readable, writable } = sender.createEncodedStreams();
  let delay = 0;
  const way = new TransformStream({
    transform: (picture, out) => { setTimeout(() => out.enqueue(picture), delay); },
  });
  void readable.pipeThrough(way).pipeTo(writable);
  const coming = new Promise((come) => { far.ontrack = ({ track }) => come(track); });
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription);
  stage.seat(people, "you");
  stage.addTrack({ mid: "6", track: await coming });
  stage.map(sections);
  const seat = root.querySelector(".seat:not(.own)");
  const video = seat.querySelector("video");
  const shown = (count) => new Promise((done) => {
    const next = () => (count-- > 0 ? video.requestVideoFrameCallback(next) : done());
    next();
  });
  const stale = () => seat.classList.contains("stale");
  await shown(20);
  const prompt = stale();
  delay = held;
  await new Promise((done) => setTimeout(done, held));
  await shown(20);
  const late = [stale(), seat.querySelector("[data-stale]").textContent.trim()];
  await shown(20);
  const later = seat.querySelector("[data-stale]").textContent.trim();
  clearInterval(drawing);
  await new Promise((done) => setTimeout(done, held + 4000));
  const stopped = [stale(), seat.querySelector("[data-stale]").textContent.trim()];
  drawing = draw();
  delay = 0;  // the browser goes on waiting for what was late, for some seconds
  const since = performance.now();
  while (stale() && performance.now() - since < 30_000) await shown(5);
  const again = stale();
  clearInterval(drawing);
  near.close();
  far.close();
  return { prompt, late, later, stopped, again };
}"""
)
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


@pytest.mark.parametrize("frames", [0, 40])
def test_what_stops_after_a_still_does_not_pass_for_live(someone, visit, frames):
    guest = someone("dr.salma")
    guest.page.goto(guest.url + visit.path)
    people = [person(YOU, "specialist"), person(PATIENT, "patient")]
    given = {"sections": SECTIONS[:1], "people": people, "frames": frames}
    age = guest.page.evaluate(AGE, given)
    assert STALE_MS <= age <= STALE_MS + BUSY_MS


@pytest.mark.parametrize(("held", "live"), [(700, True), (3000, False)])
def test_what_moves_but_comes_late_does_not_pass_for_live(someone, visit, held, live):
    guest = someone("dr.salma")
    guest.page.goto(guest.url + visit.path)
    people = [person(YOU, "specialist"), person(PATIENT, "patient")]
    told = guest.page.evaluate(LATE, {"sections": SECTIONS[:1], "people": people, "held": held})
    assert not told["prompt"]
    stale, words = told["late"]
    assert stale is not live
    assert told["stopped"][0]
    assert told["stopped"][1].startswith("Image fixe, prise à")
    assert not told["again"]
    if not live:
        assert words.startswith("Image en retard, prise à")
        assert told["later"] > words  # the time goes on
