"""Loss and return, the clock's part in them, an emergency, and what the audit keeps of a visit."""

import asyncio
from datetime import timedelta

import pytest

from consultations.models import ConsentOverride, Participant, Room
from consultations.process import SEEN_EVERY_ROUNDS
from scheduling.actions.change import reassign
from scheduling.models import Appointment, PatientPlace
from telemed.audit.actor import Actor
from telemed.audit.models import Event
from tests.consultations.callers import in_thread, words
from tests.consultations.media import connected, falls_silent, hears


def give_to_youssef(cast, visit):
    visit.refresh_from_db()
    reassign(visit, cast.dr_youssef, Actor("user", cast.karim.pk, role="coordinator"))


async def gone(caller):
    await caller.hang_up()
    caller.closed = 1001


@pytest.mark.parametrize(("minutes", "state"), [(14, "admitted"), (16, "waiting")])
async def test_a_place_is_kept_for_a_quarter_of_an_hour(
    admitted, cast, visit, enter, clock, minutes, state
):
    _, amina = admitted
    await gone(amina)
    clock.move(timedelta(minutes=minutes))

    again = await enter(cast.amina_user, visit, amina.browser)

    assert again.state == state
    assert again.snapshot["you"]["consent"] == "given"


async def test_who_waits_keeps_the_place_while_the_page_is_closed(cast, visit, enter, clock):
    amina = await enter(cast.amina_user, visit)
    since = (await Participant.objects.aget()).waiting_since
    await gone(amina)
    clock.move(timedelta(minutes=14))
    salma = await enter(cast.salma, visit)

    assert [one["id"] for one in salma.snapshot["waiting"]] == [amina.id]
    await enter(cast.amina_user, visit, amina.browser)
    assert (await Participant.objects.aget(pk=amina.id)).waiting_since == since


async def test_who_stays_away_is_no_longer_waited_for(cast, visit, enter, clock):
    amina = await enter(cast.amina_user, visit)
    await gone(amina)
    clock.move(timedelta(minutes=16))

    salma = await enter(cast.salma, visit)

    assert salma.snapshot["waiting"] == []


async def test_the_join_window_is_for_the_first_entry_only(admitted, cast, visit, enter, clock):
    _, amina = admitted
    clock.move(timedelta(hours=2))

    again = await enter(cast.amina_user, visit, amina.browser)

    assert again.state == "waiting"


async def test_who_was_sent_away_may_ask_again(cast, visit, enter):
    salma = await enter(cast.salma, visit)
    amina = await enter(cast.amina_user, visit)

    await salma.change("deny", participant=amina.id)
    await amina.until(lambda: amina.closed is not None)
    again = await enter(cast.amina_user, visit, amina.browser)

    assert amina.closed == 4003
    assert again.state == "waiting"


async def test_two_minutes_without_a_professional_stop_media_and_end_nothing(
    admitted, cast, visit, enter, clock, process
):
    salma, amina = admitted
    patient, doctor = await connected(amina), await connected(salma)
    await hears(patient)
    doctor.kill()
    await gone(salma)
    await amina.until(lambda: _link(amina, salma.id) == "reconnecting")
    await _noticed_alone(process)
    clock.move(timedelta(seconds=100))
    await amina.settle()
    assert amina.snapshot["room"] == "in-session"

    clock.move(timedelta(seconds=25))
    await amina.until(lambda: amina.snapshot["room"] == "interrupted")
    again = await enter(cast.salma, visit, salma.browser)
    await amina.until(lambda: amina.snapshot["room"] == "in-session")
    doctor = await connected(again)

    await asyncio.gather(hears(doctor), hears(patient))
    patient.kill()
    doctor.kill()


