"""Two people who meet on a page, one of them behind a link: in our product, or over Janus.

The person in the country has a browser in a network namespace behind bench/link.py; the person in
town is on this machine.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, Playwright

from bench import call, janus, watching
from bench.link import OPEN, Field
from bench.picture import write_y4m
from tests import servers


@dataclass
class Pair:
    """Two pages before the call. ``begin`` starts it and returns the moment."""

    country: Page
    town: Page
    begin: Callable[[], float]

    @property
    def sides(self) -> dict[str, Page]:
        return {"country": self.country, "town": self.town}


@dataclass
class Browsers:
    country: Browser
    town: Browser


Meeting = Callable[[], contextlib.AbstractContextManager[Pair]]


@contextlib.contextmanager
def browsers(
    driver: Playwright, field: Field, folder: Path, *origins: str, behind: Sequence[str] = ()
) -> Iterator[Browsers]:
    """One browser behind the link, where ``origins`` count as safe, and one before it.

    ``behind``: further flags of the one behind it.
    """
    video = write_y4m(folder / "picture.y4m")
    flags = [*call.FLAGS, f"--use-file-for-fake-video-capture={video}", "--no-sandbox"]
    flags += ["--autoplay-policy=no-user-gesture-required"]
    program = servers.chromium() or driver.chromium.executable_path
    wrapper = field.wrapper(str(folder / "chromium-behind"), program)
    safe = f"--unsafely-treat-insecure-origin-as-secure={','.join(origins)}"
    town = driver.chromium.launch(executable_path=program, args=flags)
    country = driver.chromium.launch(executable_path=wrapper, args=[*flags, safe, *behind])
    try:
        yield Browsers(country, town)
    finally:
        country.close()
        town.close()


# Ours.


@contextlib.contextmanager
def running_product(field: Field, folder: Path, **environment: str) -> Iterator[servers.Product]:
    """The whole product, its media on the address that the country reaches."""
    folder.mkdir()
    product = servers.Product(folder / "var", MEDIA_BIND=field.here[0], **environment)
    product.var.mkdir()
    with servers.running(product):
        yield product


@contextlib.contextmanager
def in_product(
    driver: Playwright,
    field: Field,
    folder: Path,
    product: servers.Product,
    behind: Sequence[str] = (),
) -> Iterator[Meeting]:
    """The demo specialist in town, in the room; the demo patient comes from the country."""
    far = f"http://{field.here[0]}:{product.port}"
    with browsers(driver, field, folder, far, behind=behind) as two:
        specialist = call.sign_in(two.town, product.url, call.SPECIALIST)
        patient = call.sign_in(two.country, far, call.PATIENT)
        link = patient.pages[0].locator("a[href^='/visit/']").first
        path = str(link.get_attribute("href"))
        town = specialist.pages[0]
        call.go_in(town, product.url + path, watching.SCRIPT)
        town.locator("#call").wait_for(timeout=90_000)

        @contextlib.contextmanager
        def meeting() -> Iterator[Pair]:
            script = watching.SCRIPT
            country = call.wait_to_be_let_in(two.country, patient, far + path, script)
            try:
                yield Pair(country, town, lambda: _let_in(town))
            finally:
                field.shape(OPEN)
                _leave(country)

        yield meeting


@contextlib.contextmanager
def ours(driver: Playwright, field: Field, folder: Path) -> Iterator[Meeting]:
    with (
        running_product(field, folder) as product,
        in_product(driver, field, folder, product) as meeting,
    ):
        yield meeting


def _let_in(town: Page) -> float:
    town.locator("[data-act=admit]").first.click()
    return float(town.evaluate("watching.clicked()")) / 1000


def _leave(country: Page) -> None:
    with contextlib.suppress(Exception):  # a page that a bad link has thrown out has no button
        country.click("[data-do=leave]", timeout=5000)
        country.locator("#ended").wait_for(timeout=5000)
    with contextlib.suppress(Error):  # the browser itself may be gone
        country.context.close()


# Janus.


@contextlib.contextmanager
def peer(driver: Playwright, field: Field, folder: Path, *, kbits: int = 1500) -> Iterator[Meeting]:
    folder.mkdir()
    with (
        janus.page_server() as page_port,
        janus.running(folder / "janus", field.here[0], kbits) as port,
        browsers(driver, field, folder, f"http://{field.here[0]}:{page_port}") as two,
    ):

        @contextlib.contextmanager
        def meeting() -> Iterator[Pair]:
            pages = []
            for browser, host in ((two.country, field.here[0]), (two.town, "localhost")):
                page = browser.new_context(permissions=["camera", "microphone"]).new_page()
                page.add_init_script(watching.SCRIPT)
                page.goto(f"http://{host}:{page_port}/")
                page.evaluate("address => prepare(address)", f"ws://{host}:{port}")
                pages.append(page)
            country, town = pages
            town.evaluate("enter()")
            try:
                yield Pair(country, town, lambda: float(country.evaluate("enter()")) / 1000)
            finally:
                field.shape(OPEN)
                for page in pages:
                    page.context.close()

        yield meeting
