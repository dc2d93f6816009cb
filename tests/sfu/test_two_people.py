"""Two real Chromium through the server's public door."""

import pytest
from playwright.async_api import Browser

from consultations.sfu import AnyEvent, MediaServer, PeerConnected, PeerGone
from tests.sfu.chromium import people

pytestmark = pytest.mark.browser


async def test_they_see_and_hear_each_other(
    browser: Browser, address: str, server: MediaServer, events: list[AnyEvent]
) -> None:
    async with people(browser, address, server, "amina", "youssef") as (amina, youssef):
        await amina.enter()
        await youssef.enter()
        for person in (amina, youssef):
            await person.sees()
            await person.hears()
        assert [e.peer_id for e in events if isinstance(e, PeerConnected)] == ["amina", "youssef"]
        shown = server.slots("room", "amina")
        assert [(s.kind, s.source_peer, s.source_kind) for s in shown] == [
            ("audio", "youssef", "audio"),
            ("video", "youssef", "video"),
            ("video", None, None),
        ]


async def test_a_reload_starts_anew_at_once(
    browser: Browser, address: str, server: MediaServer, events: list[AnyEvent]
) -> None:
    async with people(browser, address, server, "amina", "youssef") as (amina, youssef):
        await amina.enter()
        await youssef.enter()
        await amina.sees()
        await youssef.page.reload()
        await youssef.enter()
        await amina.sees()
        await youssef.sees()
        assert [e.reason for e in events if isinstance(e, PeerGone)] in (["closed"], ["replaced"])


async def test_an_ice_restart_leaves_no_gap(
    browser: Browser, address: str, server: MediaServer
) -> None:
    async with people(browser, address, server, "amina", "youssef") as (amina, youssef):
        await amina.enter()
        await youssef.enter()
        await amina.sees()
        await youssef.sees(30)
        await amina.longest_gap()
        await youssef.restart()
        await amina.sees(60)
        assert await amina.longest_gap() < 0.3
        assert not [e for e in server.statistics().drops if e == "exception"]
