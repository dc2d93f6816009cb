"""The home page of each role: what is on it, what must not be, and that polling is cheap."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from consultations.models import ConsentOverride, Consultation, Participant, ParticipantRole, Room
from scheduling.actions.book import book_at
from scheduling.models import Appointment
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event
from telemed.lib import clock as real_clock
from telemed.messaging.models import Message

pytestmark = pytest.mark.django_db
REASON = "خفقان في القلب"


@pytest.fixture
def noon(clock):
    """The tests' day is not near midnight."""
    now = real_clock.now()
    clock.move(now.replace(hour=12, minute=0, second=0, microsecond=0) - now)
    return clock


@pytest.fixture
def visit(noon, cast):
    """Amina at home with Dr Salma, in ten minutes."""
    return _book(cast.at_home, cast.amina, timedelta(minutes=10))


def _book(service, patient, delay):
    starts_at = real_clock.now().replace(second=0, microsecond=0) + delay
    return book_at(service, starts_at, patient, SYSTEM, reason=REASON, offered_only=False)


def _page(client, user, **headers):
    client.force_login(user)
    answer = client.get("/", **headers)
    assert answer.status_code == 200
    return answer.content.decode()


def _waits(visit, minutes):
    since = real_clock.now() - timedelta(minutes=minutes)
    consultation, _ = Consultation.objects.get_or_create(
        appointment=visit, defaults={"organisation": visit.organisation}
    )
    room, _ = Room.objects.get_or_create(
        consultation=consultation, defaults={"state": Room.State.WAITING}
    )
    return Participant.objects.create(
        organisation=visit.organisation,
        room=room,
        role=ParticipantRole.PATIENT,
        state=Participant.State.WAITING,
        patient=visit.patient,
        name="Amina",
        waiting_since=since,
        last_seen_at=real_clock.now(),
    )


def test_a_stranger_signs_in_first(client, db):
    assert client.get("/").status_code == 302


def test_the_patient_joins_when_the_server_says_so(client, cast, visit):
    assert f"/visit/{visit.pk}/" in _page(client, cast.amina_user)


def test_before_the_window_the_patient_reads_when_it_opens(client, cast, noon):
    visit = _book(cast.at_home, cast.amina, timedelta(hours=2))
    page = _page(client, cast.amina_user)
    assert f"/visit/{visit.pk}/" not in page
    assert "13:45" in page


def test_at_a_centre_the_patient_is_sent_there_and_not_to_a_camera(client, cast, noon):
    visit = _book(cast.at_imilchil, cast.amina, timedelta(minutes=10))
    page = _page(client, cast.amina_user)
    assert f"/visit/{visit.pk}/" not in page
    assert "إملشيل" in page or "Imilchil" in page


def test_without_a_visit_the_next_step_is_told(client, cast):
    assert cast.amina
    assert "/book/" in _page(client, cast.amina_user)


def test_a_representative_sees_the_child(client, cast, noon):
    assert cast.fatima_for_yassine
    visit = _book(cast.at_home, cast.yassine, timedelta(minutes=10))
    page = _page(client, cast.fatima)
    assert f"/visit/{visit.pk}/" in page
    assert "Haddou" in page


def test_the_specialist_accepts_requests_of_any_day_from_one_list(client, cast, noon):
    cast.at_home.needs_confirmation = True
    cast.at_home.save()
    far = _book(cast.at_home, cast.amina, timedelta(days=9))
    near = _book(cast.at_home, cast.yassine, timedelta(days=1))
    page = _page(client, cast.salma)
    assert page.index(f"accept-{near.pk.hex}") < page.index(f"accept-{far.pk.hex}")
    client.post(f"/appointments/{far.pk}/confirm/")
    page = _page(client, cast.salma)
    assert f"accept-{far.pk.hex}" not in page
    assert f"accept-{near.pk.hex}" in page
    cast.dr_youssef  # noqa: B018 made by being named
    assert "accept-" not in _page(client, cast.youssef)


