"""What one participant says without end costs nobody else a frame, and is refused in words."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from consultations.live import UNPACED
from consultations.messages import KINDS
from telemed.accounts.models import User
from tests import make
from tests.consultations.callers import Caller, words
from tests.consultations.media import connected, hears
from tests.sfu.gaps import assert_undisturbed
from tests.sfu.peer import PacketPeer

pytestmark = pytest.mark.alone

SECONDS = 2.0
A_SECOND = 18  # messages: below what closes the socket


@pytest.fixture
def mother(cast, visit) -> User:
    make.representative(cast.amina, cast.fatima)
    return cast.fatima


@pytest.fixture
async def flooder(cast, visit, mother, enter) -> Caller:
    """Fatima, who represents Amina, in the room with her and Dr Salma."""
    salma = await enter(cast.salma, visit)
    amina = await enter(cast.amina_user, visit)
    fatima = await enter(mother, visit)
    for one in (amina, fatima):
        await one.change("consent", participant=one.id, **words(patient=one is amina))
        await salma.change("admit", participant=one.id)
        await one.until(lambda one=one: one.state == "admitted")
    fatima.beside = (salma, amina)
    return fatima


@pytest.fixture
async def others(flooder, process) -> AsyncIterator[list[PacketPeer]]:
    """The connections of Dr Salma and Amina, and of two people in another room."""
    people = [await connected(one) for one in flooder.beside]
    for name in ("youssef", "zineb"):
        peer = PacketPeer(process.rooms.engine._server, "next", name)
        await peer.enter()
        peer.play()
        people.append(peer)
    for peer in people:
        await hears(peer)
    yield people
    for peer in people:
        peer.kill()


def offer(process: Any) -> dict[str, str]:
    """One that begins a new session, which is what costs."""
    return {"sdp": PacketPeer(process.rooms.engine._server, "", "").offer()}


@pytest.mark.parametrize(
    ("type_", "burst", "rate"), [("offer", 4, 0.4), ("chat", 8, 0.8), ("place", 40, 4)]
)
async def test_a_flood_of_messages(flooder, others, process, type_, burst, rate):
    begun = time.monotonic()
    answers: Counter[str] = Counter()
    offers = [offer(process) for _ in range(10)]

    async def flood() -> None:
        start = time.monotonic()
        for number in range(int(SECONDS * A_SECOND)):
            await asyncio.sleep(max(0.0, start + number / A_SECOND - time.monotonic()))
            fields = {
                "offer": offers[number % len(offers)],
                "chat": {"text": f"Bonjour {number}", "to": None},
                "place": {"place": "Imilchil", "phone": "", "contact": ""},
            }[type_]
            await flooder.say(type_, id=str(uuid4()), **fields)
            await take(flooder, answers)

    await assert_undisturbed(others, flood, SECONDS)
    assert answers.total() - answers["too_fast"] <= burst + rate * (time.monotonic() - begun) + 1
    assert flooder.closed is None


async def test_a_flood_of_what_is_never_told_to_wait(flooder, others):
    answers: Counter[str] = Counter()

    async def flood() -> None:
        start = time.monotonic()
        for number in range(int(SECONDS * A_SECOND)):
            await asyncio.sleep(max(0.0, start + number / A_SECOND - time.monotonic()))
            muted = number % 2 == 0
            await flooder.say("mute", id=str(uuid4()), kind="audio", muted=muted)
            await take(flooder, answers)

    await assert_undisturbed(others, flood, SECONDS)
    assert answers.keys() == {"done"}


async def test_asking_for_the_room_again_and_again_shows_it_to_nobody_as_often(flooder, others):
    """A snapshot may be long, and others have it on a thin link."""
    salma, _amina = flooder.beside
    await salma.settle()
    shown = len(salma.came)

    async def flood() -> None:
        start = time.monotonic()
        for number in range(int(SECONDS * A_SECOND)):
            await asyncio.sleep(max(0.0, start + number / A_SECOND - time.monotonic()))
            await flooder.say("snapshot")

    begun = time.monotonic()
    await assert_undisturbed(others, flood, SECONDS)
    await salma.settle()
    snapshots = [one for one in salma.came[shown:] if one["type"] == "snapshot"]
    assert len(snapshots) <= 5 + 0.5 * (time.monotonic() - begun) + 2
    assert flooder.closed is None


async def take(caller: Caller, answers: Counter[str]) -> None:
    """What has come by now, counted by code."""
    heard = len(caller.came)
    await caller.settle()
    for message in caller.came[heard:]:
        if message["type"] in ("done", "answer", "refused") and message["re"]:
            answers[message.get("code", message["type"])] += 1


async def test_a_flood_that_ends_the_socket(flooder, others):
    """Faster than that the socket is closed, and the others go on."""

    async def flood() -> None:
        start = time.monotonic()
        while time.monotonic() - start < SECONDS:
            for _ in range(20):
                await flooder.say("chat", id=str(uuid4()), text="Bonjour", to=None)
            await asyncio.sleep(0.05)

    await assert_undisturbed(others, flood, SECONDS)
    await flooder.until(lambda: flooder.closed is not None)
    assert flooder.closed == 4006


async def test_another_socket_of_the_same_person_has_no_pace_of_its_own(cast, visit, enter):
    salma = await enter(cast.salma, visit)
    begun = time.monotonic()
    for number in range(8):
        assert (await salma.change("chat", text=f"{number}", to=None))["type"] == "done"
    await salma.hang_up()
    salma.closed = 1001
    again = await enter(cast.salma, visit, salma.browser)
    answers = [await again.change("chat", text=f"again {n}", to=None) for n in range(8)]
    refused = [n for n, answer in enumerate(answers) if answer["type"] == "refused"]
    # On a slow machine a moment later has come meanwhile, for one or the other.
    assert len(answers) - len(refused) <= 0.8 * (time.monotonic() - begun) + 1
    assert all(answers[n]["code"] == "too_fast" and answers[n]["message"] for n in refused)
    await again.settle()
    said = {one["text"] for one in again.snapshot["messages"]}
    assert said.isdisjoint(f"again {n}" for n in refused)


async def test_what_was_refused_can_be_said_again_a_moment_later(cast, visit, enter):
    salma = await enter(cast.salma, visit)
    for number in range(9):
        last = await salma.change("chat", text=f"{number}", to=None)
    assert last["code"] == "too_fast"
    async with asyncio.timeout(5):
        while (await salma.change("chat", text="8", to=None))["type"] == "refused":
            await asyncio.sleep(0.3)
    await salma.until(lambda: [one["text"] for one in salma.snapshot["messages"]] == [*"012345678"])


def test_what_is_never_told_to_wait_are_messages():
    assert KINDS.keys() >= UNPACED
