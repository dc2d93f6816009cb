"""From the click on "Let in" to the first decoded picture on each side, and what a call costs.

    python -m bench.call --json --runs 5

Starts the whole product as ``make run`` does, one Chromium with a moving file-fed picture of
640×360, the demo specialist and the demo patient; stops all of it. A run's time is its slower
side's. The media process's CPU (user and system) is taken over ten seconds of the last call. The
last line is one JSON object: ``median_first_frame_s``, ``worst_first_frame_s``,
``media_cpu_percent``.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.picture import write_y4m
from tests import servers

CPU_SECONDS = 10
PATIENT, SPECIALIST, PASSWORD = "amina@demo.example", "dr.salma@demo.example", "telemed-demo"
FLAGS = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Notes when "Let in" was clicked, and when the first picture of somebody else was decoded.
STOPWATCH = """
window.noted = {};
const note = (name) => { noted[name] ??= performance.timeOrigin + performance.now(); };
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-act=admit]")) note("clicked");
}, true);
const watched = new WeakSet();
new MutationObserver(() => {
  for (const video of document.querySelectorAll(".seat:not(.own) video")) {
    if (watched.has(video)) continue;
    watched.add(video);
    video.requestVideoFrameCallback(() => note("seen"));
  }
}).observe(document, { childList: true, subtree: true });
"""


def sign_in(browser: Browser, url: str, email: str) -> BrowserContext:
    context = browser.new_context(locale="fr", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{url}/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(f"{url}/**")
    page.wait_for_load_state()
    return context


def go_in(page: Page, address: str, script: str = STOPWATCH) -> None:
    page.add_init_script(script)
    page.goto(address)
    page.click("[data-action=open]")
    page.locator("[data-opened]").wait_for()
    page.click("#go-in")


def wait_to_be_let_in(
    browser: Browser, known: BrowserContext, address: str, script: str = STOPWATCH
) -> Page:
    """The patient in a browser of its own, so that every run waits and is admitted anew."""
    context = browser.new_context(locale="fr", viewport={"width": 360, "height": 740})
    context.add_cookies(
        [cookie for cookie in known.cookies() if cookie["name"] != "telemed_browser"]  # type: ignore[misc]
    )
    page = context.new_page()
    go_in(page, address, script)
    page.locator("#waiting").wait_for()
    consent = page.locator("[data-decide=given]")
    if consent.count():
        consent.first.click()
        consent.first.wait_for(state="detached")
    return page


def one_run(specialist: Page, patient: Page) -> float:
    """Seconds from the click to the slower side's first picture."""
    specialist.evaluate("() => { window.noted = {}; }")
    specialist.locator("[data-act=admit]").first.click()
    for page in (specialist, patient):
        page.wait_for_function("() => window.noted.seen", polling=20, timeout=20_000)
    clicked, seen = specialist.evaluate("() => [noted.clicked, noted.seen]")
    return (max(seen, patient.evaluate("() => noted.seen")) - clicked) / 1000


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, from /proc/PID/stat (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def media_process(product: servers.Product) -> int:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if (
            parent == product.process.pid
            and b"telemed.run.serve" in command
            and b"media" in command
        ):
            return int(stat.parent.name)
    raise RuntimeError("the media process was not found")


def measure(product: servers.Product, browser: Browser, runs: int) -> tuple[list[float], float]:
    specialist_context = sign_in(browser, product.url, SPECIALIST)
    patient_context = sign_in(browser, product.url, PATIENT)
    home = patient_context.pages[0]
    address = product.url + str(home.locator("a[href^='/visit/']").first.get_attribute("href"))
    specialist = specialist_context.pages[0]
    go_in(specialist, address)
    specialist.locator("#call").wait_for()
    taken: list[float] = []
    for run in range(runs):
        patient = wait_to_be_let_in(browser, patient_context, address)
        taken.append(one_run(specialist, patient))
        if run < runs - 1:
            patient.click("[data-do=leave]")
            patient.locator("#ended").wait_for()
            patient.context.close()
    pid = media_process(product)
    before, begun = cpu_seconds(pid), time.monotonic()
    time.sleep(CPU_SECONDS)
    return taken, 100 * (cpu_seconds(pid) - before) / (time.monotonic() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.call")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        video = write_y4m(Path(folder, "picture.y4m"))
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={video}"]
        if os.getuid() == 0:
            flags.append("--no-sandbox")
        product = servers.Product(Path(folder, "var"))
        product.var.mkdir()
        with servers.running(product), sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=servers.chromium(), args=flags)
            taken, cpu = measure(product, browser, options.runs)
            browser.close()
    for number, seconds in enumerate(taken, 1):
        print(f"run {number}: {seconds:.3f} s")
    print(f"median {statistics.median(taken):.3f} s, worst {max(taken):.3f} s (goal: 1.0 s)")
    print(f"media process {cpu:.1f} % of one core (goal: 4 %)")
    if options.json:
        figures = {
            "median_first_frame_s": round(statistics.median(taken), 3),
            "worst_first_frame_s": round(max(taken), 3),
            "media_cpu_percent": round(cpu, 2),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
