"""Who may be seen and heard, packet by packet, through the room's own socket."""

import asyncio
import json
from functools import partial
from uuid import uuid4

import pytest

from consultations import groups
from consultations.actions import consent as consents
from consultations.actions import visit as visits
from consultations.engine import LayersWanted
from consultations.models import Participant, Room
from scheduling.actions.link import issue_link, reissue_link, void_links
from telemed.audit.actor import SYSTEM
from tests.consultations.callers import guest_of, in_thread, recording_words, words
from tests.consultations.lock import held_lock
from tests.consultations.media import ScreenPeer, connected, falls_silent, hears


async def test_nothing_flows_before_admission_and_no_tap_is_needed_after(waiting):
    salma, amina = waiting
    doctor = await connected(salma)
    assert (await amina.change("offer", sdp="v=0"))["code"] == "not_admitted"

    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")
    patient = await connected(amina)

    await asyncio.gather(hears(patient), hears(doctor))
    doctor.kill()
    patient.kill()


async def test_in_which_sizes_a_camera_is_wanted_is_told_to_its_owner_alone(call, process):
    salma, amina, *_ = call
    (room,) = process.rooms

    process.rooms.on_event(LayersWanted(room.id, amina.id, {"q": 60_000, "f": 1_500_000}))

    await amina.until(lambda: any(m["type"] == "layers" for m in amina.came))
    (told,) = [m for m in amina.came if m["type"] == "layers"]
    assert told["sizes"] == {"q": 60_000, "f": 1_500_000}
    await salma.settle()
    assert not [m for m in salma.came if m["type"] == "layers"]


@pytest.mark.parametrize("speak", ["withdraw", "refuse"])
async def test_the_patients_refusal_stops_everybody(call, speak):
    _, amina, doctor, patient = call
    fields = words("refused") if speak == "refuse" else {}

    await amina.say(
        "consent" if speak == "refuse" else "withdraw",
        id="7d0f0ed4-95c1-4a63-9a4b-6a3c07c1c2a1",
        participant=amina.id,
        **fields,
    )

    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 1


async def test_consent_given_again_lets_it_flow_again(call):
    _, amina, doctor, patient = call
    await amina.change("withdraw", participant=amina.id)
    await asyncio.gather(falls_silent(doctor), falls_silent(patient))

    await amina.change("consent", participant=amina.id, **words())

    await asyncio.gather(hears(doctor), hears(patient))


async def test_a_withdrawal_stops_before_it_can_be_stored(call):
    """Whatever is read of the room meanwhile, and whatever is offered again."""
    _, amina, doctor, patient = call

    async with held_lock():
        await amina.say("withdraw", id="7d0f0ed4-95c1-4a63-9a4b-6a3c07c1c2a1", participant=amina.id)
        assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 1
        await call[0].say("snapshot")
        await call[0].change("offer", sdp=doctor.offer())
        assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 0.1
    await amina.until(lambda: amina.snapshot["you"]["consent"] == "withdrawn")

    assert await falls_silent(doctor) == 0


async def test_a_pause_stops_and_resuming_lets_on(call):
    salma, _, doctor, patient = call

    await salma.change("pause")
    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 1

    await salma.change("resume")
    await asyncio.gather(hears(doctor), hears(patient))


async def test_removal_stops_both_ways(call):
    salma, amina, doctor, patient = call

    await salma.change("remove", participant=amina.id)

    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 1
    await amina.until(lambda: amina.closed is not None)
    assert amina.closed == 4003


async def test_finish_stops_every_side(call):
    salma, _, doctor, patient = call

    await salma.change("identify", how="known")
    await salma.change("finish", mode="video")

    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 1


@pytest.mark.parametrize("what", ["withdraw", "pause", "finish"])
async def test_with_the_hint_lost_it_stops_within_three_seconds(call, monkeypatch, what):
    caller, _, doctor, patient = call
    await caller.change("identify", how="known")
    monkeypatch.setattr(groups, "hint_room", lambda room: None)
    room = str((await Room.objects.aget()).pk)
    salma = await Participant.objects.aget(role="specialist")
    amina = await Participant.objects.aget(role="patient")
    elsewhere = {
        "withdraw": partial(consents.withdraw, room, amina, SYSTEM, str(amina.pk)),
        "pause": partial(visits.pause, room, salma, SYSTEM),
        "finish": partial(visits.finish, room, salma, SYSTEM, "video"),
    }

    await in_thread(elsewhere[what])

    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 3