def test_the_specialist_sees_who_waits_and_why(client, cast, visit):
    waits = _waits(visit, 3)
    page = _page(client, cast.salma)
    assert REASON in page
    assert f"/visit/{visit.pk}/#admit={waits.pk}" in page
    assert 'data-alert="1"' in page


def test_a_place_is_not_kept_for_ever(client, cast, visit):
    waits = _waits(visit, 30)
    Participant.objects.update(last_seen_at=real_clock.now() - timedelta(minutes=16))
    assert str(waits.pk) not in _page(client, cast.salma)


def test_a_colleague_sees_nothing_of_it(client, cast, visit):
    assert cast.dr_youssef
    assert "Idrissi" not in _page(client, cast.youssef)


def test_the_presenter_marks_the_first_arrival_once(client, cast, noon):
    visit = _book(cast.at_imilchil, cast.amina, timedelta(minutes=10))
    assert f"/day/arrivals/{visit.pk}/" in _page(client, cast.brahim)
    for _ in range(2):
        assert client.post(f"/day/arrivals/{visit.pk}/").status_code == 302
    visit.refresh_from_db()
    assert visit.status == "arrived"
    assert visit.arrived_at == Appointment.objects.get(pk=visit.pk).arrived_at
    assert f"/day/arrivals/{visit.pk}/" not in _page(client, cast.brahim)
    assert Event.objects.filter(action="appointment.arrive").count() == 1


def test_a_presenter_elsewhere_marks_nothing(client, cast, noon):
    visit = _book(cast.at_imilchil, cast.amina, timedelta(minutes=10))
    client.force_login(cast.hassan)
    assert client.post(f"/day/arrivals/{visit.pk}/").status_code == 404


def test_the_coordinator_sees_times_and_names_never_reasons(client, cast, visit):
    page = _page(client, cast.karim)
    assert "Idrissi" in page
    assert REASON not in page


def test_who_is_late_needs_the_coordinator(client, cast, visit, noon):
    noon.move(timedelta(minutes=16))
    assert f'id="late-{visit.pk.hex}"' in _page(client, cast.karim)


def test_who_waits_long_needs_the_coordinator(client, cast, visit, noon):
    noon.move(timedelta(minutes=21))
    _waits(visit, 21)
    assert f'id="waits-{visit.pk.hex}"' in _page(client, cast.karim)


@pytest.mark.parametrize("room", ["in-session", "paused", "interrupted", "waiting"])
def test_an_unfinished_visit_stands_on_both_lists(client, cast, visit, noon, room):
    """Whatever its room is left in: nobody has been there for a while."""
    waits = _waits(visit, 1)
    Participant.objects.filter(pk=waits.pk).update(admitted_at=real_clock.now(), state="left")
    Room.objects.update(state=room)
    noon.move(timedelta(hours=2))
    assert f'id="unfinished-{visit.pk.hex}"' in _page(client, cast.karim)
    assert f'id="unfinished-{visit.pk.hex}"' in _page(client, cast.salma)


def test_a_visit_that_takes_longer_is_not_unfinished(client, cast, visit, noon):
    waits = _waits(visit, 1)
    Participant.objects.filter(pk=waits.pk).update(admitted_at=real_clock.now(), state="connected")
    Room.objects.update(state="in-session")
    noon.move(timedelta(hours=2))
    Participant.objects.update(last_seen_at=real_clock.now())
    assert f'id="unfinished-{visit.pk.hex}"' not in _page(client, cast.karim)


@pytest.fixture
def emergency(cast, visit):
    consultation = Consultation.objects.create(organisation=visit.organisation, appointment=visit)
    return ConsentOverride.objects.create(
        organisation=visit.organisation,
        consultation=consultation,
        declared_by=cast.salma,
        reason="Convulsions",
    )


def test_an_emergency_without_consent_is_reviewed_once_by_somebody_else(client, cast, emergency):
    page = _page(client, cast.karim)
    assert f"/day/emergencies/{emergency.pk}/" in page
    assert "Convulsions" not in page, "the reason is clinical"

    for _ in range(2):
        client.post(f"/day/emergencies/{emergency.pk}/")

    emergency.refresh_from_db()
    assert emergency.reviewed_by == cast.karim
    assert Event.objects.filter(action="override.review", subject=emergency.pk).count() == 1
    assert "/day/emergencies/" not in _page(client, cast.karim)


