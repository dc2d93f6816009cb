"""What a call leaves behind: numbers, why it ended, and never an address."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from consultations import logbook
from consultations.actions.entering import open_visit
from consultations.engine import PeerBack, PeerConnected, PeerGone, PeerSilent, PeerStatistics
from consultations.logbook import Logbook, Told
from consultations.models import CallRecord, Participant
from telemed.lib.browsers import Kind
from tests.consultations.lock import held_lock
from tests.consultations.media import hears

TOLD = {"path": "direct", "round_trip": 0.08, "concealed": 0.01, "freezes": 2, "frozen": 1.5}


async def stored(process, participant: str) -> CallRecord:
    await process.rooms.logbook.store()
    return await CallRecord.objects.aget(participant=UUID(participant))


async def test_a_call_leaves_a_record_of_each(call, process):
    _, amina, *_ = call
    assert (await amina.change("stats", **TOLD))["type"] == "done"
    await amina.change("sends", mode="slow")
    process.rooms.logbook.sample(process.rooms.engine)
    record = await stored(process, amina.id)

    assert record.path == CallRecord.Path.IPV4
    assert (record.round_trip_ms, record.worst_round_trip_ms) == (80, 80)
    assert (record.freezes, record.frozen_seconds, record.concealed) == (2, 1.5, 0.01)
    assert record.connected_at is not None
    assert record.bytes_up > 0
    assert record.bytes_down > 0
    assert record.loss_up == 0
    assert [mode for _, mode in record.modes][-1] == "slow"
    assert record.ended_at is None
    assert await CallRecord.objects.acount() == 2


async def test_voice_only_by_choice_is_told_apart_until_pictures_are_wanted_again(call, process):
    _, amina, *_ = call
    await amina.change("sends", mode="voice")
    await amina.change("watch", video="none")
    await amina.change("sends", mode="voice")
    process.rooms.logbook.sample(process.rooms.engine)
    await amina.change("watch", video="save")
    await amina.change("sends", mode="small")
    record = await stored(process, amina.id)
    modes = [step for _, *step in record.modes]
    assert modes.index(["voice"]) < modes.index(["voice", True])
    assert modes[-1] == ["small"]


async def test_an_ice_restart_goes_on_in_the_same_record(call, process):
    *_, patient = call
    await patient.signal()
    await process.rooms.logbook.store()
    assert await CallRecord.objects.acount() == 2


async def test_it_says_why_each_part_ended(call, process):
    salma, amina, *_ = call
    await amina.change("leave")
    assert (await stored(process, amina.id)).ending == "left"
    await salma.change("identify", how="known")
    await salma.change("finish", mode="video")
    await salma.until(lambda: salma.closed is not None)
    record = await stored(process, salma.id)
    assert record.ending == "finished"
    assert record.ended_at is not None


async def test_who_is_removed_is_recorded_as_removed(call, process):
    salma, amina, *_ = call
    await salma.change("remove", participant=amina.id)
    await amina.until(lambda: amina.closed is not None)
    assert (await stored(process, amina.id)).ending == "removed"


async def test_another_process_or_a_stop_is_the_services_doing(call, process):
    _, amina, *_ = call
    for room in process.rooms:
        await process.rooms.abandon(room.id)
    assert (await stored(process, amina.id)).ending == "shutdown"


async def test_a_locked_database_ends_nothing_and_loses_nothing(call, process):
    _, amina, _, patient = call
    book = process.rooms.logbook
    book.sample(process.rooms.engine)
    async with held_lock():
        storing = asyncio.create_task(book.store())
        await hears(patient)
    await storing
    await book.store()
    record = await CallRecord.objects.aget(participant=amina.id)
    assert record.bytes_up > 0


# Without a media server: what the events and numbers of a session make of its record.

ROOM, WHO = "room", str(UUID(int=7))
NUMBERS = PeerStatistics("ipv6", 0.1, 0.02, 0.04, 1000, 2000, "full")


@pytest.fixture
def book() -> Logbook:
    made = Logbook()
    made.begin(ROOM, WHO, Kind("phone", "Chrome"))
    return made


def session(book: Logbook) -> logbook.Session:
    return book._sessions[WHO]


def row(book: Logbook) -> CallRecord:
    return session(book).row()


def test_numbers_are_averaged_and_the_sent_mode_kept_when_it_changes(book):
    book.on_event(PeerConnected(ROOM, WHO))
    for mode, loss in (("full", 0.0), ("full", 0.1), ("small", 0.2)):
        session(book).sample(PeerStatistics("ipv6", 0.1, loss, None, 1000, 2000, mode))
    seen = row(book)
    assert (seen.path, seen.device, seen.browser) == ("ipv6", "phone", "Chrome")
    assert (seen.loss_up, seen.loss_down, seen.round_trip_ms) == (0.1, None, 100)
    assert [mode for _, mode in seen.modes] == ["full", "small"]


def test_the_worse_of_what_is_sent_and_received_is_kept(book):
    book.on_event(PeerConnected(ROOM, WHO))
    book.note_mode(WHO, "small")
    session(book).sample(NUMBERS)
    session(book).sample(replace(NUMBERS, mode="voice"))
    book.note_mode(WHO, "still")
    session(book).sample(NUMBERS)
    book.note_mode(WHO, "full")
    assert [mode for _, mode in row(book).modes] == ["small", "voice", "still", "full"]
    book.note_mode(str(UUID(int=8)), "still")


def test_a_relay_told_by_the_browser_hides_the_servers_family(book):
    book.told(WHO, Told("relay-tcp", 0.3, None, None, None))
    session(book).sample(NUMBERS)
    assert row(book).path == "relay-tcp"


def test_silence_is_a_gap_and_no_number_is_taken_in_it(book):
    book.on_event(PeerConnected(ROOM, WHO))
    book.on_event(PeerSilent(ROOM, WHO, 2.5))
    session(book).sample(NUMBERS)
    assert row(book).loss_up is None
    assert len(row(book).gaps) == 1
    book.on_event(PeerBack(ROOM, WHO, 4.0))
    session(book).sample(NUMBERS)
    assert len(row(book).gaps) == 1
    assert row(book).loss_up == 0.02


@pytest.mark.parametrize(
    ("announced", "reason", "ending"),
    [
        (None, "left", "left"),
        (None, "ended", "timeout"),
        (None, "closed", "closed"),
        (None, "timeout", "timeout"),
        (None, "handshake", "handshake"),
        (None, "shutdown", "shutdown"),
        ("removed", "left", "removed"),
        ("finished", "ended", "finished"),
        ("removed", "replaced", "replaced"),
    ],
)
def test_the_room_knows_better_than_the_media_server_why(book, announced, reason, ending):
    if announced:
        book.announce(WHO, logbook.Ending(announced))
    book.on_event(PeerGone(ROOM, WHO, reason))
    assert [one.ending for one in book._ended] == [ending]
    assert WHO not in book._sessions


def test_what_a_record_keeps_is_bounded(book):
    for number in range(logbook.MOST_STEPS * 2):
        session(book).note_mode(sent="full" if number % 2 else "voice")
        session(book).silent(0)
        session(book).heard()
    assert len(row(book).modes) == len(row(book).gaps) == logbook.MOST_STEPS


def test_an_event_of_another_room_or_of_nobody_changes_nothing(book):
    book.on_event(PeerGone("elsewhere", WHO, "left"))
    book.on_event(PeerGone(ROOM, str(UUID(int=8)), "left"))
    assert WHO in book._sessions


def test_a_participant_that_is_gone_keeps_no_other_record_back(cast, visit, clock):
    one = Participant.objects.create(
        organisation=visit.organisation, room=room_of(visit), role="patient", name="Amina"
    )
    rows = [CallRecord(participant_id=one.pk), CallRecord(participant_id=UUID(int=9))]
    logbook.keep(rows)
    logbook.keep(rows)
    kept = CallRecord.objects.get()
    assert not logbook.is_over(kept)
    clock.move(timedelta(minutes=3))
    assert logbook.is_over(kept)


def room_of(visit):
    return open_visit(visit)


def test_no_field_can_hold_an_address_or_a_whole_user_agent():
    texts = {f.name: f.max_length for f in CallRecord._meta.fields if f.name != "id"}
    assert max(length or 0 for length in texts.values()) <= 20
