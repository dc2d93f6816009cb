"""Two or more real Chromium pages that run call.js against a MediaServer, without the site."""

from __future__ import annotations

import http.server
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from bench.picture import write_y4m
from tests.sfu.relay import Relay

STATIC = Path(__file__).parents[2] / "consultations" / "static" / "consultations"
HERE = Path(__file__).parent
FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def picture_flag() -> str:
    """Makes the camera show a picture that costs real bits."""
    path = Path(tempfile.gettempdir()) / "telemed-moving-picture.y4m"
    return f"--use-file-for-fake-video-capture={write_y4m(path)}"


class _Files(http.server.SimpleHTTPRequestHandler):
    roots = (HERE / "page", STATIC)

    def translate_path(self, path: str) -> str:
        name = path.partition("?")[0].lstrip("/") or "index.html"
        found = next((root / name for root in self.roots if (root / name).is_file()), None)
        return str(found or self.roots[0] / "absent")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def page_server() -> Iterator[str]:
    """The address of a page that holds call.js and a grid of videos."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def browser(*flags: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*FLAGS, *flags]
        )
        try:
            yield launched
        finally:
            await launched.close()


class Person:
    """A page in a room. `observed` is what index.html's `observe()` tells."""

    def __init__(self, page: Page, server: Any, room: str, name: str) -> None:
        self.page = page
        self.server = server
        self.room = room
        self.name = name
        self.relay: Relay | None = None

    async def enter(self, **options: Any) -> None:
        """Prepares the offer, joins and applies the answer."""
        offer = await self.page.evaluate("options => prepare(options)", options)
        await self.page.evaluate("answer => accept(answer)", await self.answer(offer))

    async def mends_itself(self) -> None:
        """Lets the page answer `needoffer` by itself from the next `enter` on."""
        await self.page.expose_function("signal", self.answer)

    async def restart(self) -> None:
        offer = await self.page.evaluate("restart()")
        await self.page.evaluate("answer => accept(answer)", await self.answer(offer))

    async def answer(self, offer: str) -> str:
        answer = await self.server.join(self.room, self.name, offer, send=True, receive=True)
        return self.relay.rewrite(answer) if self.relay else answer

    async def sees(self, frames: int = 10, *, streams: int = 1, anew: bool = True) -> None:
        """Waits until `streams` videos have each shown so many frames, or so many more."""
        if anew:
            await self.page.evaluate("shown.clear()")
        await self.page.wait_for_function(
            "([frames, streams]) => "
            "[...shown.values()].filter(times => times.length >= frames).length >= streams",
            arg=[frames, streams],
            timeout=20_000,
        )

    async def hears(self) -> None:
        """Waits until the sound that was received has energy and goes on getting more."""
        start = (await self.statistics())["audioEnergy"]
        await self.page.wait_for_function(
            "async start => (await call.statistics()).audioEnergy > start + 0.0001",
            arg=start,
            timeout=20_000,
        )

    async def statistics(self) -> dict[str, Any]:
        return await self.page.evaluate("call.statistics()")

    async def longest_gap(self, ended: int = 0) -> float:
        """The longest time between two frames of any one video, in seconds, and starts anew.

        Time in which the page itself stood still does not count, nor do so many videos as have
        ended.
        """
        return await self.page.evaluate("ended => longestGap(ended)", ended)


@asynccontextmanager
async def people(
    chromium: Browser, address: str, server: Any, *names: str, room: str = "room"
) -> AsyncIterator[list[Person]]:
    """One browser context and page a person, with devices granted."""
    contexts = [await chromium.new_context(permissions=["camera", "microphone"]) for _ in names]
    try:
        found = []
        for context, name in zip(contexts, names, strict=True):
            page = await context.new_page()
            await page.goto(address)
            found.append(Person(page, server, room, name))
        yield found
    finally:
        for context in contexts:
            await context.close()
