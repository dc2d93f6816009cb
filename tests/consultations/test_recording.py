"""Recording through the room's own socket: who is asked, when it runs, what reaches the disk."""

import asyncio
import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest

from consultations import facts as room_facts
from consultations import meter, recordings
from consultations.models import Recording, RecordingConsent, Room
from consultations.sfu import record
from scheduling.actions.link import issue_link
from telemed.accounts.models import Organisation
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event
from telemed.lib.sealed_file import SealedReader
from tests import make
from tests.consultations.callers import (
    guest_of,
    in_thread,
    recording_shown,
    recording_words,
    words,
)
from tests.consultations.media import connected, hears


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.RECORDINGS_DIR = tmp_path / "recordings"
    return settings.RECORDINGS_DIR


@pytest.fixture
def recording_site(visit):
    return make.records(visit.organisation)


@pytest.fixture
async def call(recording_site, call):
    """Dr Salma and Amina in the call with media, at a site that records; nobody was asked yet."""
    return call


async def agrees(caller, subject="", **fields):
    said = recording_words(sha256=await in_thread(recording_shown, caller.id)) | fields
    return await caller.change("record_consent", subject=subject or caller.id, **said)


@pytest.fixture
async def recorded(call):
    """The same, recorded: everybody has agreed."""
    salma, amina, doctor, _patient = call
    await salma.change("record_ask")
    await agrees(salma)
    await agrees(amina)
    assert (await salma.change("record_start"))["type"] == "done"
    await salma.until(lambda: salma.snapshot["recording"]["on"])
    await amina.until(lambda: amina.snapshot["recording"]["on"])
    await hears(doctor, 60)
    return call


async def is_over(caller) -> str:
    """Waits for the end; why, as everybody is told."""
    await caller.until(lambda: not caller.snapshot["recording"]["on"])
    return str(caller.snapshot["recording"]["why"])


async def on_disk_if_any(row: Recording) -> list[record.RecordedPacket]:
    return await on_disk() if recordings.packets_path(row.pk).exists() else []


async def on_disk() -> list[record.RecordedPacket]:
    """What of the newest recording stands in its file, once the writer let go of it."""
    async with asyncio.timeout(5):
        while (row := await Recording.objects.alast()).written_at is None:
            await asyncio.sleep(0.05)

    def read() -> list[record.RecordedPacket]:
        path, name = recordings.packets_path(row.pk), recordings.packets_name(row.pk)
        reader = SealedReader(path, row.key, name)
        return list(record.read(reader.read(0, reader.size)))

    return await in_thread(read)


async def test_it_runs_once_everybody_has_agreed_and_everybody_is_told(call):
    salma, amina, doctor, patient = call
    assert salma.snapshot["recording"]["offered"]
    await salma.change("record_ask")
    await amina.until(lambda: amina.snapshot["recording"]["asked"])
    assert [one["name"] for one in amina.snapshot["recording"]["here"]] == ["Amina El Idrissi"]
    await agrees(salma)

    assert (await salma.change("record_start"))["code"] == "recording_unconsented"
    await agrees(amina)
    await salma.change("record_start")
    await amina.until(lambda: amina.snapshot["recording"]["on"])
    await hears(doctor, 60)
    await salma.change("record_stop")

    assert await is_over(amina) == "stopped"
    packets = await on_disk()
    assert {packet.track.peer_id for packet in packets} == {salma.id, amina.id}
    sent = {doctor.audio_ssrc, doctor.video_ssrc, patient.audio_ssrc, patient.video_ssrc}
    assert {packet.track.ssrc for packet in packets} == sent
    row = await RecordingConsent.objects.aget(participant=amina.id)
    assert (row.purpose, row.reference, row.how) == ("Formation", "D-77/2026", "tapped")
    actions = [event.action async for event in Event.objects.order_by("id")]
    assert {"recording.ask", "recording.given", "recording.start", "recording.stop"} <= {*actions}


