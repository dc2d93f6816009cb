"""What the browser tests of a visit do and look at, as people would."""

from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.test_pages import sign_in

# Keeps the connections that the page makes, in frames of its own too, so that a test can ask them
# for their statistics, and counts the pictures of others as they are drawn.
INSTRUMENTS = """
window.connections = top.connections ?? [];
const Plain = RTCPeerConnection;
window.RTCPeerConnection = class extends Plain {
  constructor(...given) { super(...given); connections.push(this); }
};
window.frames_ = 0;
window.gap = 0;
window.last = 0;
const watched = new WeakSet();
const watch = (video) => {
  watched.add(video);
  const drawn = () => {
    const now = performance.now();
    if (last) gap = Math.max(gap, now - last);
    last = now;
    frames_ += 1;
    video.requestVideoFrameCallback(drawn);
  };
  video.requestVideoFrameCallback(drawn);
};
new MutationObserver(() => {
  for (const video of document.querySelectorAll(".seat:not(.own) video")) {
    if (!watched.has(video)) watch(video);
  }
}).observe(document, { childList: true, subtree: true });
"""
RECEIVED = """async () => {
  const sum = { bytes: 0, energy: 0, concealed: 0, samples: 0, frames: 0 };
  for (const connection of connections) {
    if (connection.connectionState === "closed") continue;
    for (const one of (await connection.getStats()).values()) {
      if (one.type !== "inbound-rtp") continue;
      sum.bytes += one.bytesReceived ?? 0;
      sum.energy += one.totalAudioEnergy ?? 0;
      sum.concealed += (one.concealedSamples ?? 0) - (one.silentConcealedSamples ?? 0);
      sum.samples += one.totalSamplesReceived ?? 0;
      sum.frames += one.framesDecoded ?? 0;
    }
  }
  return sum;
}"""
WELL_HEARD = f"""async () => {{
  const now = await ({RECEIVED})(), before = window.heard_;
  window.heard_ = now;
  const made = now.concealed - before?.concealed, played = now.samples - before?.samples;
  return played > 48000 && made < 0.05 * played;
}}"""
MORE = """(before) => window.frames_ > before"""
FEWER = """(asked) =>
  document.querySelectorAll("#consents [data-decide=given]").length < asked"""
BACK_MS = 15_000
PHONE = {"viewport": {"width": 360, "height": 740}, "locale": "ar-MA", "has_touch": True}
DESK = {"viewport": {"width": 1440, "height": 900}, "locale": "fr"}


def be_there(clock: ModuleType, starts: datetime, *, before: timedelta) -> None:
    """Move everybody's clock to so long before the visit; sessions may have ended by then."""
    clock.move(starts - before - clock.now())


def line(guest: "Guest") -> Locator:
    return guest.page.locator("#line")


def meet(patient: "Guest", specialist: "Guest", path: str) -> None:
    """The patient waits, the specialist lets them in, and each sees the other."""
    patient.go_in(path)
    patient.agree()
    specialist.go_in(path)
    specialist.admit()
    patient.sees()
    specialist.sees()


def agree(page: Page) -> None:
    """To every consent that is asked on this device; it may have been given before."""
    page.locator("#consents[data-drawn]").wait_for(state="attached")
    card = page.locator("#consents [data-decide=given]")
    while card.count():
        asked = card.count()
        card.first.click()
        page.wait_for_function(FEWER, arg=asked)


def write(person: "Guest", text: str) -> None:
    person.page.click(".room-bar [data-panel=chat]")
    person.page.fill("[data-chat-form] input", text)
    person.page.press("[data-chat-form] input", "Enter")
    person.reads(text)
    person.page.click("[data-do=close-side]")


def cut_and_come_back(patient: "Guest", specialist: "Guest") -> None:
    """The patient's link is away for five seconds, in which not a byte arrives."""
    patient.cut()
    expect(line(specialist)).to_contain_text("se reconnecte", timeout=6000)
    still = patient.received()["bytes"]
    patient.page.wait_for_timeout(5000)  # the outage itself
    assert patient.received()["bytes"] == still
    patient.mend()
    patient.sees()
    specialist.sees()
    specialist.hears()


