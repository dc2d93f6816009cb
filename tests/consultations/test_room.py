"""The room through its own socket: a real media process, real Redis, a real database."""

import asyncio
import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from consultations import facts as room_facts
from consultations import groups
from consultations.access import seat_for
from consultations.actions import visit as visits
from consultations.actions.entering import enter as enter_room
from consultations.models import Consent, Consultation, Participant, Room
from consultations.refusals import RoomRefused
from scheduling.models import Appointment
from telemed.accounts.access import viewer_of
from telemed.accounts.models import PatientLink
from telemed.audit.actor import SYSTEM
from telemed.lib import clock
from tests import make
from tests.consultations.callers import Caller, accepted, in_thread, socket_to

WAITING = {"type", "number", "room", "you", "queue", "specialist_knows", "messages"}


async def test_before_admission_nothing_of_the_room_is_told(waiting):
    _, amina = waiting

    assert amina.state == "waiting"
    assert set(amina.snapshot) == WAITING
    assert (await amina.change("offer", sdp="v=0"))["code"] == "not_admitted"


async def test_admit_lets_in(waiting):
    salma, amina = waiting

    done = await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")

    assert done["type"] == "done"
    assert {one["name"] for one in amina.snapshot["people"]} == {
        "Amina El Idrissi",
        "Dr Salma Bennis",
    }


async def test_who_comes_in_while_the_room_is_read_is_not_sent_away(
    process, cast, visit, enter, monkeypatch
):
    """What was read before they came does not know them."""
    salma = await enter(cast.salma, visit)
    read, go_on, load = threading.Event(), threading.Event(), room_facts.load

    def slowly(room_id):
        facts = load(room_id)
        if not read.is_set():
            read.set()
            go_on.wait(5)
        return facts

    monkeypatch.setattr(room_facts, "load", slowly)
    await salma.say("snapshot")
    await asyncio.to_thread(read.wait, 5)
    coming = asyncio.create_task(enter(cast.amina_user, visit))
    async with asyncio.timeout(5):
        while process.rooms.people < 2:
            await asyncio.sleep(0.01)
    go_on.set()
    assert (await coming).state == "waiting"


async def test_who_vanished_keeps_nobody_from_being_told(waiting, cast, visit, enter):
    salma, amina = waiting
    amina.vanished = True

    assert (await salma.change("admit", participant=amina.id))["type"] == "done"
    await salma.until(lambda: len(salma.snapshot["people"]) == 2)

    again = await enter(cast.salma, visit, browser=salma.browser)
    assert again.state == "admitted"
    assert again.closed is None


async def test_without_consent_admit_refuses_with_the_reason(cast, visit, enter):
    salma = await enter(cast.salma, visit)
    amina = await enter(cast.amina_user, visit)

    refused = await salma.change("admit", participant=amina.id)

    assert (refused["type"], refused["code"]) == ("refused", "no_consent")
    assert refused["participants"] == [amina.id]
    await amina.settle()
    assert amina.state == "waiting"


async def test_a_repeat_changes_nothing_and_hears_the_same(waiting):
    salma, amina = waiting
    once = str(uuid4())

    first = await salma.change("chat", id_=once, text="Bonjour", to=amina.id)
    again = await salma.change("chat", id_=once, text="Bonjour", to=amina.id)
    await amina.until(lambda: bool(amina.snapshot["messages"]))
    await amina.settle()

    assert first == again
    assert [one["text"] for one in amina.snapshot["messages"]] == ["Bonjour"]


async def test_only_the_specialist_admits(waiting):
    _, amina = waiting

    assert (await amina.change("admit", participant=amina.id))["code"] == "not_admitted"


async def test_a_reload_in_the_same_browser_keeps_the_place(waiting, cast, visit, enter):
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")

    again = await enter(cast.amina_user, visit, amina.browser)

    assert again.state == "admitted"
    await amina.until(lambda: amina.closed is not None)
    assert amina.closed == 4002


async def test_another_device_waits_and_the_older_is_told(waiting, cast, visit, enter):
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")

    phone = await enter(cast.amina_user, visit)
    await amina.until(lambda: amina.snapshot["you"]["waiting_elsewhere"])

    assert phone.state == "waiting"
    assert "people" not in phone.snapshot
    await salma.change("admit", participant=amina.id)
    await phone.until(lambda: phone.state == "admitted")
    await amina.until(lambda: amina.closed is not None)
    assert amina.closed == 4002


async def test_finish_closes_every_socket_and_is_the_only_end(waiting):
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)

    await salma.change("identify", how="document")
    await salma.change("finish", mode="video")
    await amina.until(lambda: amina.closed is not None)

    assert amina.closed == 4004
    room = await Room.objects.select_related("consultation__appointment").aget()
    assert (room.state, room.consultation.status) == ("closed", "finished")
    assert room.consultation.appointment.status == "fulfilled"


@pytest.mark.parametrize(("how", "begun"), [("known", True), ("none", False)])
async def test_finish_asks_first_who_the_patient_was(waiting, how, begun):
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)

    assert (await salma.change("finish", mode="video"))["code"] == "not_identified"
    await salma.change("identify", how=how)
    await salma.change("finish", mode="video")
    await salma.until(lambda: salma.closed is not None)

    visit = await Consultation.objects.aget()
    assert (visit.status, visit.identified_how) == ("finished", how)
    assert (visit.started_at is not None) == begun