async def test_nothing_readable_reaches_the_disk(recorded, folder):
    salma, _, doctor, patient = recorded
    await salma.change("record_stop")
    await on_disk()
    raw = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    assert raw
    for peer in (doctor, patient):
        assert peer.audio_ssrc.to_bytes(4) not in raw
    assert salma.id.encode() not in raw


async def test_a_site_that_has_not_enabled_it_offers_nothing(cast, visit, enter):
    salma = await enter(cast.salma, visit)

    assert salma.snapshot["recording"] is None
    assert (await salma.change("record_ask"))["code"] == "recording_off"
    assert (await agrees(salma))["code"] == "recording_off"
    assert (await salma.change("record_start"))["code"] == "recording_off"


@pytest.mark.parametrize("lacking", ["recording_reference", "recording_purpose"])
async def test_enabled_without_purpose_or_reference_is_not_enabled(
    cast, recording_site, visit, enter, lacking
):
    empty = {"recording_reference": "", "recording_purpose": {"fr": " "}}[lacking]
    await Organisation.objects.filter(pk=visit.organisation_id).aupdate(**{lacking: empty})
    salma = await enter(cast.salma, visit)

    assert salma.snapshot["recording"] is None


async def test_who_is_off_camera_counts_and_a_new_person_ends_it(recorded):
    salma, amina, doctor, _patient = recorded
    mother = str(uuid4())

    await amina.change("declare", person=mother, name="Rkia", capacity="mother", on_camera=False)

    assert await is_over(salma) == "unconsented"
    assert salma.snapshot["recording"]["missing"] == ["Rkia"]
    before = len(await on_disk())
    await hears(doctor, 40)
    assert len(await on_disk()) == before
    assert (await salma.change("record_start"))["code"] == "recording_unconsented"
    assert (await agrees(salma, mother))["code"] == "not_allowed"
    assert (await agrees(amina, mother, how="spoken"))["code"] == "not_allowed"
    assert (await agrees(amina, mother))["type"] == "done"
    assert (await salma.change("record_start"))["type"] == "done"


async def test_somebody_under_age_at_an_end_has_a_guardian_there(recorded):
    _, amina, *_ = recorded
    mother, child = str(uuid4()), str(uuid4())
    for person, name in ((mother, "Rkia"), (child, "Aya")):
        await amina.change("declare", person=person, name=name, capacity="family", on_camera=True)

    await agrees(amina, child, speaker=mother)
    assert (await agrees(amina, mother, speaker=str(uuid4())))["code"] == "not_allowed"
    await agrees(amina, mother)

    row = await RecordingConsent.objects.aget(person=child)
    assert str(row.spoken_by_id) == mother


async def test_of_who_joins_without_consent_not_one_packet_is_kept(recorded, visit, enter, folder):
    salma, _amina, doctor, _patient = recorded
    link = await in_thread(issue_link, visit, "companion", SYSTEM, name="Moha")
    moha = await enter(await in_thread(guest_of, link), visit)
    await moha.change("consent", participant=moha.id, **words(patient=False))
    await salma.change("admit", participant=moha.id)
    await moha.until(lambda: moha.state == "admitted")
    theirs = await connected(moha)
    await hears(doctor, 100)

    assert await is_over(salma) == "unconsented"
    packets = await on_disk()
    assert packets
    assert moha.id not in {packet.track.peer_id for packet in packets}
    assert not {theirs.audio_ssrc, theirs.video_ssrc} & {packet.track.ssrc for packet in packets}
    theirs.kill()


async def test_who_agrees_before_the_start_is_recorded_when_they_come_back(recorded, cast, visit):
    salma, amina, doctor, patient = recorded
    patient.kill()
    again = await connected(amina)
    await hears(doctor, 100)
    await salma.change("record_stop")

    heard = {packet.track.ssrc for packet in await on_disk()}
    assert {again.audio_ssrc, again.video_ssrc} & heard
    again.kill()


@pytest.mark.parametrize(("keep", "state"), [(True, "stopped"), (False, "closed")])
async def test_who_takes_it_back_chooses_what_becomes_of_it(recorded, keep, state):
    salma, amina, *_ = recorded

    await amina.change("record_withdraw", subject=amina.id, keep=keep)

    assert await is_over(salma) == "withdrawn"
    row = await Recording.objects.aget()
    assert (row.state, row.why) == (state, "withdrawn")
    assert (row.closed_at is None) == keep
    assert (await salma.change("record_start"))["code"] == "recording_unconsented"
    assert salma.snapshot["recording"]["taken"] == keep


