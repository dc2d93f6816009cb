"""In the call: still pictures, whole screen, small window, other devices, a shared screen."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visit import Guest, line

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

OTHER_SEAT = ".seat:not(.own):not(.screen)"
# How old the last picture was when the words came.
AGE = """() => new Promise((told) => {
  const seat = document.querySelector(".seat:not(.own):not(.screen)");
  new MutationObserver(() => {
    if (seat.classList.contains("stale")) told(performance.now() - last);
  }).observe(seat, { attributes: true });
})"""
# How wide the next frames of the shared screen are.
WIDTHS = """(frames) => new Promise((told) => {
  const video = document.querySelector(".seat.screen video");
  const widths = [];
  const note = () => {
    widths.push(video.videoWidth);
    if (widths.length === frames) told(widths);
    else video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
})"""
# So many frames of the shared screen were drawn since this was first asked.
SCREEN_MOVES = """(frames) => {
  const video = document.querySelector(".seat.screen video");
  if (!video) return false;
  const { totalVideoFrames } = video.getVideoPlaybackQuality();
  video.begun_ = Math.min(video.begun_ ?? totalVideoFrames, totalVideoFrames);
  return totalVideoFrames - video.begun_ >= frames;
}"""
# Frames a second that are sent of one's own.
SCREEN_RATE = """async () => {
  for (const each of (await connections.at(-1).getStats()).values()) {
    if (each.type === "outbound-rtp" && each.kind === "video" && each.contentType === "screenshare")
      return each.framesPerSecond ?? 0;
  }
  return 0;
}"""
TAKEN = re.compile(r"^Image fixe, prise à \d\d:\d\d:\d\d$")
STALE_MS = 2000
BUSY_MS = 400  # what a timer may be late here


def open_devices(guest: Guest) -> None:
    guest.page.click(".room-bar [data-panel=devices]")


def test_a_still_picture_says_so_and_leaves_the_small_window(together):
    patient, specialist = together
    page = specialist.page
    open_devices(specialist)
    page.click("[data-do=pip]")
    page.wait_for_function("() => document.pictureInPictureElement !== null")

    page.evaluate(f"() => {{ window.age = ({AGE})(); }}")
    patient.cut()
    seat = page.locator(OTHER_SEAT)
    # Two seconds after it was taken: the last frame may have come a little late.
    age = page.evaluate("() => window.age")
    assert STALE_MS - BUSY_MS <= age <= STALE_MS + BUSY_MS
    expect(seat.locator("[data-stale]")).to_have_text(TAKEN)
    expect(seat.locator("video")).to_have_css("filter", re.compile("brightness"))
    page.wait_for_function("() => document.pictureInPictureElement === null")

    expect(page.locator(".seat.own video")).to_have_css("visibility", "visible")

    patient.mend()
    specialist.sees()
    expect(seat.locator("[data-stale]")).to_be_hidden()


def test_the_whole_screen_and_another_microphone(together):
    patient, specialist = together
    page = specialist.page
    open_devices(specialist)
    page.click("[data-do=fullscreen]")
    page.wait_for_function("() => document.fullscreenElement?.id === 'call'")
    page.evaluate("() => document.exitFullscreen()")

    select = page.locator("#call-microphone")
    other = select.locator("option:not(:checked)").last.get_attribute("value")
    select.select_option(other)
    page.wait_for_function(
        """(id) => connections.at(-1).getSenders().some(
          (one) => one.track?.kind === "audio" && one.track.getSettings().deviceId === id)""",
        arg=other,
    )
    patient.hears()
    patient.sees()


def test_a_shared_screen_is_seen_beside_the_face(together):
    patient, specialist = together
    share = specialist.page.locator(".room-bar [data-do=screen]")
    share.click()
    expect(patient.page.locator(".seat.screen")).to_be_visible()
    patient.page.wait_for_function(
        "() => document.querySelector('.seat.screen video')?.videoWidth > 0"
    )
    share.click()
    expect(patient.page.locator(".seat.screen")).to_have_count(0)
    patient.sees()


def test_a_shared_screen_is_seen_again_over_another_connection(together):
    patient, specialist = together
    share = specialist.page.locator(".room-bar [data-do=screen]")
    share.click()
    patient.page.wait_for_function(
        "() => document.querySelector('.seat.screen video')?.videoWidth > 0"
    )

    specialist.cut()
    expect(line(specialist)).to_be_visible()
    specialist.mend_pages()
    specialist.page.wait_for_function("() => connections.length > 1")
    specialist.mend()
    patient.sees()
    specialist.page.wait_for_function(SCREEN_RATE, polling=500)
    patient.page.wait_for_function(SCREEN_MOVES, arg=10)
    expect(share).to_have_attribute("aria-pressed", "true")


def test_a_shared_screen_stays_readable_over_a_thin_way_out(together):
    """The frame rate gives way, the size does not: small letters are to be read."""
    patient, specialist = together
    specialist.page.locator(".room-bar [data-do=screen]").click()
    patient.page.wait_for_function(
        "() => document.querySelector('.seat.screen video')?.videoWidth > 0"
    )
    width = patient.page.evaluate(WIDTHS, 40)[-1]
    usual = specialist.page.evaluate(SCREEN_RATE)
    specialist.thin(up_kbit=250)
    widths = patient.page.evaluate(WIDTHS, 40)
    assert set(widths) == {width}
    assert specialist.page.evaluate(SCREEN_RATE) < usual / 2