def finish(specialist: "Guest") -> None:
    specialist.identify()
    specialist.page.click("[data-opens=finish]")
    specialist.page.click("[data-finish=video]")
    specialist.page.locator("#ended").wait_for()


def write_summary(page: Page, text: str) -> None:
    """From the finished visit to a released summary."""
    page.locator("#ended a[href^='/records/']").click()
    page.fill("#id_summary_text", text)
    page.click("button[formaction$='/summary/release/']")
    page.locator(".written", has_text=text).wait_for()


def as_pdf(page: Page) -> None:
    """The summary's page offers it as PDF, once the worker has made it."""
    pdf = page.locator("a[href$='.pdf']").get_attribute("href")
    page.wait_for_function(
        """async (address) => {
          const answer = await fetch(address);
          return (answer.headers.get("content-type") ?? "").includes("pdf");
        }""",
        arg=pdf,
        polling=1000,
        timeout=90_000,
    )


class Guest:
    """One person's page of the visit."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        page.set_default_timeout(BACK_MS)
        page.add_init_script(INSTRUMENTS)
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Network.enable")
        self._network(offline=False)

    def sign_in(self, who: str) -> "Guest":
        self.page.context.clear_cookies(name="sessionid")
        sign_in(self.page, self.url, who)
        return self

    def go_in(self, path: str = "", with_whom: tuple[str, str] | None = None) -> None:
        """From the visit's page, through the device check, to the waiting room or the call;
        alone, or with somebody of that name and capacity."""
        if path:
            self.page.goto(self.url + path)
        self.page.click("[data-action=open]")
        self.page.locator("[data-opened]").wait_for()
        if with_whom is None:
            self.page.click("#go-in")
            return
        self.page.click("[data-somebody]")
        self.page.fill("#with-name", with_whom[0])
        self.page.fill("#with-capacity", with_whom[1])
        self.page.press("#with-capacity", "Enter")

    def agree(self) -> None:
        agree(self.page)

    def admit(self) -> None:
        self.page.locator("[data-act=admit]").first.click()

    def identify(self) -> None:
        self.page.click("[data-panel=more] >> visible=true")
        self.page.check("[data-identify-form] [value=document]")
        self.page.click("[data-identify-form] button")
        self.page.locator("[data-identify-form]").wait_for(state="hidden")

    def received(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(RECEIVED)
        return found

    def sees(self, frames: int = 10) -> None:
        """That many more pictures of somebody else are drawn."""
        drawn = self.page.evaluate("() => window.frames_")
        self.page.wait_for_function(MORE, arg=drawn + frames)

    def hears(self) -> None:
        before = self.received()["energy"]
        self.page.wait_for_function(
            f"async (before) => (await ({RECEIVED})()).energy > before", arg=before
        )

    def concealed(self) -> float:
        """The share of sound that had to be made up, of all that was played."""
        now = self.received()
        return float(now["concealed"] / max(1, now["samples"]))

    def hears_well(self) -> None:
        """Of two seconds' sound less than 5 % had to be made up; the first words may be rough."""
        self.page.wait_for_function(WELL_HEARD, polling=2_000)

    def reads(self, words: str) -> None:
        self.page.get_by_text(words).first.wait_for()

    def cut(self) -> None:
        """No packet in or out, of the pages and of the media."""
        self._network(offline=True)

    def mend(self) -> None:
        self._network(offline=False)

    def mend_pages(self) -> None:
        """The network is back, but not for the media of before."""
        self._network(offline=False, lost=100)

    def thin(self, up_kbit: int) -> None:
        """The way out carries no more, as Chromium emulates it."""
        self._network(offline=False, up_kbit=up_kbit)

    def _network(self, *, offline: bool, up_kbit: int = -1, lost: int = 0) -> None:
        """Chromium takes a connection's packets through its emulated network only if that was
        on, by some delay, before the connection was made."""
        self._devtools.send(
            "Network.emulateNetworkConditions",
            {
                "offline": offline,
                "latency": 1,
                "downloadThroughput": -1,
                "uploadThroughput": up_kbit * 125 if up_kbit > 0 else -1,
                "packetLoss": 100 if offline else lost,
            },
        )
