"""At which pace a picture leaves beside a voice: a browser's own code over a link and a clock that
are made here."""

import pytest

pytestmark = pytest.mark.browser

# Steps are [seconds, milliseconds of the way, bits a second that the browser tells or null, another
# connection]. Gives for each the bytes a second that left in its last four seconds.
PACE = """async (steps) => {
  const { Upload } = await import("/static/consultations/upload.js");
  const id = "6f9a5a52-2f0e-4c55-9d3c-0d9a4b1c2d3e";
  let now = 0, tick, hear, way, available, left = 0;
  performance.now = () => now;
  window.setInterval = (run) => { tick = run; return 1; };
  const coming = [];
  let have = 0;
  const connect = () => ({
    readyState: "open",
    bufferedAmount: 0,
    addEventListener: (_type, listener) => { hear = listener; },
    send: (data) => {
      if (typeof data !== "string") {
        have += data.length - 20;
        left += data.length - 20;
      }
      const word = JSON.stringify({ picture: id, have, rate: 5000 });
      coming.push({ at: now + way, word });
    },
  });
  const upload = new Upload(id, new ArrayBuffer(20e6), () => available, () => {});
  const paces = [];
  for (const [seconds, milliseconds, told, another] of steps) {
    [way, available] = [milliseconds, told];
    if (another) upload.use(connect());
    const end = now + seconds * 1000;
    for (; now < end; now += 10) {
      if (now === end - 4000) left = 0;
      while (coming[0]?.at <= now) hear({ data: coming.shift().word });
      if (now % 50 === 0) tick();
    }
    paces.push(left / 4);
  }
  return paces;
}"""
ALL = 4000  # bytes a second, of 5000 that are granted


@pytest.fixture
def pace(someone):
    guest = someone()
    guest.page.goto(f"{guest.url}/accounts/login/")

    def paces(*steps: tuple[int, int, int | None, bool]) -> list[float]:
        found: list[float] = guest.page.evaluate(PACE, [list(step) for step in steps])
        return found

    return paces


def test_a_way_that_carries_the_voice_alone_is_left_to_it(pace):
    known = [60_000, 47_000, 45_000, 47_000, 30_000, 51_000]
    sent = pace(*[(10, 50, told, at == 0) for at, told in enumerate(known)])
    assert [pieces > 0 for pieces in sent] == [True, True, False, False, False, True]


def test_where_nobody_tells_what_is_carried_late_pieces_become_few_and_more_again(pace):
    early, late, again = pace((60, 50, None, True), (30, 350, None, False), (120, 50, None, False))
    assert early > ALL
    assert 0 < late <= 512
    assert again > 2000


def test_another_connection_has_a_quickest_piece_of_its_own(pace):
    near, far = pace((60, 50, 60_000, True), (30, 200, 60_000, True))
    assert near > ALL
    assert far > ALL


def test_a_way_that_became_longer_is_no_late_one_for_good(pace):
    near, late, later = pace(
        (60, 50, 60_000, True), (20, 200, 60_000, False), (160, 200, 60_000, False)
    )
    assert near > ALL
    assert late <= 2048
    assert later > 3000
