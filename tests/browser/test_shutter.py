"""A picture is asked for, taken, seen, agreed to and sent in browsers, over a cut in the middle."""

import hashlib
import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from consultations import rules
from tests.browser.visit import Guest
from tests.consultations.jpegs import PLACE, photo

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

KEPT_MS = 60_000
CUT_MS = 4_000
# What leaves of the browser's own store when all is done.
LEFT = """() => new Promise((done) => {
  const opening = indexedDB.open("telemed-pictures", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("pictures", { keyPath: "id" });
  opening.onsuccess = () => {
    const all = opening.result.transaction("pictures").objectStore("pictures").count();
    all.onsuccess = () => { done(all.result); opening.result.close(); };
  };
})"""
# What was taken is developed no sooner than the test says, as on a slow telephone.
SLOW = """() => {
  const develop = window.createImageBitmap;
  window.createImageBitmap = (...given) =>
    new Promise((done) => (window.develop_ = () => done(develop(...given))));
}"""
# Nothing leaves over the data channel before the test says so.
HOLD = """() => {
  const send = RTCDataChannel.prototype.send, held = [];
  RTCDataChannel.prototype.send = function (data) { held.push([this, data]); };
  window.let_go_ = () => {
    RTCDataChannel.prototype.send = send;
    for (const [channel, data] of held) channel.send(data);
  };
}"""
# How large a picture of that size is sent. Its pixels are not made: they would fill the machine.
DEVELOPED = """async ([width, height]) => {
  const { develop } = await import("/static/consultations/shot.js");
  window.createImageBitmap = async () => ({ width, height, close: () => {} });
  const canvas = {
    getContext: () => null,
    toBlob: (done, type) => done(new Blob(["x"], { type })),
  };
  document.createElement = () => canvas;
  const shot = await develop(new Blob([]), 0);
  return [shot.width, shot.height];
}"""
WHAT = "[data-shutter-what]"
SEEN = "[data-shutter-picture]"
LEAVES = "[data-shutter-strip] progress"


@pytest.fixture
def together(together) -> tuple[Guest, Guest]:
    """Begun: the specialist has said who the patient is."""
    together[1].identify()
    return together


def ask(specialist: Guest, site: str = "hand", side: str = "left") -> None:
    specialist.page.click("#tab-pictures")
    specialist.page.select_option("#picture-site", site)
    specialist.page.check(f"[data-picture-form] [value={side}]")
    specialist.page.click("[data-picture-form] button")


def take(patient: Guest, taken: bytes) -> None:
    """From the telephone's own camera, which hands a file over."""
    expect(patient.page.locator("#shutter")).to_be_visible()
    camera = patient.page.locator("[data-shutter-file=camera]")
    camera.set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": taken})
    expect(patient.page.locator(SEEN)).to_be_visible()


def agree(patient: Guest) -> None:
    patient.page.locator("[data-shutter=send]").dblclick()
    expect(patient.page.locator("#shutter")).to_be_hidden()


def row(specialist: Guest, what: str) -> Locator:
    return specialist.page.locator("[data-picture-list] .picture-row", has_text=what)


def has_sent(patient: Guest, share: float) -> None:
    patient.page.wait_for_function(
        """(share) => {
          const bar = document.querySelector("[data-shutter-strip] progress");
          return bar.value / bar.max >= share;
        }""",
        arg=share,
    )


def arrives(specialist: Guest) -> bytes:
    """The picture as the specialist opens it."""
    link = specialist.page.locator("[data-picture-list] a")
    expect(link).to_be_visible(timeout=KEPT_MS)
    opened = specialist.page.request.get(specialist.url + str(link.get_attribute("href")))
    assert opened.headers["content-type"] == "image/jpeg"
    assert "no-store" in opened.headers["cache-control"]
    return opened.body()