async def test_by_telephone_the_patient_is_identified_too(waiting):
    salma, _ = waiting

    assert (await salma.change("finish", mode="telephone"))["code"] == "not_identified"
    await salma.change("identify", how="declared")
    await salma.change("finish", mode="telephone")
    await salma.until(lambda: salma.closed is not None)

    assert (await Consultation.objects.aget()).mode == "telephone"


async def test_a_room_to_which_nobody_came_is_finished_without(cast, visit, enter):
    salma = await enter(cast.salma, visit)

    await salma.change("finish", mode="video")
    await salma.until(lambda: salma.closed is not None)

    assert salma.closed == 4004


async def test_withdrawal_is_stored_and_shown(waiting):
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")

    await amina.change("withdraw", participant=amina.id)
    await salma.until(
        lambda: any(one["consent"] == "withdrawn" for one in salma.snapshot["people"])
    )

    assert await Consent.objects.filter(withdrawn_at__isnull=False).acount() == 1


async def test_a_ticket_opens_once(process, waiting):
    _, amina = waiting
    second = Caller(process, amina.ticket, amina.browser)

    await second.hello()

    assert second.closed == 4001


@pytest.mark.parametrize(
    "raw", ["", "[]", '{"type":"nothing"}', '{"type":"admit","id":"1"}', "x" * 70_000]
)
async def test_a_bad_message_closes_only_its_own_socket(waiting, raw):
    salma, amina = waiting

    await amina.send(raw)
    await amina.until(lambda: amina.closed is not None)

    assert amina.closed == 4000
    await salma.settle()
    assert salma.closed is None


async def test_another_site_cannot_open_a_socket(process):
    assert not await accepted(socket_to(process, "https://elsewhere.example"))


async def test_news_from_another_process_arrives_without_a_hint(waiting, monkeypatch):
    """With every hint lost the heartbeat finds the change within three seconds."""
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)
    monkeypatch.setattr(groups, "hint_room", lambda room: None)
    await salma.change("identify", how="known")
    room = await Room.objects.aget()
    by = await Participant.objects.aget(role="specialist")

    await in_thread(visits.finish, str(room.pk), by, SYSTEM, "video")
    async with asyncio.timeout(3):
        await amina.until(lambda: amina.closed is not None)

    assert amina.closed == 4004


def test_the_first_entry_has_a_window(cast, visit: Appointment):
    Appointment.objects.update(starts_at=clock.now() + timedelta(hours=2))
    seat = seat_for(viewer_of(cast.amina_user, clock.now()), visit.pk)

    with pytest.raises(RoomRefused) as refused:
        enter_room(seat, uuid4())

    assert refused.value.code == "too_early"


def test_who_was_registered_twice_enters_as_the_patient(cast, visit: Appointment):
    twin = make.patient(cast.imilchil, "Amina", "El Idrissi")
    twice = make.appointment(twin, cast.at_home, visit.starts_at)
    PatientLink.objects.create(
        organisation=cast.imilchil, patient=twin, same_as=cast.amina, linked_by=cast.brahim
    )

    seat = seat_for(viewer_of(cast.amina_user, clock.now()), twice.pk)

    assert (seat.role, seat.patient) == ("patient", twin)
    assert enter_room(seat, uuid4()).patient_id == twin.pk


async def test_leaving_the_waiting_room_opens_nothing(waiting, cast, visit, enter):
    _, amina = waiting

    await amina.change("leave")
    again = await enter(cast.amina_user, visit, amina.browser)

    assert again.state == "waiting"


async def test_a_second_hello_is_no_message(waiting):
    _, amina = waiting

    await amina.say("hello", ticket=amina.ticket, protocol=1)
    await amina.until(lambda: amina.closed is not None)

    assert amina.closed == 4000


async def test_what_comes_after_the_end_changes_nothing(waiting):
    salma, amina = waiting
    await amina.send("[]")
    await amina.say("unable", id=str(uuid4()), reason="device")
    await amina.until(lambda: amina.closed is not None)

    await salma.settle()

    assert not await Participant.objects.filter(unable_reason="device").aexists()


class TestAnotherDevice:
    """It waits: until it is admitted it hears nothing, writes to nobody and ends nothing."""

    @pytest.fixture
    async def devices(self, waiting, cast, visit, enter):
        salma, amina = waiting
        await salma.change("admit", participant=amina.id)
        await amina.until(lambda: amina.state == "admitted")
        return salma, amina, await enter(cast.amina_user, visit)

    async def test_is_told_nothing_of_the_room(self, devices):
        *_, phone = devices
        await phone.settle()

        assert {one["type"] for one in phone.came} == {"welcome", "snapshot", "pong"}

    async def test_cannot_write(self, devices):
        *_, phone = devices

        assert (await phone.change("chat", text="Bonjour"))["code"] == "not_admitted"

    async def test_goes_on_waiting_while_the_older_comes_back(self, devices, cast, visit, enter):
        salma, amina, phone = devices
        again = await enter(cast.amina_user, visit, amina.browser)
        await phone.settle()

        assert (phone.closed, phone.state) == (None, "waiting")
        assert again.snapshot["you"]["waiting_elsewhere"]
        await salma.change("admit", participant=amina.id)
        await phone.until(lambda: phone.state == "admitted")

    async def test_goes_without_taking_the_older_with_it(self, devices):
        _, amina, phone = devices

        await phone.change("leave")
        await amina.until(lambda: not amina.snapshot["you"]["waiting_elsewhere"])

        assert amina.state == "admitted"


async def test_only_the_specialist_writes_to_one_alone(waiting):
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")

    refused = await amina.change("chat", text="Bonjour", to=salma.id)

    assert refused["code"] == "not_allowed"
