"""The pages of a call's record and of places' connections, and what may be stored for them."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from consultations import tickets
from consultations.actions.entering import open_visit
from consultations.models import CallRecord, ConnectionTest, Consultation, Participant
from scheduling.actions.link import issue_link
from scheduling.links import code, token
from scheduling.models import Appointment
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event
from telemed.desk.purge import file_of
from telemed.lib import clock as real_clock
from tests import make
from tests.consultations.callers import Caller, accepted
from tests.sfu.peer import PacketPeer

MEASURED = {
    "verdict": "fair",
    "expected_mode": "small",
    "kbit_up": "310",
    "kbit_down": "290",
    "round_trip_ms": "180",
    "loss": "0.03",
}


@pytest.fixture
def at_imilchil(cast):
    assert cast.brahim
    assert cast.karim
    return make.appointment(
        cast.amina,
        cast.at_imilchil,
        real_clock.now() - timedelta(minutes=30),
        reason="Palpitations",
    )


def person(visit, role, **fields):
    now = real_clock.now()
    return Participant.objects.create(
        organisation=visit.organisation,
        room=open_visit(visit),
        role=role,
        name="…",
        waiting_since=now - timedelta(minutes=20),
        admitted_at=now - timedelta(minutes=20),
        **fields,
    )


def session(one, **fields):
    began = real_clock.now() - timedelta(minutes=20)
    numbers = {
        "started_at": began,
        "connected_at": began,
        "ended_at": began + timedelta(minutes=15),
        "seen_at": began + timedelta(minutes=15),
        "ending": "finished",
        "path": "ipv4",
        "device": "phone",
        "browser": "Chrome",
        "round_trip_ms": 210,
        "worst_round_trip_ms": 640,
        "loss_up": 0.01,
        "loss_down": 0.02,
        "bytes_up": 31_000_000,
        "bytes_down": 44_000_000,
        "modes": [[0.5, "full"], [300.0, "voice"], [420.0, "small"]],
        "gaps": [[290.0, 6.5]],
    }
    return CallRecord.objects.create(participant=one, **numbers | fields)


@pytest.fixture
def troubled(at_imilchil, cast):
    session(person(at_imilchil, "specialist", user=cast.salma), modes=[[0.5, "full"]], gaps=[])
    session(person(at_imilchil, "presenter", user=cast.brahim), loss_up=0.14)
    return at_imilchil


def page(client, user, path, language="en", **headers):
    client.force_login(user)
    client.cookies["django_language"] = language
    answer = client.get(path, headers={"Accept-Language": language, **headers})
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_coordinator_reads_what_was_wrong_and_nothing_clinical(client, cast, troubled):
    shown = page(client, cast.karim, f"/visit/{troubled.pk}/call/")
    assert "Presenter: the network lost 14 % of sound and picture." in shown
    assert "Palpitations" not in shown
    assert Event.objects.filter(action="call.read", patient=troubled.patient_id).count() == 1


def test_the_silence_before_the_end_is_no_break(client, cast, at_imilchil):
    session(person(at_imilchil, "specialist", user=cast.salma), modes=[[0.5, "full"]], gaps=[])
    told = {"ending": "timeout", "modes": [[0.5, "full"]], "gaps": [[872.0, 28.0]]}
    session(person(at_imilchil, "presenter", user=cast.brahim), **told)
    address = f"/visit/{at_imilchil.pk}/call/"
    lost = "Presenter: the connection was lost and did not come back."
    assert lost in page(client, cast.karim, address)
    Consultation.objects.update(status="finished")
    assert "No trouble with sound or picture was seen." in page(client, cast.karim, address)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ([300.0, "voice"], "the network carried no moving picture for 67 % of the time."),
        ([300.0, "voice", True], "No trouble with sound or picture was seen."),
    ],
)
def test_voice_only_by_choice_is_no_fault_of_the_network(client, cast, at_imilchil, step, told):
    session(person(at_imilchil, "specialist", user=cast.salma), modes=[[0.0, "full"]], gaps=[])
    session(
        person(at_imilchil, "presenter", user=cast.brahim), modes=[[0.0, "full"], step], gaps=[]
    )
    shown = page(client, cast.karim, f"/visit/{at_imilchil.pk}/call/")
    assert told in shown
    assert "Full picture 5 minutes, Voice only 10 minutes" in shown


def test_the_picture_is_drawn_without_style_and_told_in_words(client, cast, troubled):
    shown = page(client, cast.karim, f"/visit/{troubled.pk}/call/")
    drawing = shown[shown.index('<svg width="100%"') :].split("</svg>")[0]
    assert "style=" not in drawing
    assert 'direction="ltr"' in drawing
    assert re.search(r"<title.*</title>\s*<desc", drawing, re.S)
    assert "Full picture 5 minutes" in drawing
    assert drawing.count('class="mode gap"') == 1
    assert {"full", "voice", "small"} <= set(re.findall(r'class="mode (\w+)"', drawing))
    # A decimal comma would draw nothing.
    french = page(client, cast.karim, f"/visit/{troubled.pk}/call/", "fr")
    assert re.findall(r'<rect class="mode \w+" x="(\d+\.\d\d%)"', french)
    arabic = page(client, cast.karim, f"/visit/{troubled.pk}/call/", "ar")
    assert 'x="100%"' in arabic
    assert re.findall(r'rect class="mode \w+" x="([^"]+)"', arabic) == re.findall(
        r'rect class="mode \w+" x="([^"]+)"', french
    )


def test_the_appointments_page_brings_it_in_for_those_who_may(client, cast, troubled):
    address = f"/visit/{troubled.pk}/call/"
    for user in (cast.karim, cast.salma, cast.brahim):
        assert f'hx-get="{address}"' in page(client, user, f"/appointments/{troubled.pk}/")
    assert address not in page(client, cast.amina_user, f"/appointments/{troubled.pk}/")
    fragment = page(client, cast.karim, address, **{"HX-Request": "true"})
    assert "<html" not in fragment
    assert "call-drawing" in fragment


def test_the_coordinators_day_tells_of_it(client, cast, clock):
    now = real_clock.now()
    clock.move(now.replace(hour=12, minute=0, second=0, microsecond=0) - now)
    visit = make.appointment(cast.amina, cast.at_imilchil, real_clock.now() - timedelta(minutes=30))
    session(person(visit, "specialist", user=cast.salma))
    session(person(visit, "presenter"), ending="shutdown", ended_at=None)
    shown = page(client, cast.karim, "/")
    assert "The video service was interrupted during the call." in shown
    assert f"/visit/{visit.pk}/call/" in shown


def test_a_visit_without_a_call_says_so(client, cast):
    assert "There has been no call yet." in page(
        client, cast.karim, f"/visit/{later(cast).pk}/call/"
    )


@pytest.mark.parametrize(
    ("consultation", "appointment", "told"),
    [
        ({}, {}, "Patient: did not come."),
        ({"status": "finished", "mode": "video"}, {}, "Patient: did not come."),
        # The telephone reached whom the room did not see.
        ({"status": "finished", "mode": "telephone"}, {}, None),
        ({}, {"status": "cancelled"}, None),
    ],
)
def test_who_never_entered_did_not_come_unless_telephoned_or_cancelled(
    client, cast, at_imilchil, consultation, appointment, told
):
    person(at_imilchil, "specialist", user=cast.salma)
    Consultation.objects.update(**consultation)
    over = {"ends_at": real_clock.now() - timedelta(minutes=1)}
    Appointment.objects.update(**over | appointment)
    shown = page(client, cast.karim, f"/visit/{at_imilchil.pk}/call/")
    assert "There has been no call yet." in shown if told is None else told in shown


def later(cast):
    return make.appointment(cast.amina, cast.at_imilchil, real_clock.now() + timedelta(hours=2))


def test_the_record_goes_with_the_patients_file(troubled):
    assert len(file_of(troubled.patient)[CallRecord]) == 2


# Connection tests.


def measure(client, visit, **changed):
    return client.post(f"/visit/{visit.pk}/measured", MEASURED | changed)


def test_a_test_is_kept_for_the_place_and_the_hour_and_nobody(client, cast, at_imilchil):
    client.force_login(cast.brahim)
    assert measure(client, at_imilchil).status_code == 200
    kept = ConnectionTest.objects.get()
    assert (kept.organisation, kept.at_home) == (cast.imilchil, False)
    assert (kept.verdict, kept.expected_mode, kept.kbit_up) == ("fair", "small", 310)
    assert (kept.hour.minute, kept.hour.second, kept.hour.microsecond) == (0, 0, 0)
    named = {field.name for field in ConnectionTest._meta.get_fields()}
    assert not named & {"user", "participant", "patient", "browser", "link", "guest"}


def test_a_specialists_test_speaks_for_where_they_work(client, cast, at_imilchil):
    client.force_login(cast.salma)
    measure(client, at_imilchil)
    assert ConnectionTest.objects.get().organisation == cast.chu


def test_a_patient_at_home_speaks_for_home(client, cast):
    visit = make.appointment(cast.amina, cast.at_home, real_clock.now())
    client.force_login(cast.amina_user)
    measure(client, visit)
    kept = ConnectionTest.objects.get()
    assert (kept.organisation, kept.at_home) == (visit.organisation, True)


def test_a_guest_by_link_is_kept_too_and_from_elsewhere(client, at_imilchil):
    link = issue_link(at_imilchil, "interpreter", SYSTEM, name="Hicham")
    address = f"/v/{token(link)}/"
    assert client.post(f"{address}measured", MEASURED).status_code == 404
    client.post(address, {"code": code(link)})
    assert client.post(f"{address}measured", MEASURED).status_code == 200
    assert ConnectionTest.objects.get().at_home


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "splendid"},
        {"expected_mode": "4k"},
        {"kbit_up": "-1"},
        {"kbit_down": "9999999999"},
        {"round_trip_ms": "fast"},
        {"loss": "2"},
        {"loss": "nan"},
    ],
)
def test_what_no_test_can_find_is_not_kept(client, cast, at_imilchil, wrong):
    client.force_login(cast.brahim)
    answer = measure(client, at_imilchil, **wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
    assert not ConnectionTest.objects.exists()


def test_one_person_does_not_speak_for_a_place_all_day(client, cast, at_imilchil):
    client.force_login(cast.brahim)
    codes = [measure(client, at_imilchil).status_code for _ in range(8)]
    assert codes == [200] * 6 + [429] * 2
    client.force_login(cast.salma)
    assert measure(client, at_imilchil).status_code == 200


async def test_a_test_that_meets_a_busy_service_is_not_said_to_be_tried_again(process):
    server = process.rooms.engine._server
    server.config = replace(server.config, max_handshakes=0)
    tester = Caller(process, tickets.make_for_test(process.name, "en"), uuid4())
    assert await accepted(tester.socket)
    await tester.say("hello", ticket=tester.ticket, protocol=1)
    answer = await tester.change("offer", sdp=PacketPeer(server, "", "").offer())
    assert answer["code"] == "full"
    assert answer["message"].endswith("Please try again in a few minutes.")
    await tester.hang_up()


def made_at(place, hour, *verdicts, **fields):
    day = real_clock.now().replace(hour=hour, minute=0, second=0, microsecond=0)
    for verdict in verdicts:
        ConnectionTest.objects.create(
            organisation=place,
            hour=day - timedelta(days=1),
            verdict=verdict,
            **{"expected_mode": "full", "kbit_up": 1200, "kbit_down": 1100} | fields,
        )


def test_places_are_told_by_hour_the_worst_first(client, cast):
    assert cast.karim
    made_at(cast.imilchil, 9, "good", "good")
    made_at(cast.imilchil, 11, "poor", "good", kbit_up=240, expected_mode="small")
    made_at(cast.van, 9, "lost", "lost", expected_mode="")
    made_at(cast.temara, 9, "good")
    made_at(cast.chu, 9, "good")
    ConnectionTest.objects.create(
        organisation=cast.imilchil, hour=real_clock.now() - timedelta(days=40), verdict="lost"
    )
    shown = page(client, cast.karim, "/operations/connections/")
    assert shown.index("Unité mobile 3") < shown.index("Centre de santé Imilchil")
    assert "Témara" not in shown
    assert "CHU" not in shown
    assert "small picture" in shown
    assert shown.count('scope="row"') == 3
    assert "Témara" in page(client, cast.omar, "/operations/connections/")


def test_without_tests_the_next_step_is_told(client, cast):
    assert "No connection was tested yet" in page(client, cast.karim, "/operations/connections/")


def test_ids_are_not_guessed(client, cast):
    client.force_login(cast.karim)
    assert client.get(f"/visit/{uuid4()}/call/").status_code == 404