def is_intact(data: bytes, size: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.size == size
    assert not image.getexif()
    assert PLACE not in data


def test_a_picture_arrives_over_a_cut_in_the_middle_upright_and_without_where_it_was_taken(
    together, visit
):
    patient, specialist = together
    taken = photo(2400, 1800, quality=95)
    ask(specialist)
    take(patient, taken)
    agree(patient)
    has_sent(patient, 0.1)
    patient.cut()
    patient.page.wait_for_timeout(CUT_MS)
    patient.mend()
    data = arrives(specialist)

    is_intact(data, (1800, 2400))  # EXIF says that the camera was turned
    patient.hears()
    shown = specialist.page.locator("[data-picture-list] .picture-row")
    expect(shown).to_have_count(1)
    expect(patient.page.locator("[data-shutter-strip]")).to_be_hidden()
    assert patient.page.evaluate(LEFT) == 0
    with specialist.page.context.expect_page() as other:
        specialist.page.click("#panel-pictures .actions a")
    page = other.value
    expect(page.locator("[data-kept-picture] img")).to_have_count(1)
    told = page.locator("[data-kept-picture] bdi").inner_text()
    assert hashlib.sha256(data).hexdigest()[:12] in told


def test_a_picture_that_was_agreed_to_outlives_a_reload_and_is_sent_on_by_itself(together):
    patient, specialist = together
    ask(specialist, "eye", "right")
    take(patient, photo(2400, 1800, quality=95, seed=3))
    agree(patient)
    has_sent(patient, 0.05)
    patient.page.reload()

    is_intact(arrives(specialist), (1800, 2400))
    assert patient.page.evaluate(LEFT) == 0


def test_who_does_not_want_to_says_so_and_the_specialist_reads_it(together):
    patient, specialist = together
    ask(specialist, "chest", "none")
    expect(patient.page.locator("#shutter")).to_be_visible()
    patient.page.locator("[data-shutter-step=take] [data-shutter=refuse]").click()

    expect(patient.page.locator("#shutter")).to_be_hidden()
    expect(specialist.page.locator("[data-picture-list] [data-state=refused]")).to_be_visible()
    assert "0 MB" not in specialist.page.locator("[data-picture-list]").inner_text()


def test_the_live_camera_gives_its_largest_picture(together):
    patient, specialist = together
    ask(specialist)
    patient.page.locator("[data-shutter=press]").click()
    expect(patient.page.locator(SEEN)).to_be_visible()
    agree(patient)

    assert min(Image.open(io.BytesIO(arrives(specialist))).size) >= 360


@pytest.mark.parametrize("turns", ["while it is chosen", "while it is developed"])
def test_what_was_taken_for_one_picture_is_never_shown_for_another(together, turns):
    patient, specialist = together
    page = patient.page
    ask(specialist, "hand", "left")
    expect(page.locator(WHAT)).to_contain_text("اليد")
    ask(specialist, "eye", "right")
    expect(row(specialist, "Œil")).to_be_visible()
    page.evaluate(SLOW)

    def turn() -> None:
        row(specialist, "Main").locator("button").click()
        expect(page.locator(WHAT)).to_contain_text("العين")

    with page.expect_file_chooser() as chooser:
        page.locator("label", has=page.locator("[data-shutter-file=choose]")).click()
    if turns == "while it is chosen":
        turn()
    chooser.value.set_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    page.wait_for_function("() => window.develop_")
    if turns == "while it is developed":
        turn()
    page.evaluate("() => develop_()")

    expect(page.locator("#shutter")).not_to_have_attribute("aria-busy", re.compile(""))
    expect(page.locator("[data-shutter-step=take]")).to_be_visible()
    expect(page.locator(SEEN)).to_be_hidden()


@pytest.mark.parametrize(("answer", "becomes"), [("send", "ready"), ("refuse", "refused")])
def test_what_is_said_in_the_dialog_is_about_the_picture_that_it_names(
    together, visit, answer, becomes
):
    patient, specialist = together
    ask(specialist, "hand", "left")
    take(patient, photo())
    no_place = (
        visit.product.var / "pictures" / str(row(specialist, "Main").get_attribute("data-id"))
    )
    no_place.parent.mkdir(exist_ok=True)
    no_place.touch()  # the server cannot store it
    patient.page.evaluate(HOLD)
    agree(patient)
    expect(patient.page.locator(LEAVES)).to_be_visible()
    ask(specialist, "eye", "right")
    expect(patient.page.locator(WHAT)).to_contain_text("العين")
    take(patient, photo(seed=3))
    patient.page.evaluate("() => let_go_()")
    expect(patient.page.locator(LEAVES)).to_be_hidden()  # the first was lost meanwhile

    expect(patient.page.locator(WHAT)).to_contain_text("العين")
    patient.page.locator(f"[data-shutter-step=seen] [data-shutter={answer}]").click()
    expect(row(specialist, "Œil")).to_have_attribute("data-state", becomes, timeout=KEPT_MS)
    expect(row(specialist, "Main")).to_have_attribute("data-state", "sending")


def test_a_picture_of_more_pixels_than_are_taken_is_made_smaller(someone):
    guest = someone()
    guest.page.goto(f"{guest.url}/accounts/login/")
    width, height = guest.page.evaluate(DEVELOPED, [16_000, 9000])
    assert 0.999 * rules.MAX_PICTURE_PIXELS < width * height <= rules.MAX_PICTURE_PIXELS
    assert width / height == pytest.approx(16 / 9, rel=1e-3)
    assert guest.page.evaluate(DEVELOPED, [4001, 3001]) == [4001, 3001]
