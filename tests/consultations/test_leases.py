"""A room belongs to one media process; rows settle which, by the database's clock."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from consultations import processes
from consultations.actions.entering import note_link, open_visit, seen
from consultations.actions.visit import continue_, interrupt
from consultations.models import MediaProcess, Participant, Room
from consultations.process import Unavailable
from consultations.processes import Load
from consultations.refusals import RoomRefused
from tests.consultations.callers import in_thread
from tests.consultations.lock import PROCESSES, ROOMS, held, held_lock
from tests.consultations.media import falls_silent

pytestmark = pytest.mark.alone

QUIET = Load()


@pytest.fixture
def room(visit):
    return open_visit(visit)


@pytest.fixture
def other_room(other_visit):
    return open_visit(other_visit[0])


@pytest.fixture
def east(transactional_db):
    return processes.register("east")


@pytest.fixture
def west(transactional_db):
    return processes.register("west")


def age(process, seconds):
    """Its last heartbeat was this long ago."""
    MediaProcess.objects.filter(pk=process.pk).update(
        heartbeat_at=Now() - timedelta(seconds=seconds)
    )


def take(room, process, epoch=None, steady=True):
    return processes.take(room.pk, process.pk, epoch or process.epoch, is_steady=lambda: steady)


def owner(room):
    room.refresh_from_db()
    return room.process_id, room.epoch


def test_a_free_room_is_taken_and_kept(room, east, west):
    assert take(room, east)
    assert take(room, east)
    assert not take(room, west)
    assert owner(room) == (east.pk, east.epoch)


def test_what_a_process_sees_of_a_room_that_it_has_lost_is_of_no_account(room, east, west):
    take(room, east)
    Room.objects.filter(pk=room.pk).update(state=Room.State.IN_SESSION)
    amina = Participant.objects.create(
        organisation=room.consultation.organisation, room=room, role="patient", state="connected"
    )
    age(east, 4)
    assert take(room, west)
    lost, holds = (east.pk, east.epoch), (west.pk, west.epoch)

    seen([amina.pk], lost)
    note_link(str(amina.pk), lost, connected=False)
    interrupt(str(room.pk), lost)
    assert state_of(room, amina) == ("in-session", "connected", None)

    seen([amina.pk], holds)
    note_link(str(amina.pk), holds, connected=False)
    interrupt(str(room.pk), holds)
    assert state_of(room, amina)[:2] == ("interrupted", "reconnecting")
    continue_(str(room.pk), lost)
    assert state_of(room, amina)[0] == "interrupted"


def state_of(room, participant):
    room.refresh_from_db()
    participant.refresh_from_db()
    return room.state, participant.state, participant.last_seen_at


def test_who_is_silent_for_three_seconds_is_dead(room, east, west):
    take(room, east)

    age(east, 2.5)
    assert not take(room, west)
    age(east, 3.1)
    assert take(room, west)
    assert owner(room) == (west.pk, west.epoch)


def test_who_lost_the_database_itself_takes_over_nothing_from_the_silent(
    room, other_room, east, west
):
    take(room, east)
    age(east, 10)

    assert take(other_room, west, steady=False), "a free one"
    assert take(other_room, west, steady=False), "its own"
    assert not take(room, west, steady=False)
    assert owner(room) == (east.pk, east.epoch)
    processes.retire(east.pk, east.epoch)
    assert take(room, west, steady=False), "of one that said that it is gone"
    newer = processes.register("west")
    assert take(room, newer, steady=False), "its own, of an earlier epoch"


def test_what_waited_until_the_steadiness_was_over_takes_nothing(room, east, west):
    take(room, east)
    age(east, 10)
    answers = iter([True, False])

    assert not processes.take(room.pk, west.pk, west.epoch, is_steady=lambda: next(answers))
    assert owner(room) == (east.pk, east.epoch)


def test_a_process_that_comes_back_from_the_dead_does_not_get_its_room_back(room, east, west):
    take(room, east)
    age(east, 10)
    take(room, west)

    assert processes.beat(east.pk, east.epoch, QUIET)
    assert processes.owned(east.pk, east.epoch, [str(room.pk)]) == {}
    assert not take(room, east)


def test_who_never_said_that_it_lives_takes_over_nothing_from_the_living(room, east):
    silent = MediaProcess.objects.create(name="south")
    take(room, east)

    assert not take(room, silent)


def test_an_epoch_that_is_over_writes_nothing(room, east):
    take(room, east)
    newer = processes.register("east")

    assert newer.epoch == east.epoch + 1
    assert not processes.beat(east.pk, east.epoch, QUIET)
    assert not take(room, east)
    assert processes.owned(east.pk, east.epoch, [str(room.pk)]) == {str(room.pk): 1}
    assert take(room, newer)
    processes.release(room.pk, east.pk, east.epoch)
    processes.retire(east.pk, east.epoch)
    assert owner(room) == (newer.pk, newer.epoch)
    assert processes.place(room).pk == newer.pk


def test_a_room_of_an_earlier_epoch_may_be_taken_by_anybody(room, east, west):
    take(room, east)
    processes.register("east")

    assert take(room, west)


def test_a_finished_room_is_nobodys(room, east):
    Room.objects.filter(pk=room.pk).update(state=Room.State.CLOSED)

    assert not take(room, east)


def test_a_released_room_is_free(room, east, west):
    take(room, east)
    processes.release(room.pk, west.pk, west.epoch)
    assert owner(room)[0] == east.pk

    processes.release(room.pk, east.pk, east.epoch)
    assert take(room, west)


def until_waiting(count):
    """So many connections wait for a lock."""
    limit = time.monotonic() + 10
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] == count:
                return
            assert time.monotonic() < limit
            time.sleep(0.01)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("before", ["free", "of a dead process", "of an earlier epoch"])
def test_of_two_that_take_a_room_at_once_one_has_it(room, east, west, before):
    south = processes.register("south")
    if before != "free":
        take(room, south)
    if before == "of a dead process":
        age(south, 10)
    elif before == "of an earlier epoch":
        processes.register("south")

    def taking(process):
        try:
            return take(room, process)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        with held(f"BEGIN; {ROOMS}"):
            both = [threads.submit(taking, process) for process in (east, west)]
            until_waiting(2)
        east_has, west_has = (one.result() for one in both)

    assert {east_has, west_has} == {True, False}
    assert owner(room)[0] == (east.pk if east_has else west.pk)


def test_people_are_sent_to_the_owner_while_it_lives(room, east, west):
    take(room, east)
    processes.beat(east.pk, east.epoch, Load(rooms=9))
    room.refresh_from_db()

    assert processes.place(room).name == "east"
    age(east, 4)
    assert processes.place(room).name == "west"


def test_people_are_sent_to_the_less_busy(room, east, west):
    processes.beat(east.pk, east.epoch, Load(cpu=0.2))
    processes.beat(west.pk, west.epoch, Load(cpu=0.1))

    assert processes.place(room).name == "west"


def test_who_comes_in_one_second_is_spread_over_several(east, west):
    south = processes.register("south")
    for process, cpu in ((east, 0.3), (west, 0.2), (south, 0.1)):
        processes.beat(process.pk, process.epoch, Load(cpu=cpu))

    assert {processes.with_room().name for _ in range(60)} == {"south", "west"}


def test_a_full_process_gets_no_new_room_and_a_full_installation_says_so(room, east, west):
    processes.beat(east.pk, east.epoch, Load(full=True))
    assert processes.with_room().name == "west"
    take(room, east)
    room.refresh_from_db()
    assert processes.place(room).name == "east", "who is in this room meets there"

    processes.beat(west.pk, west.epoch, Load(full=True))
    with pytest.raises(RoomRefused) as refused:
        processes.with_room()
    assert refused.value.code == "full"


def test_nobody_new_is_sent_to_a_process_that_is_emptying(room, east, west):
    take(room, east)
    assert processes.drain("east", draining=True)
    processes.beat(east.pk, east.epoch, QUIET)
    processes.beat(west.pk, west.epoch, Load(cpu=0.5))

    assert {node.process.name: node.state for node in processes.nodes()} == {
        "east": "draining",
        "west": "live",
    }
    assert processes.with_room().name == "west"
    room.refresh_from_db()
    assert processes.place(room).name == "east", "who is in this room meets there"


def test_a_process_that_is_emptying_keeps_its_rooms_and_takes_no_other(
    room, other_room, east, west
):
    take(room, east)
    take(other_room, west)
    processes.drain("east", draining=True)

    assert take(room, east)
    age(west, 10)
    assert not take(other_room, east), "a dead process's"
    processes.retire(west.pk, west.epoch)
    assert not take(other_room, east)
    processes.drain("east", draining=False)
    assert take(other_room, east)


def test_a_retired_process_is_gone_at_once(room, east):
    processes.retire(east.pk, east.epoch)

    with pytest.raises(RoomRefused) as refused:
        processes.place(room)
    assert refused.value.code == "unavailable"


async def has_beaten(process):
    """Until the database knows a new heartbeat of the running process, and it knows that."""
    before = process._database_answered
    async with asyncio.timeout(5):
        while process._database_answered == before:
            await asyncio.sleep(0.01)


async def until_taken(process, room):
    """Asks as often as people do who want to come in."""
    async with asyncio.timeout(8):
        while True:
            try:
                await process.take(str(room.pk))
            except Unavailable:
                await asyncio.sleep(0.1)
            else:
                return


async def test_an_outage_of_the_database_moves_no_room_between_the_living(room, process, west):
    await in_thread(processes.beat, west.pk, west.epoch, QUIET)
    await in_thread(take, room, west)
    async with asyncio.timeout(8):
        while not process._is_steady():
            await in_thread(processes.beat, west.pk, west.epoch, QUIET)
            await asyncio.sleep(0.2)

    async with held_lock(PROCESSES):
        waited = asyncio.create_task(process.take(str(room.pk)))
        await asyncio.sleep(3.3)
    await has_beaten(process)  # and west has not
    with pytest.raises(Unavailable):
        await waited
    with pytest.raises(Unavailable):
        await process.take(str(room.pk))
    assert await in_thread(processes.beat, west.pk, west.epoch, QUIET)
    assert await in_thread(owner, room) == (west.pk, west.epoch)

    await until_taken(process, room)  # west beats no more
    assert (await in_thread(owner, room))[0] == process._row


async def _sent_elsewhere(*callers):
    for caller in callers:
        await caller.until(lambda one=caller: one.closed is not None)
    return {caller.closed for caller in callers}


async def test_who_loses_the_room_sends_everybody_elsewhere(call, process, west):
    salma, amina, doctor, patient = call

    await Room.objects.aupdate(process=west, epoch=west.epoch)

    assert await _sent_elsewhere(salma, amina) == {4005}
    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 1
    assert len(process.rooms) == 0


async def test_media_without_a_socket_end_with_the_lease(call, process, west):
    salma, amina, doctor, patient = call
    await asyncio.gather(salma.hang_up(), amina.hang_up())
    salma.closed = amina.closed = 1001

    await Room.objects.aupdate(process=west, epoch=west.epoch)

    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 3


async def test_a_fenced_process_abandons_its_rooms_and_begins_anew(call, process):
    salma, amina, *_ = call
    before = process.epoch

    await in_thread(processes.register, process.name)

    assert await _sent_elsewhere(salma, amina) == {4005}
    async with asyncio.timeout(3):
        while process.epoch <= before + 1:
            await asyncio.sleep(0.02)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's readers wait for nobody")
async def test_a_locked_table_does_not_stop_the_heart(waiting, process):
    beats = set()
    async with (
        held_lock("LOCK TABLE consultations_room IN ACCESS EXCLUSIVE MODE"),
        asyncio.timeout(6),
    ):
        while len(beats) < 4:
            beats.add((await MediaProcess.objects.aget(name=process.name)).heartbeat_at)
            await asyncio.sleep(0.1)
