"""Two real Chromium through the server's public door."""

import asyncio
import time

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


async def test_a_screen_takes_a_slot_and_gives_it_back(
    browser: Browser, address: str, server: MediaServer
) -> None:
    async with people(browser, address, server, "amina", "youssef") as (amina, youssef):
        await amina.enter()
        await youssef.enter()
        await amina.sees()
        await youssef.page.evaluate("shareScreen(true)")
        await amina.sees(streams=2)
        assert [s.source_kind for s in server.slots("room", "amina")] == [
            "audio",
            "video",
            "screen",
        ]
        await youssef.page.evaluate("shareScreen(false)")
        async with asyncio.timeout(5):
            while server.slots("room", "amina")[2].source_kind is not None:
                await asyncio.sleep(0.05)
        await youssef.page.evaluate("shareScreen(true)")
        await amina.sees(streams=2)


async def test_the_start_is_quick(browser: Browser, address: str, server: MediaServer) -> None:
    async with people(browser, address, server, "amina", "youssef") as (amina, youssef):
        await amina.enter()
        offer = await youssef.page.evaluate("prepare({})")
        begun = time.monotonic()
        answer = await server.join("room", "youssef", offer, send=True, receive=True)
        await youssef.page.evaluate("answer => accept(answer)", answer)
        await asyncio.gather(amina.sees(1), youssef.sees(1, anew=False))
        assert time.monotonic() - begun < 2.0


async def test_a_data_channel_opens_beside_the_media(
    browser: Browser, address: str, server: MediaServer
) -> None:
    async with people(browser, address, server, "amina") as (amina,):
        offer = await amina.page.evaluate(
            """async () => {
                globalThis.raw = new RTCPeerConnection();
                raw.addTransceiver("audio");
                globalThis.channel = raw.createDataChannel("", { negotiated: true, id: 0 });
                await raw.setLocalDescription();
                return raw.localDescription.sdp;
            }"""
        )
        answer = await amina.answer(offer)
        await amina.page.evaluate(
            "sdp => raw.setRemoteDescription({ type: 'answer', sdp })", answer
        )
        await amina.page.wait_for_function("channel.readyState === 'open'", timeout=10_000)
