"""From packets on the disk to a film that is played: who may, what is kept of it, and its end."""

import io
from datetime import timedelta
from uuid import uuid4

import av
import pytest
from django.test import AsyncClient, Client
from django.urls import reverse

from consultations import processes, recording_files, recordings, tasks
from consultations.access import seat_for
from consultations.actions import recording as actions
from consultations.actions.entering import enter
from consultations.models import Recording
from telemed.accounts.access import viewer_of
from telemed.audit.models import Event
from telemed.celery import app
from telemed.desk import purge
from telemed.lib import clock
from telemed.lib.sealed_file import SealedWriter, new_key
from tests import make
from tests.consultations.packets import seen, spoken, written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path, monkeypatch):
    settings.RECORDINGS_DIR = tmp_path / "recordings"
    monkeypatch.setitem(app.conf, "task_always_eager", True)
    return settings.RECORDINGS_DIR


@pytest.fixture
def taken(cast, visit) -> Recording:
    """Recorded of Dr Salma and Amina, and let go of by the media process."""
    salma, amina = (
        enter(seat_for(viewer_of(user, clock.now()), visit.pk), uuid4())
        for user in (cast.salma, cast.amina_user)
    )
    row = Recording.objects.create(
        organisation=visit.organisation,
        consultation=salma.room.consultation,
        state="stopped",
        started_by=cast.salma,
        stopped_at=clock.now(),
        written_at=clock.now(),
        key=new_key(),
    )
    here = [spoken(str(salma.pk), 0), seen(str(salma.pk), 1), seen(str(amina.pk), 2)]
    packets = sorted((p for one in here for p in one), key=lambda packet: packet.arrival)
    with SealedWriter(
        recordings.packets_path(row.pk), row.key, recordings.packets_name(row.pk)
    ) as file:
        file.write(written(packets))
    return row


@pytest.fixture
def ready(taken) -> Recording:
    tasks.make_films(str(taken.pk))
    taken.refresh_from_db()
    return taken


def film_url(recording, number=0):
    return reverse("consultations:film", args=[recording.pk, number])


def signed_in(user, kind=Client):
    client = kind()
    client.force_login(user)
    return client


async def got(user, recording, number=0, **headers):
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(film_url(recording, number), headers=headers)
    body = b"".join([part async for part in answer]) if answer.streaming else answer.content
    return answer, body


def test_packets_become_films_that_decode_and_then_go(ready, folder):
    assert ready.state == "ready"
    assert [film["kind"] for film in ready.films] == ["person", "person"]
    assert not recordings.packets_path(ready.pk).exists()
    for number, film in enumerate(ready.films):
        raw = recordings.film_path(ready.pk, number).read_bytes()
        assert b"webm" not in raw
        assert film["seconds"] == pytest.approx(4, abs=0.2)
        assert len(film["sha256"]) == 64


async def test_who_closes_it_stops_a_film_that_is_being_played(ready, cast, monkeypatch):
    monkeypatch.setattr(recording_files, "ASKED_EVERY_BYTES", 1)
    client = AsyncClient()
    await client.aforce_login(cast.salma)
    answer = await client.get(film_url(ready))
    parts = [await anext(answer.streaming_content)]
    await Recording.objects.filter(pk=ready.pk).aupdate(state="closed")
    parts += [part async for part in answer.streaming_content]

    assert sum(map(len, parts)) < int(answer["Content-Length"])


