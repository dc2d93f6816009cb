"""A voice whose way to the server loses packets is asked for again, and played when it comes."""

import asyncio
import struct

import pytest
from playwright.async_api import Browser

from consultations.sfu import local_addresses
from consultations.sfu.source import LEAST_VOICE_LOSS, Source
from tests.sfu.chromium import Person, people
from tests.sfu.conftest import Start
from tests.sfu.relay import relay_to

NEAR, FAR = 0.05, 0.4  # round trips
SLOTS = {"audio": 2, "video": 3}


def voice(*sequences: int) -> Source:
    source = Source("amina", "0", "audio", 111)
    source.begin(1)
    for sequence in sequences:
        hear(source, sequence)
    return source


def hear(source: Source, sequence: int) -> None:
    packet = struct.pack("!BBHLL", 0x80, 111, sequence, sequence * 960, 1) + b"opus"
    source.receive(packet, 12, 0, sequence, sequence * 960, sequence * 0.02)


def test_what_is_lost_is_asked_for_twice_at_most() -> None:
    source = voice(1, 2, 4)
    assert source.losses_to_ask_for(0.1, NEAR) == [3]
    assert source.losses_to_ask_for(0.12, NEAR) == []
    assert source.losses_to_ask_for(0.16, NEAR) == [3]
    assert source.losses_to_ask_for(0.3, NEAR) == []
    assert not source.has_losses
    assert not source.key_frames.wanted, "a voice has none"


def test_from_far_away_it_would_come_too_late() -> None:
    source = voice(1, 2, 4)
    assert source.losses_to_ask_for(0.1, FAR) == []
    assert not source.has_losses


def test_what_came_again_still_counts_as_lost() -> None:
    source = voice(1, 2, 4)
    source.losses_to_ask_for(0.1, NEAR)
    hear(source, 3)
    report = source.report(1.0, 0.0)
    assert report is not None
    assert report.total_lost == 1
    assert source.loss == 1 / 4


def test_an_encoder_is_told_of_some_loss_before_the_first() -> None:
    source = voice(1, 2, 3)
    report = source.report(1.0, 0.0)
    assert report is not None
    assert report.fraction_lost == int(LEAST_VOICE_LOSS * 256)
    assert source.loss == 0


@pytest.mark.browser
async def test_with_patience_a_lossy_way_leaves_few_holes(
    browser: Browser, address: str, start: Start
) -> None:
    host = local_addresses()[0]
    server = await start(bind=(host,))
    async with (
        relay_to(host, server.port) as relay,
        people(browser, address, server, "amina", "youssef") as (amina, youssef),
    ):
        relay.up.delay = relay.down.delay = 0.07
        relay.up.loss = 0.1
        amina.relay = relay
        for person in (amina, youssef):
            await person.enter(slots=SLOTS, video=False)
        await youssef.hears()
        hasty = await holes(youssef)
        await youssef.page.evaluate("call.patient = true")
        await holes(youssef)  # until what is played has slowed down
        patient = await holes(youssef)
        assert patient < 0.03
        assert patient < hasty / 2


async def holes(person: Person, seconds: float = 5.0) -> float:
    """The share of the sound played in that time that was made up."""
    concealed, played = await person.page.evaluate("soundSamples()")
    await asyncio.sleep(seconds)  # the time that is looked at
    more, all_of_it = await person.page.evaluate("soundSamples()")
    return (more - concealed) / (all_of_it - played)