async def test_nobody_takes_it_back_for_somebody_at_the_other_end(recorded):
    salma, amina, *_ = recorded

    refused = await amina.change("record_withdraw", subject=salma.id, keep=False)

    assert refused["code"] == "not_allowed"
    assert (await Recording.objects.aget()).state == "recording"
    assert salma.snapshot["recording"]["on"]


@pytest.mark.parametrize("what", ["pause", "finish"])
async def test_it_ends_with_the_visit_or_its_pause(recorded, what):
    salma, _amina, *_ = recorded
    await salma.change("identify", how="known")
    await salma.change(what, **({"mode": "video"} if what == "finish" else {}))

    await on_disk()
    row = await Recording.objects.aget()
    assert (row.state, row.why) == ("stopped", "room")


async def test_a_minor_is_recorded_by_their_representatives_word(call, cast):
    _, amina, *_ = call
    cast.amina.birth_date = "2020-01-01"
    await cast.amina.asave()

    assert (await agrees(amina))["code"] == "representative_needed"
    assert (await agrees(amina, decision="refused"))["type"] == "done"


async def test_a_server_that_cannot_keep_up_says_so_and_the_call_goes_on(call, monkeypatch):
    salma, amina, doctor, patient = call
    monkeypatch.setattr(record, "MAX_WAITING", 0)
    await agrees(salma)
    await agrees(amina)
    await salma.change("record_start")
    await salma.until(lambda: salma.snapshot["recording"]["why"] == "overload")

    assert not salma.snapshot["recording"]["on"]
    await hears(patient, 40)
    await hears(doctor, 40)


async def test_a_process_whose_calls_suffer_records_no_more(recorded, call, monkeypatch):
    salma, _amina, doctor, patient = call
    monkeypatch.setattr(meter, "STRAINED_CPU", 0.0)
    await salma.until(lambda: salma.snapshot["recording"]["why"] == "overload")

    assert not salma.snapshot["recording"]["on"]
    await hears(patient, 40)
    await hears(doctor, 40)


async def test_a_server_that_ends_leaves_a_whole_file(recorded, process):
    _salma, _amina, *_ = recorded
    process.rooms.engine.end_room(str((await Room.objects.aget()).pk))

    packets = await on_disk()
    assert packets
    assert (await Recording.objects.aget()).why == "empty"


async def test_what_another_epoch_began_is_not_continued(recorded):
    salma, amina, *_ = recorded
    await salma.change("record_stop")
    await is_over(amina)
    row = await Recording.objects.aget()
    older = await Recording.objects.acreate(
        organisation_id=row.organisation_id, consultation_id=row.consultation_id, epoch=0
    )
    await salma.say("snapshot")
    async with asyncio.timeout(5):
        # Two writes, in either order.
        while older.written_at is None or older.state == "recording":
            await asyncio.sleep(0.05)
            await older.arefresh_from_db()

    assert (older.state, older.why) == ("stopped", "lost")
    assert not recordings.packets_path(older.pk).exists()


@pytest.fixture
async def held(monkeypatch):
    """Holds every reading of the room that finds a recording back, once it is made, until told."""
    go, reached, loop = threading.Event(), asyncio.Event(), asyncio.get_running_loop()
    load = room_facts.load

    def loaded(room_id):
        facts = load(room_id)
        if facts.recorded.running is not None:
            loop.call_soon_threadsafe(reached.set)
            go.wait(10)
        return facts

    monkeypatch.setattr(room_facts, "load", loaded)
    return SimpleNamespace(reached=reached, go=go.set)


