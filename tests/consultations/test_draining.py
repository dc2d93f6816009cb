"""A process that is emptied for a deployment: calls finish, all else goes elsewhere, it ends."""

import asyncio
from datetime import timedelta

import pytest

from consultations import processes, tickets
from consultations.models import Room
from consultations.process import Process, Unavailable
from tests.consultations.callers import in_thread
from tests.consultations.media import hears

PATIENCE = 8


@pytest.fixture
def ended(monkeypatch):
    """Set in the place of the signal that ends the process."""
    ended = asyncio.Event()
    monkeypatch.setattr(Process, "_end_of_service", lambda _self: ended.set())
    return ended


@pytest.fixture
async def zineb(other_visit, enter):
    """Alone in a room, and there before the call: its beginning is work, and fills the process."""
    visit, user = other_visit
    return await enter(user, visit)


async def drain(process):
    assert await in_thread(processes.drain, process.name, draining=True)


def room_of(process, caller):
    return tickets.read(caller.ticket, process.name).room


async def until(reached):
    async with asyncio.timeout(PATIENCE):
        while not reached():
            await asyncio.sleep(0.02)


async def sent_elsewhere(caller):
    await caller.until(lambda: caller.closed is not None)
    assert caller.closed == 4005


async def test_it_ends_with_its_call_whoever_waits_in_another_room(zineb, call, process, ended):
    salma, amina, doctor, patient = call
    calls, waits = room_of(process, salma), room_of(process, zineb)

    await drain(process)

    await sent_elsewhere(zineb)
    assert (await Room.objects.aget(pk=waits)).process_id is None
    with pytest.raises(Unavailable):
        await process.take(waits)
    await process.take(calls)
    await asyncio.gather(hears(doctor), hears(patient), salma.settle(), amina.settle())
    assert not ended.is_set()

    await amina.change("leave")
    await sent_elsewhere(salma)  # whose page stays open, with her camera
    await asyncio.wait_for(ended.wait(), PATIENCE)


async def test_who_lost_the_connection_is_waited_for_a_while(call, process, ended, clock):
    salma, amina, _, patient = call
    patient.kill()
    live = process.rooms.get(room_of(process, salma))
    await until(lambda: live.links[amina.id] == "reconnecting")

    await drain(process)
    await until(lambda: live.idle_since is not None)
    await asyncio.gather(salma.settle(), amina.settle())
    assert len(process.rooms) == 1

    clock.move(timedelta(minutes=16))
    await asyncio.gather(sent_elsewhere(salma), sent_elsewhere(amina))
    await asyncio.wait_for(ended.wait(), PATIENCE)
