"""A picture through the room's own socket and data channel: asked for, sent over losses, kept."""

import asyncio
import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from consultations import picture_files, pictures, rules, tasks
from consultations.models import Picture, Room
from consultations.rules import Asking
from telemed.audit.models import Event
from telemed.lib import clock
from tests.consultations.jpegs import PLACE, photo, pixels
from tests.consultations.sending import (
    PHOTO,
    STEP,
    Sending,
    agrees,
    announcement,
    asked,
    is_kept,
    of,
    states,
    with_channel,
)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.PICTURES_DIR = tmp_path / "pictures"
    return settings.PICTURES_DIR


# --- the rules


ME = Asking("patient", inside=True, with_device=True, room_state="in-session", open=0)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({}, ""),
        ({"role": "representative"}, ""),
        ({"role": "presenter"}, ""),
        ({"role": "specialist"}, "not_allowed"),
        ({"role": "companion"}, "not_allowed"),
        ({"role": "interpreter"}, "not_allowed"),
        ({"with_device": False}, "not_allowed"),
        ({"inside": False}, "picture_not_now"),
        ({"room_state": "paused"}, "picture_not_now"),
        ({"room_state": "waiting"}, "picture_not_now"),
        ({"open": 2}, ""),
        ({"open": 3}, "picture_many"),
    ],
)
def test_who_may_be_asked(changed, refusal):
    assert rules.may_ask_for_picture(Asking(**{**vars(ME), **changed})) == refusal


@pytest.mark.parametrize(
    ("asked", "state", "size", "pixels", "refusal"),
    [
        (True, "asked", 1, 1, ""),
        (True, "asked", rules.MAX_PICTURE_BYTES, rules.MAX_PICTURE_PIXELS, ""),
        (True, "sending", 1000, 1000, ""),
        (False, "asked", 1000, 1000, "not_allowed"),
        (True, "checking", 1000, 1000, "picture_over"),
        (True, "ready", 1000, 1000, "picture_over"),
        (True, "refused", 1000, 1000, "picture_over"),
        (True, "cancelled", 1000, 1000, "picture_over"),
        (True, "asked", 0, 1000, "picture_too_large"),
        (True, "asked", rules.MAX_PICTURE_BYTES + 1, 1000, "picture_too_large"),
        (True, "asked", 1000, 0, "picture_too_large"),
        (True, "asked", 1000, rules.MAX_PICTURE_PIXELS + 1, "picture_too_large"),
    ],
)
def test_what_may_be_sent(asked, state, size, pixels, refusal):
    found = rules.may_send_picture(asked=asked, state=state, size=size, pixels=pixels)
    assert found == refusal


# --- in the room


async def test_a_picture_is_asked_for_agreed_to_sent_and_seen(sending_call, folder):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    assert (of(amina)[0]["site"], of(amina)[0]["side"]) == ("hand", "left")
    assert (await agrees(amina, picture))["type"] == "done"
    word = await Sending(peer, picture).to_the_end()
    row = await is_kept(picture)
    await salma.until(lambda: states(salma) == {"ready"})

    assert word["have"] == len(PHOTO)
    kept = await asyncio.to_thread(picture_files.read, row)
    assert pixels(kept) == pixels(PHOTO)
    assert PLACE not in kept
    assert not pictures.sent_path(picture).exists()
    assert (str(row.participant_id), row.participant.role) == (amina.id, "patient")
    assert (row.body_site, row.side, row.asked_by_id is not None) == ("hand", "left", True)
    assert of(salma)[0]["url"] == reverse("consultations:picture", args=[picture])
    assert of(amina)[0]["url"] is None
    actions = {event.action async for event in Event.objects.all()}
    assert {"picture.ask", "picture.send", "picture.receive", "picture.save"} <= actions


async def test_it_arrives_byte_by_byte_the_same_over_a_cut_in_the_middle(sending_call):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await agrees(amina, picture)
    sending, half = Sending(peer, picture), len(PHOTO) // 2
    await sending.asks()
    sending.sends(0, half)
    peer.is_cut = True
    sending.sends(half)
    await asyncio.sleep(1.5)  # of an outage
    assert not any("stored" in said for said in sending.words())
    peer.is_cut = False

    await sending.word("stored")
    row = await Picture.objects.aget(pk=picture)
    sent = await asyncio.to_thread(picture_files.read, row, sent=True)
    assert hashlib.sha256(sent).hexdigest() == hashlib.sha256(PHOTO).hexdigest()


async def test_another_connection_goes_on_where_the_lost_one_was(sending_call):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await agrees(amina, picture)
    first = Sending(peer, picture)
    await first.asks()
    first.sends(0, 5 * STEP)
    async with asyncio.timeout(10):
        while (await first.asks())["have"] < 5 * STEP:
            await asyncio.sleep(0.05)
    peer.kill()  # the page was loaded again
    again = await with_channel(amina)
    second = Sending(again, picture)
    assert (await second.asks())["have"] == 5 * STEP
    await second.to_the_end()

    row = await Picture.objects.aget(pk=picture)
    assert await asyncio.to_thread(picture_files.read, row, sent=True) == PHOTO
    again.kill()


