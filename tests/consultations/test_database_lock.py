"""Somebody else writes for two seconds: calls, sockets and leases do not notice."""

import asyncio

import pytest

from consultations.models import Room
from tests.consultations.callers import words
from tests.consultations.lock import held_lock
from tests.consultations.media import connected

pytestmark = pytest.mark.alone

LOCKED_SECONDS = 2.0
GAP_SECONDS = 0.5


async def _longest_gap(peer, seconds):
    """The longest time without a packet within so many seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    last, longest, heard = loop.time(), 0.0, peer.received.total()
    while loop.time() < end:
        await asyncio.sleep(0.01)
        if peer.received.total() != heard:
            heard, last = peer.received.total(), loop.time()
        longest = max(longest, loop.time() - last)
    return longest


async def _answers(caller, seconds):
    """The longest wait for a pong or a snapshot within so many seconds."""
    loop = asyncio.get_running_loop()
    end, longest = loop.time() + seconds, 0.0
    while loop.time() < end:
        asked, before = loop.time(), len(caller.came)
        await caller.say("snapshot")
        await caller.until(lambda since=before: _has(caller.came[since:], "snapshot"))
        await caller.settle()
        longest = max(longest, loop.time() - asked)
        await asyncio.sleep(0.4)  # the room is shown again at a pace
    return longest


def _has(messages, type_):
    return any(one["type"] == type_ for one in messages)


async def test_two_seconds_of_lock_hold_up_nobody_who_does_not_write(
    cast, visit, other_visit, enter, process
):
    theirs, zineb_user = other_visit
    salma = await enter(cast.salma, visit)
    amina = await enter(cast.amina_user, visit)
    youssef = await enter(cast.youssef, theirs)
    zineb = await enter(zineb_user, theirs)
    await amina.change("consent", participant=amina.id, **words())
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")
    doctor, patient = await connected(salma), await connected(amina)
    epoch = process.epoch

    async with held_lock():
        # Both writers wait for the lock with changes of another room.
        waiting = [
            asyncio.create_task(who.change("unable", reason="device")) for who in (youssef, zineb)
        ]
        gaps = await asyncio.gather(
            _longest_gap(doctor, LOCKED_SECONDS),
            _longest_gap(patient, LOCKED_SECONDS),
            _answers(salma, LOCKED_SECONDS),
            _answers(amina, LOCKED_SECONDS),
        )
    done = await asyncio.gather(*waiting)

    assert max(gaps) <= GAP_SECONDS
    assert {one["type"] for one in done} == {"done"}
    await asyncio.gather(salma.settle(), amina.settle())
    assert {one.closed for one in (salma, amina, youssef, zineb)} == {None}
    assert process.epoch == epoch
    assert await Room.objects.filter(process__name=process.name, epoch=epoch).acount() == 2
    doctor.kill()
    patient.kill()