async def test_an_interpreter_is_neither_heard_nor_hears_before_their_own_consent(
    call, visit, enter
):
    salma, *_, doctor, _ = call
    link = await in_thread(issue_link, visit, "interpreter", SYSTEM, name="Itto")
    itto = await enter(await in_thread(guest_of, link), visit)
    assert (await salma.change("admit", participant=itto.id))["code"] == "no_consent"

    await itto.change("consent", participant=itto.id, **words(patient=False))
    await salma.change("admit", participant=itto.id)
    await itto.until(lambda: itto.state == "admitted")
    interpreter = await connected(itto)
    await hears(interpreter)
    await itto.change("withdraw", participant=itto.id)

    assert await falls_silent(interpreter) <= 1
    await hears(doctor)
    interpreter.kill()


async def test_another_device_takes_over_and_the_older_connection_ends(call, cast, visit, enter):
    salma, amina, doctor, patient = call
    phone = await enter(cast.amina_user, visit)

    await salma.change("admit", participant=amina.id)

    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 1
    await phone.until(lambda: phone.state == "admitted")
    newer = await connected(phone)
    await asyncio.gather(hears(doctor), hears(newer))
    newer.kill()


@pytest.mark.parametrize("how", ["void", "reissue"])
async def test_a_link_that_opens_no_more_ends_the_connection_made_by_it(call, visit, enter, how):
    """Also when its socket was lost before, so that there is none left to end."""
    salma, _, doctor, _ = call
    link = await in_thread(issue_link, visit, "interpreter", SYSTEM, name="Itto")
    itto = await enter(await in_thread(guest_of, link), visit)
    await itto.change("consent", participant=itto.id, **words(patient=False))
    await salma.change("admit", participant=itto.id)
    await itto.until(lambda: itto.state == "admitted")
    interpreter = await connected(itto)
    await hears(interpreter)
    await itto.hang_up()
    itto.closed = 1001

    ends = (
        partial(void_links, visit, "sent twice") if how == "void" else partial(reissue_link, link)
    )
    await in_thread(ends, SYSTEM)

    assert await falls_silent(interpreter) <= 3
    await hears(doctor)
    interpreter.kill()


async def test_a_login_that_was_ended_ends_the_connection(call, cast):
    _, amina, doctor, patient = call
    await amina.hang_up()
    amina.closed = 1001
    cast.amina_user.is_active = False

    await cast.amina_user.asave()

    assert max(await asyncio.gather(falls_silent(doctor), falls_silent(patient))) <= 3


@pytest.mark.parametrize(("who", "shown"), [("salma", True), ("amina", False)])
async def test_only_professionals_share_a_screen(waiting, who, shown):
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")
    sharer, viewer = (salma, amina) if who == "salma" else (amina, salma)
    watching = await connected(viewer)
    sharing = await connected(sharer, ScreenPeer)

    await hears(watching, packets=100)

    voice = watching.received["0"]
    assert voice > 0
    assert (watching.received.total() > voice) == shown
    sharing.kill()
    watching.kill()


@pytest.fixture
def interpreter(visit):
    return issue_link(visit, "interpreter", SYSTEM, name="Hicham")


async def test_who_waits_learns_nothing_of_who_is_in(call, interpreter, visit, enter):
    """No name, no id, no hint, whatever they say."""
    _, amina, doctor, patient = call
    hicham = await enter(await asyncio.to_thread(guest_of, interpreter), visit)
    nobody = str(uuid4())

    await asyncio.gather(hears(doctor), hears(patient))
    await amina.change("mute", kind="video", muted=True)
    for type_, fields in ABOUT.items():
        await hicham.change(type_, **{**fields, PERSON.get(type_, "participant"): nobody})
    await hicham.settle()

    told = [json.dumps(one) for one in hicham.came]
    assert [one for one in told if amina.id in one or "Amina" in one] == []
    kinds = {one["type"] for one in hicham.came}
    assert kinds <= {"welcome", "snapshot", "refused", "pong"}
    assert sum(one["type"] == "refused" for one in hicham.came) == len(ABOUT)


ABOUT = {
    "consent": words(patient=True),
    "withdraw": {},
    "admit": {},
    "deny": {},
    "remove": {},
    "chat": {"text": "Bonjour"},
    "record_consent": recording_words(),
    "record_withdraw": {"keep": True},
}
PERSON = {"chat": "to", "record_consent": "subject", "record_withdraw": "subject"}