async def test_said_twice_or_sent_twice_changes_nothing(sending_call):
    salma, amina, peer = sending_call
    id_ = str(uuid4())
    for _ in range(2):
        await salma.change("picture_ask", id_=id_, participant=amina.id, site="eye", side="right")
    await amina.until(lambda: of(amina))
    assert await Picture.objects.acount() == 1
    await agrees(amina, id_)
    sending = Sending(peer, id_)
    await sending.asks()
    sending.sends(0, 8 * STEP)
    sending.sends(0, 8 * STEP)
    await sending.to_the_end()
    assert (await agrees(amina, id_))["type"] == "done"
    sending.sends(0)
    assert (await sending.asks()) == {"picture": id_, "have": len(PHOTO), "stored": True}

    row = await is_kept(id_)
    assert row.state == "ready"
    assert await Event.objects.filter(action="picture.send").acount() == 1
    assert pixels(await asyncio.to_thread(picture_files.read, row)) == pixels(PHOTO)


async def test_another_choice_takes_the_place_of_what_was_not_whole(sending_call):
    salma, amina, peer = sending_call
    picture, other = await asked(salma, amina), photo(800, 600, seed=3)
    await agrees(amina, picture)
    first = Sending(peer, picture)
    await first.asks()
    first.sends(0, 6 * STEP)
    await agrees(amina, picture, other)
    second = Sending(peer, picture, other)
    assert (await second.asks())["have"] == 0
    await second.to_the_end()

    row = await Picture.objects.aget(pk=picture)
    assert await asyncio.to_thread(picture_files.read, row, sent=True) == other


async def test_who_waits_for_it_sees_how_far_it_is(sending_call):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await agrees(amina, picture)
    sending = Sending(peer, picture)
    await sending.asks()
    sending.sends(0, 4 * STEP)

    await salma.until(lambda: any(m["type"] == "picture" for m in salma.came))
    word = next(m for m in salma.came if m["type"] == "picture")
    assert word["picture"] == picture
    assert 0 < word["have"] <= 4 * STEP
    assert not any(m["type"] == "picture" for m in amina.came)


# --- what is refused


async def test_who_was_not_asked_sends_nothing(sending_call):
    salma, amina, peer = sending_call
    strangers = Sending(peer, str(uuid4()))
    assert (await strangers.asks())["refused"] == "not_asked"
    strangers.sends(0, STEP)
    picture = await asked(salma, amina)
    assert (await agrees(salma, picture))["code"] == "not_allowed"
    early = Sending(peer, picture)
    early.sends(0, STEP)
    early.sends_word()
    await agrees(amina, picture)
    assert (await early.asks())["have"] == 0
    assert not any("refused" in said for said in early.words())
    assert not pictures.folder(picture).exists()


async def test_a_picture_of_another_room_is_unknown(sending_call, cast, enter):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await Picture.objects.filter(pk=picture).aupdate(consultation=await elsewhere(cast))

    assert (await agrees(amina, picture))["code"] == "unknown_picture"
    await amina.until(lambda: not of(amina))
    assert (await Sending(peer, picture).asks())["refused"] == "not_asked"


async def elsewhere(cast):
    from consultations.actions.entering import open_visit
    from tests import make

    def made():
        service = make.service(
            cast.dr_youssef, cast.dermatology, patient_place="facility", site=cast.temara
        )
        return open_visit(make.appointment(cast.zineb, service, clock.now())).consultation

    return await asyncio.to_thread(made)


async def test_more_than_was_announced_is_dropped(sending_call):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    too_long = announcement(picture, bytes=rules.MAX_PICTURE_BYTES + 1)
    assert (await amina.change("picture_send", **too_long))["code"] == "picture_too_large"
    too_wide = announcement(picture, width=15_000, height=8001)
    assert (await amina.change("picture_send", **too_wide))["code"] == "picture_too_large"
    await agrees(amina, picture, PHOTO[: 3 * STEP])
    sending = Sending(peer, picture, PHOTO)
    await sending.asks()
    sending.sends(0, 2 * STEP)
    sending.sends(3 * STEP, 4 * STEP)

    assert (await sending.word("refused"))["refused"] == "too_much"
    assert (await sending.asks())["have"] == 0


async def test_another_hash_than_the_announced_is_dropped_and_can_be_sent_anew(sending_call):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await agrees(amina, picture)
    wrong = Sending(peer, picture, PHOTO[:-1] + b"\0")
    await wrong.asks()
    wrong.sends(0)
    assert (await wrong.word("refused"))["refused"] == "hash"
    assert not pictures.sent_path(picture).exists()

    await Sending(peer, picture).to_the_end()
    assert (await is_kept(picture)).state == "ready"