@pytest.mark.parametrize("said", ["withdraw", "record_withdraw", "record_consent", "declare"])
async def test_what_is_said_while_it_begins_is_heard(call, held, process, said):
    """The process has read that it may record, and is about to; the word against it comes first."""
    salma, amina, doctor, _patient = call
    await agrees(salma)
    await agrees(amina)
    await salma.change("record_start")
    async with asyncio.timeout(5):
        await held.reached.wait()
    fields = {
        "withdraw": {"participant": amina.id},
        "record_withdraw": {"subject": amina.id, "keep": True},
        "record_consent": {"subject": amina.id, **recording_words("refused")},
        "declare": {"person": str(uuid4()), "name": "Rkia", "capacity": "aunt", "on_camera": True},
    }[said]
    if said == "record_consent":
        fields["text_sha256"] = await in_thread(recording_shown, amina.id)
    (room,) = process.rooms
    word = asyncio.create_task(amina.change(said, **fields))
    await amina.until(lambda: any(stop.recording for stop in room.stops.values()))
    held.go()
    assert (await word)["type"] == "done"
    if said != "withdraw":
        await hears(doctor, 20)

    row = await Recording.objects.aget()
    assert row.state == "stopped"
    assert await on_disk_if_any(row) == []


async def test_who_may_not_be_seen_is_not_recorded_either(recorded):
    salma, amina, *_ = recorded

    await amina.change("withdraw", participant=amina.id)

    assert await is_over(salma) == "withdrawn"
    await amina.until(lambda: amina.snapshot["recording"]["here"][0]["taken"])
    await amina.change("consent", participant=amina.id, **words())
    assert (await salma.change("record_start"))["code"] == "recording_unconsented"
    await amina.change("record_withdraw", subject=amina.id, keep=False)
    assert (await Recording.objects.aget()).state == "closed"
    await amina.until(lambda: not amina.snapshot["recording"]["here"][0]["taken"])


async def test_other_words_are_agreed_to_anew(call):
    salma, amina, *_ = call
    before = await in_thread(recording_shown, amina.id)
    await agrees(salma)
    await Organisation.objects.aupdate(recording_purpose={"fr": "Recherche"})

    said = recording_words(sha256=before)
    assert (await amina.change("record_consent", subject=amina.id, **said))["code"] == "stale_text"
    await agrees(amina)
    assert (await salma.change("record_start"))["code"] == "recording_unconsented"
    await agrees(salma)
    assert (await salma.change("record_start"))["type"] == "done"


async def test_what_is_asked_is_told_in_full(call):
    salma, amina, *_ = call
    await salma.change("record_ask")
    await amina.until(lambda: amina.snapshot["recording"]["text"])

    told = amina.snapshot["recording"]["text"]
    assert "Formation" in told["words"]
    assert "D-77/2026" in told["words"]
    said = recording_words(sha256=told["sha256"])
    assert (await amina.change("record_consent", subject=amina.id, **said))["type"] == "done"


@pytest.mark.parametrize(
    "changed", [{"recording_enabled": False}, {"recording_purpose": {"fr": "Recherche"}}]
)
async def test_a_site_that_allows_it_no_more_ends_it(recorded, visit, changed):
    salma, *_ = recorded
    site = await Organisation.objects.aget(pk=visit.organisation_id)
    for name, value in changed.items():
        setattr(site, name, value)

    await in_thread(site.save)

    assert await is_over(salma) == "off"


async def test_somebody_else_under_the_same_entry_was_never_asked(recorded):
    salma, amina, *_ = recorded
    person = {"person": str(uuid4()), "capacity": "mother", "on_camera": False}
    await amina.change("declare", name="Rkia", **person)
    await agrees(amina, person["person"])
    assert (await salma.change("record_start"))["type"] == "done"
    await amina.change("declare", name="Rkia", **person)
    await salma.until(lambda: salma.snapshot["recording"]["on"])

    await amina.change("declare", name="Moha", **person)

    assert await is_over(salma) in {"unconsented", "withdrawn"}
    assert (await salma.change("record_start"))["code"] == "recording_unconsented"


async def test_with_the_lease_everything_is_let_go(recorded, process):
    await process.rooms.abandon(str((await Room.objects.aget()).pk))

    assert await on_disk()
    assert (await Recording.objects.aget()).why == "lost"