def test_nobody_reviews_their_own_emergency(client, cast, emergency):
    ConsentOverride.objects.update(declared_by=cast.karim)
    assert "/day/emergencies/" not in _page(client, cast.karim)
    assert client.post(f"/day/emergencies/{emergency.pk}/").status_code == 404


def test_a_failed_message_is_seen_and_sent_again(client, cast, visit):
    message = Message.objects.filter(kind="appointment.booked").first()
    Message.objects.filter(pk=message.pk).update(state="failed", error="http_400")
    assert f"/day/messages/{message.pk}/" in _page(client, cast.karim)
    client.post(f"/day/messages/{message.pk}/")
    message.refresh_from_db()
    assert message.state == "due"


def test_another_regions_coordinator_reaches_no_message_of_it(client, cast, visit):
    message = Message.objects.first()
    Message.objects.update(state="failed")
    client.force_login(cast.leila)
    page = client.get("/").content.decode()
    if message.organisation == cast.draa.pk:
        assert str(message.pk) not in page
    assert client.post("/day/messages/00000000-0000-4000-8000-000000000000/").status_code == 404


@pytest.mark.parametrize("person", ["nadia", "omar"])
def test_auditor_and_administrator_see_no_patient(client, cast, visit, person):
    assert "Idrissi" not in _page(client, getattr(cast, person))


def test_an_account_without_a_record_is_told_what_to_do(client, cast):
    assert "desk" not in _page(client, cast.driss)


def test_an_open_page_gets_its_fragment_only_when_something_changed(client, cast, visit):
    page = _page(client, cast.salma)
    seen = page.partition("?seen=")[2][:16]
    address = f"/day/specialist/?seen={seen}"
    assert client.get(address, headers={"HX-Request": "true"}).status_code == 204
    _waits(visit, 3)
    changed = client.get(address, headers={"HX-Request": "true"})
    assert changed.status_code == 200
    assert changed.content.decode().lstrip().startswith("<div")


def test_opening_is_one_reading_and_polling_none(client, cast, visit):
    _page(client, cast.salma)
    client.get("/day/specialist/", headers={"HX-Request": "true"})
    assert Event.objects.filter(action="day.specialist").count() == 1


@pytest.mark.parametrize("address", ["/", "/day/specialist/"])
def test_a_fragment_without_its_page_is_a_reading(client, cast, visit, noon, settings, address):
    settings.SESSION_IDLE = timedelta(hours=3)
    client.force_login(cast.salma)
    readings = Event.objects.filter(action="day.specialist")
    for _ in range(2):
        assert REASON in client.get(address, headers={"HX-Request": "true"}).text
    assert readings.count() == 1
    noon.move(timedelta(minutes=61))
    client.get(address, headers={"HX-Request": "true"})
    assert readings.count() == 2, "a page that stays open all day is read more than once"


def test_a_role_that_one_does_not_hold_is_absent(client, cast):
    client.force_login(cast.salma)
    assert client.get("/day/coordinator/").status_code == 404


def test_many_visits_take_no_more_queries(client, cast, noon, django_assert_max_num_queries):
    for hours in range(2, 8):
        _book(cast.at_home, cast.amina, timedelta(hours=hours))
    client.force_login(cast.karim)
    with django_assert_max_num_queries(30):
        client.get("/")


@pytest.mark.parametrize(
    ("delay", "shown"), [(timedelta(minutes=5), True), (timedelta(hours=9), False)]
)
def test_what_begins_just_after_midnight_is_on_the_page_before(clock, cast, client, delay, shown):
    """People come before their visit begins, and somebody has to know that they wait."""
    local = real_clock.now().astimezone(ZoneInfo(settings.TIME_ZONE))
    clock.move(local.replace(hour=23, minute=58, second=0, microsecond=0) - local)
    visit = _book(cast.at_home, cast.amina, delay)
    if shown:
        _waits(visit, 1)
    page = _page(client, cast.salma)
    assert (REASON in page) is shown