async def test_nothing_is_taken_in_a_pause(sending_call):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await agrees(amina, picture)
    sending = Sending(peer, picture)
    await sending.asks()
    await salma.change("pause")
    await amina.until(lambda: amina.snapshot["room"] == "paused")
    sending.sends(0, 4 * STEP)
    assert (await sending.asks())["have"] == 0
    await salma.change("identify", how="known")
    await salma.change("resume")
    await amina.until(lambda: amina.snapshot["room"] == "in-session")

    await sending.to_the_end()


async def test_whoever_was_asked_may_say_no_and_the_specialist_may_take_it_back(sending_call):
    salma, amina, peer = sending_call
    first, second = await asked(salma, amina), await asked(salma, amina)
    await agrees(amina, second)
    sending = Sending(peer, second)
    await sending.asks()
    sending.sends(0, 4 * STEP)
    await amina.change("picture_end", picture=first)
    await salma.change("picture_end", picture=second)
    await salma.until(lambda: states(salma) == {"refused", "cancelled"})

    assert (await agrees(amina, first))["code"] == "picture_over"
    assert (await sending.asks())["refused"] == "over"
    async with asyncio.timeout(5):
        while pictures.sent_path(second).exists():
            await asyncio.sleep(0.02)


async def test_no_more_than_three_are_asked_of_one_person_at_once(sending_call):
    salma, amina, _peer = sending_call
    for _ in range(rules.MAX_OPEN_PICTURES):
        await asked(salma, amina)
    refused = await salma.change("picture_ask", participant=amina.id, site="eye", side="none")

    assert refused["code"] == "picture_many"


# --- afterwards


async def test_what_was_never_whole_goes_and_what_is_kept_stays(sending_call, folder):
    salma, amina, peer = sending_call
    done, open_ = await asked(salma, amina), await asked(salma, amina)
    await agrees(amina, done)
    await Sending(peer, done).to_the_end()
    await is_kept(done)
    await agrees(amina, open_)
    sending = Sending(peer, open_)
    await sending.asks()
    sending.sends(0, 2 * STEP)
    await sending.word("have")
    await salma.change("identify", how="known")
    await salma.change("finish", mode="video")
    stray = folder / str(uuid4())
    stray.mkdir()

    await asyncio.to_thread(tasks.attend_pictures)
    found = {str(row.pk): row.state async for row in Picture.objects.all()}
    assert found == {done: "ready", open_: "cancelled"}
    assert pictures.kept_path(done).exists()
    assert not pictures.folder(open_).exists()
    assert stray.exists()  # for a day: a row may be on its way


async def test_an_asking_that_nobody_answers_is_over_after_its_time(sending_call, clock):
    salma, amina, _peer = sending_call
    picture = await asked(salma, amina)
    clock.move(rules.PICTURE_LIMIT + timedelta(minutes=1))
    await asyncio.to_thread(tasks.attend_pictures)

    assert (await Picture.objects.aget(pk=picture)).state == "cancelled"


async def test_what_is_no_picture_is_told_so(sending_call):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    fake = b"%PDF" + bytes(9000)
    await agrees(amina, picture, fake)
    await Sending(peer, picture, fake).to_the_end()
    row = await is_kept(picture)
    await salma.until(lambda: states(salma) == {"failed"})

    assert row.state == "failed"
    await asyncio.to_thread(tasks.attend_pictures)
    assert not pictures.folder(picture).exists()


async def test_it_is_read_by_those_who_may_read_the_visit_and_every_reading_is_kept(
    sending_call, cast, visit
):
    salma, amina, peer = sending_call
    picture = await asked(salma, amina)
    await agrees(amina, picture)
    await Sending(peer, picture).to_the_end()
    await is_kept(picture)

    def read():
        doctor, stranger = Client(), Client()
        doctor.force_login(cast.salma)
        stranger.force_login(cast.hassan)
        url = reverse("consultations:picture", args=[picture])
        seen = doctor.get(url)
        assert seen["Content-Type"] == "image/jpeg"
        assert "no-store" in seen["Cache-Control"]
        assert PLACE not in seen.content
        assert pixels(seen.content) == pixels(PHOTO)
        assert stranger.get(url).status_code in (403, 404)
        page = doctor.get(reverse("consultations:pictures", args=[visit.pk]))
        assert url in page.content.decode()
        doctor.post(reverse("consultations:picture_void", args=[picture]), {"reason": "Blurred"})
        assert doctor.get(url).status_code == 404
        return list(
            Event.objects.filter(action__startswith="picture.").values_list("action", flat=True)
        )

    actions = await asyncio.to_thread(read)
    assert {"picture.open", "picture.read", "picture.void"} <= set(actions)
    assert await Room.objects.acount() == 1
    row = await Picture.objects.aget(pk=picture)
    assert (row.void_reason, row.state) == ("Blurred", "ready")
    assert pictures.kept_path(picture).exists()