async def test_a_film_plays_for_the_specialist_who_took_it(ready, cast):
    played = {}
    for number in range(2):
        answer, body = await got(cast.salma, ready, number)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store, private"
        with av.open(io.BytesIO(body)) as container:
            played[number] = {stream.type for stream in container.streams}
            assert len(list(container.decode(video=0))) == 60
    assert sorted(played.values(), key=len) == [{"video"}, {"audio", "video"}]
    kept = [event async for event in Event.objects.filter(action="recording.play")]
    assert [event.actor for event in kept] == [cast.salma.pk] * 2


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-99999999", 206, slice(5, None)),
        ("pieces=1-2", 200, slice(None)),
        ("bytes=1-2,4-5", 200, slice(None)),
        ("bytes=9-5", 416, slice(0, 0)),
        ("bytes=99999999-", 416, slice(0, 0)),
    ],
)
async def test_a_part_is_sent_where_a_part_is_asked_for(ready, cast, asked, status, part):
    _, whole = await got(cast.salma, ready)
    answer, body = await got(cast.salma, ready, range=asked)

    assert answer.status_code == status
    assert body == whole[part]
    if status == 206:
        first = part.indices(len(whole))[0]
        assert answer["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/{len(whole)}"
        assert int(answer["Content-Length"]) == len(body)


def test_going_on_with_a_film_is_kept_once(ready, cast):
    client = signed_in(cast.salma)
    for part in ("bytes=0-9", "bytes=10-", "bytes=3-"):
        client.get(film_url(ready), headers={"range": part})

    assert Event.objects.filter(action="recording.play").count() == 1


def test_the_patient_plays_it_only_after_it_was_handed_over(ready, cast, visit):
    patient, specialist = signed_in(cast.amina_user), signed_in(cast.salma)
    page = reverse("consultations:recordings", args=[visit.pk])
    assert patient.get(film_url(ready)).status_code == 404
    assert film_url(ready) not in patient.get(page).text
    assert film_url(ready) in specialist.get(page).text

    specialist.post(reverse("consultations:recording_release", args=[ready.pk]))

    assert patient.get(film_url(ready)).status_code == 200
    assert film_url(ready) in patient.get(page).text
    assert Event.objects.filter(action="recording.release").count() == 1


def test_nobody_else_plays_it(ready, cast):
    for user in (cast.youssef, cast.brahim, cast.karim, cast.omar, cast.nadia):
        assert signed_in(user).get(film_url(ready)).status_code in (403, 404)
    assert Client().get(film_url(ready)).status_code == 302


def test_a_representative_plays_what_they_may_read_and_closes_what_they_may_consent_to(ready, cast):
    actions.release(ready, viewer_of(cast.salma, clock.now()).actor("specialist"))
    row = make.representative(cast.amina, cast.fatima)
    row.may_read, row.may_consent = False, True
    row.save()
    fatima = signed_in(cast.fatima)
    assert fatima.get(film_url(ready)).status_code == 404

    fatima.post(reverse("consultations:recording_close", args=[ready.pk]))

    ready.refresh_from_db()
    assert (ready.state, ready.closed_by) == ("closed", cast.fatima)


@pytest.mark.parametrize("who", ["salma", "amina_user"])
def test_what_is_closed_is_closed_to_everybody_at_once_and_soon_gone(ready, cast, folder, who):
    signed_in(getattr(cast, who)).post(reverse("consultations:recording_close", args=[ready.pk]))

    for user in (cast.salma, cast.amina_user):
        assert signed_in(user).get(film_url(ready)).status_code == 404
    tasks.attend_recordings()
    ready.refresh_from_db()
    assert (ready.state, bytes(ready.key), ready.films) == ("deleted", b"", [])
    assert not list(folder.iterdir())
    assert Event.objects.filter(action="recording.delete").get().code == "closed"


def test_closed_while_films_are_made_it_stays_closed(taken, cast):
    claimed = actions.claim(taken.pk)
    actions.close(taken, cast.salma, viewer_of(cast.salma, clock.now()).actor("specialist"))

    assert not actions.made(claimed, [])
    tasks.attend_recordings()
    taken.refresh_from_db()
    assert taken.state == "deleted"


def test_a_film_is_made_once(taken):
    assert actions.claim(taken.pk) is not None
    assert actions.claim(taken.pk) is None


def test_nothing_taken_leaves_nothing(taken):
    recordings.packets_path(taken.pk).unlink()
    tasks.make_films(str(taken.pk))
    taken.refresh_from_db()
    assert taken.state == "deleted"


def test_of_a_process_that_was_killed_what_it_had_written_is_kept(taken, visit):
    make.records(visit.organisation)
    process = processes.register("m1")
    Recording.objects.filter(pk=taken.pk).update(
        state="recording", written_at=None, stopped_at=None, process=process, epoch=process.epoch
    )
    tasks.attend_recordings()
    taken.refresh_from_db()
    assert taken.state == "recording", "it lives"

    path = recordings.packets_path(taken.pk)
    path.write_bytes(path.read_bytes()[:-3000])  # the end was not written
    processes.retire(process.pk, process.epoch)
    tasks.attend_recordings()
    taken.refresh_from_db()
    assert (taken.state, taken.why) == ("ready", "lost")
    assert taken.films


def test_a_changed_file_makes_no_film(taken):
    path = recordings.packets_path(taken.pk)
    raw = bytearray(path.read_bytes())
    raw[200] ^= 1
    path.write_bytes(raw)
    tasks.make_films(str(taken.pk))
    taken.refresh_from_db()
    assert taken.state == "muxing"


def test_the_films_go_after_their_own_period(ready, settings, folder):
    purge.purge()
    ready.refresh_from_db()
    assert ready.state == "ready"
    Recording.objects.update(stopped_at=clock.now() - settings.RECORDING_KEPT - timedelta(days=1))
    purge.purge()
    ready.refresh_from_db()
    assert ready.state == "deleted"
    assert not recordings.folder(ready.pk).exists()
    assert Event.objects.filter(action="recording.delete").get().code == "period"


def test_files_without_a_row_go_once_they_are_old(ready, folder, clock):
    orphan = folder / "somebody-elses"
    orphan.mkdir()
    tasks.attend_recordings()
    assert orphan.exists()
    clock.move(timedelta(days=2))
    tasks.attend_recordings()
    assert not orphan.exists()
    assert recordings.folder(ready.pk).exists()