async def test_a_dead_socket_is_no_professional(admitted, process, clock):
    """The two minutes run from its last word, not from when it is given up."""
    salma, amina = admitted
    (room,) = process.rooms
    for socket in room.of(salma.id):
        socket.heard -= 20
    await _noticed_alone(process)
    assert timedelta(seconds=19) < clock.now() - room.unattended_since < timedelta(seconds=25)

    clock.move(timedelta(seconds=102))

    await amina.until(lambda: amina.snapshot["room"] == "interrupted")


async def test_connected_media_are_a_professional(admitted, process):
    salma, _ = admitted
    doctor = await connected(salma)
    (room,) = process.rooms
    async with asyncio.timeout(3):
        while room.links.get(salma.id) != "connected":
            await asyncio.sleep(0.05)

    for socket in room.of(salma.id):
        socket.heard -= 20

    assert room.professionals_silence() == 0
    doctor.kill()


async def both_lost(admitted, process):
    """Both were connected and are so no more, without having said goodbye."""
    patient, doctor = await connected(admitted[1]), await connected(admitted[0])
    await asyncio.gather(hears(patient), hears(doctor))
    patient.kill()
    doctor.kill()
    (room,) = process.rooms
    async with asyncio.timeout(10):
        while "connected" in room.links.values():
            await asyncio.sleep(0.05)


async def _forgotten(process):
    async with asyncio.timeout(3):
        while len(process.rooms) or await Room.objects.filter(process__isnull=False).aexists():
            await asyncio.sleep(0.05)


async def test_a_finished_room_is_forgotten_though_connections_were_lost(admitted, process):
    await both_lost(admitted, process)

    await admitted[0].change("identify", how="known")
    await admitted[0].change("finish", mode="video")

    await _forgotten(process)


async def test_a_room_is_forgotten_once_nobodys_place_is_kept(admitted, process, clock):
    await both_lost(admitted, process)
    for caller in admitted:
        await gone(caller)
    (room,) = process.rooms
    async with asyncio.timeout(3):
        while room.idle_since is None:
            await asyncio.sleep(0.05)
    assert len(process.rooms) == 1, "they may come back"

    clock.move(timedelta(minutes=16))

    await _forgotten(process)


async def _noticed_alone(process):
    """Until the heartbeat has seen that no professional is there."""
    async with asyncio.timeout(3):
        while not all(room.unattended_since for room in process.rooms):
            await asyncio.sleep(0.02)


def _link(caller, participant):
    told = [
        one["state"]
        for one in caller.came
        if one["type"] == "link" and one["participant"] == participant
    ]
    return told[-1] if told else None


class TestEmergency:
    async def test_the_visit_goes_on_without_a_consent_that_nobody_could_ask(
        self, cast, visit, enter
    ):
        salma = await enter(cast.salma, visit)
        amina = await enter(cast.amina_user, visit)

        await salma.change("override", reason="Unconscious, alone, daughter on the phone")
        done = await salma.change("admit", participant=amina.id)
        await amina.until(lambda: amina.state == "admitted")
        doctor, patient = await connected(salma), await connected(amina)
        await asyncio.gather(hears(doctor), hears(patient))

        assert done["type"] == "done"
        assert salma.snapshot["visit"]["override"] is True
        kept = await ConsentOverride.objects.aget()
        assert kept.reason.startswith("Unconscious")
        assert (kept.declared_by_id, kept.ended_at, kept.reviewed_at) == (cast.salma.pk, None, None)
        await amina.change("consent", participant=amina.id, **words("refused"))
        assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 1
        doctor.kill()
        patient.kill()

    async def test_it_is_over_once_the_patient_has_spoken(self, cast, visit, enter):
        salma = await enter(cast.salma, visit)
        amina = await enter(cast.amina_user, visit)
        await salma.change("override", reason="Unconscious, alone, daughter on the phone")

        await amina.change("consent", participant=amina.id, **words())
        await salma.until(lambda: not salma.snapshot["visit"]["override"])

        assert (await ConsentOverride.objects.aget()).ended_at is not None

    async def test_it_is_over_with_another_specialist(self, cast, visit, enter):
        salma = await enter(cast.salma, visit)
        await salma.change("override", reason="Unconscious, alone, daughter on the phone")

        await in_thread(give_to_youssef, cast, visit)
        youssef = await enter(cast.youssef, visit)

        assert youssef.snapshot["visit"]["override"] is False

    async def test_a_reason_is_needed_and_the_specialist_alone_gives_it(self, admitted):
        salma, amina = admitted

        assert (await amina.change("override", reason="I do not want to wait"))[
            "code"
        ] == "not_allowed"
        await salma.say("override", id=salma.id, reason="short")
        await salma.until(lambda: salma.closed is not None)
        assert salma.closed == 4000

    async def test_the_button_shows_both_sides_the_place_and_the_numbers(self, admitted):
        salma, amina = admitted
        await amina.change("place", place="Douar Agoudal", phone="0661234567", contact="Itto")

        await amina.change("emergency")
        await amina.until(lambda: amina.snapshot["emergency"] is not None)
        await salma.until(lambda: salma.snapshot["emergency"] is not None)

        shown = salma.snapshot["emergency"]
        assert shown == amina.snapshot["emergency"]
        assert (shown["place"], shown["phone"]) == ("Douar Agoudal", "0661234567")
        assert shown["place_confirmed"]
        assert shown["phone_confirmed"]
        assert (shown["number"], shown["hospital_phone"]) == ("141", "+212535582011")
        assert shown["calls_back"] == "Dr Salma Bennis"

    async def test_what_nobody_confirmed_is_taken_from_the_file_and_marked(self, admitted, visit):
        salma, amina = admitted
        site, place = visit.patient.organisation, PatientPlace.FACILITY
        booked = Appointment.objects.filter(pk=visit.pk)
        await booked.aupdate(site=site, patient_place=place)

        await amina.change("emergency")
        await salma.until(lambda: salma.snapshot["emergency"] is not None)

        shown = salma.snapshot["emergency"]
        assert shown["place"] == "Centre de santé Imilchil"
        assert shown["phone"] == salma.snapshot["visit"]["phone"] == "+212661234567"
        assert not shown["place_confirmed"]
        assert not shown["phone_confirmed"]


async def test_every_act_stands_in_the_audit_and_entering_is_one_reading(admitted, cast, visit):
    salma, amina = admitted
    await amina.say("snapshot")
    await amina.change("chat", text="Bonjour", to=None)
    await salma.change("identify", how="document")
    await salma.change("pause")
    await salma.change("resume")
    await amina.change("withdraw", participant=amina.id)
    await salma.change("remove", participant=amina.id)
    await salma.change("finish", mode="video")

    kept = [
        (one.action, one.actor, one.patient)
        async for one in Event.objects.filter(outcome="done").exclude(actor=None).order_by("id")
    ]

    doctor, patient = cast.salma.pk, cast.amina_user.pk
    of_the_room = [
        one for one in kept if one[0].split(".")[0] in ("room", "consent", "visit", "chat")
    ]
    assert of_the_room == [
        (action, actor, visit.patient_id)
        for action, actor in [
            ("room.enter", doctor),
            ("room.enter", patient),
            ("consent.given", patient),
            ("room.admit", doctor),
            ("chat.write", patient),
            ("visit.identify", doctor),
            ("room.pause", doctor),
            ("room.resume", doctor),
            ("consent.withdrawn", patient),
            ("room.remove", doctor),
            ("visit.finish", doctor),
        ]
    ]


async def test_an_open_socket_keeps_the_place(admitted, clock):
    """Without anybody saying anything: the heartbeat does."""
    _, amina = admitted
    clock.move(timedelta(minutes=10))
    moved = clock.now()

    async with asyncio.timeout(2 * SEEN_EVERY_ROUNDS):
        while (await Participant.objects.aget(pk=amina.id)).last_seen_at < moved:
            await asyncio.sleep(0.2)
