"""Who came: the table, and the task that applies it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from consultations import tasks
from consultations.access import seat_for
from consultations.actions.entering import enter, opened
from consultations.actions.entering import seen as sign_of_life
from consultations.models import Participant, Room
from consultations.refusals import RoomRefused
from consultations.rules import Attendance, outcome_after
from scheduling.actions.change import cancel
from scheduling.actions.outcome import set_outcome
from telemed.accounts.access import viewer_of
from telemed.audit.actor import Actor
from telemed.audit.models import Event
from tests import make


def seen(**facts: Any) -> Attendance:
    nobody: dict[str, Any] = {
        "specialist_reached": False,
        "patient_reached": False,
        "patient_opened": False,
        "patient_admitted": False,
    }
    return Attendance(**(nobody | facts))


@pytest.mark.parametrize(
    ("attendance", "outcome"),
    [
        (seen(), ("noshow", "patient_absent")),
        (seen(specialist_reached=True), ("noshow", "patient_absent")),
        (seen(patient_opened=True), ("arrived", "could_not_join_unknown")),
        (seen(patient_opened=True, trouble="device"), ("arrived", "could_not_join_device")),
        (seen(patient_reached=True), ("noshow", "specialist_absent")),
        (seen(patient_reached=True, specialist_reached=True), ("arrived", "not_admitted")),
        (seen(patient_reached=True, patient_admitted=True), None),
    ],
)
def test_who_tried_is_no_noshow(attendance, outcome):
    assert outcome_after(attendance) == outcome


@pytest.fixture
def booked(cast, clock):
    cast.amina_user, cast.amina  # noqa: B018
    return make.appointment(cast.amina, cast.at_home, clock.now() + timedelta(minutes=5))


def settle(appointment, clock):
    clock.move(timedelta(hours=2))
    tasks.settle_attendance()
    appointment.refresh_from_db()
    return appointment.status, appointment.outcome_reason


def amina_seat(cast, clock, appointment):
    return seat_for(viewer_of(cast.amina_user, clock.now()), appointment.pk)


def test_an_empty_room_is_a_noshow_of_the_patient(booked, clock):
    assert settle(booked, clock) == ("noshow", "patient_absent")


def test_nothing_is_settled_while_the_window_is_open(booked):
    tasks.settle_attendance()

    booked.refresh_from_db()
    assert booked.status == "booked"


def test_who_opened_the_page_could_not_join(booked, cast, clock):
    opened(amina_seat(cast, clock, booked))

    assert settle(booked, clock) == ("arrived", "could_not_join_unknown")


@pytest.mark.parametrize("reason", ["permission", "device", "network", "browser"])
def test_the_page_before_the_visit_tells_why(booked, cast, client, clock, reason):
    client.force_login(cast.amina_user)
    address = reverse("consultations:trouble", args=[booked.pk])

    for _again in range(2):
        assert client.post(address, {"reason": reason}).status_code == 200

    assert Event.objects.filter(action="room.unable").count() == 1
    assert settle(booked, clock) == ("arrived", f"could_not_join_{reason}")


def test_no_other_reason_is_kept_and_entering_takes_it_back(booked, cast, client, clock):
    client.force_login(cast.amina_user)
    address = reverse("consultations:trouble", args=[booked.pk])

    assert client.post(address, {"reason": "weather"}).status_code == 400
    client.post(address, {"reason": "device"})
    enter(amina_seat(cast, clock, booked), uuid4())
    # Another tab of the same person must not take away the place of the one who waits.
    client.post(address, {"reason": "network"})

    assert Participant.objects.get(patient=cast.amina).state == "waiting"


def test_who_waited_for_nobody_is_not_blamed(booked, cast, clock):
    enter(amina_seat(cast, clock, booked), uuid4())

    assert settle(booked, clock) == ("noshow", "specialist_absent")


def test_who_still_waits_is_waited_for(booked, cast, clock, client):
    """However late the specialist is: the visit stays open, and opens to them."""
    waits = enter(amina_seat(cast, clock, booked), uuid4())
    clock.move(timedelta(hours=1))
    sign_of_life([waits.pk], make.holder(waits.room_id))

    tasks.settle_attendance()
    client.force_login(cast.salma)
    page = client.get(reverse("consultations:room", args=[booked.pk]))
    salma = enter(seat_for(viewer_of(cast.salma, clock.now()), booked.pk), uuid4())

    booked.refresh_from_db()
    assert (booked.status, booked.outcome_reason) == ("arrived", "")
    assert "consultations/room.html" in [one.name for one in page.templates]
    assert salma.state == "admitted"


def test_nobody_comes_late_for_who_is_gone(booked, cast, clock):
    enter(amina_seat(cast, clock, booked), uuid4())
    clock.move(timedelta(hours=1))

    with pytest.raises(RoomRefused) as refused:
        enter(seat_for(viewer_of(cast.salma, clock.now()), booked.pk), uuid4())

    assert refused.value.code == "too_late"
    assert settle(booked, clock) == ("noshow", "specialist_absent")


def test_a_persons_word_stands(booked, cast, clock):
    salma = Actor("user", cast.salma.pk, role="specialist")
    set_outcome(booked, "fulfilled", salma, "telephone", manual=True)

    assert settle(booked, clock) == ("fulfilled", "telephone")


def test_nobody_waits_for_a_cancelled_visit(
    booked, cast, clock, django_capture_on_commit_callbacks
):
    enter(amina_seat(cast, clock, booked), uuid4())
    karim = Actor("user", cast.karim.pk, role="coordinator")
    booked.refresh_from_db()

    with django_capture_on_commit_callbacks(execute=True):
        cancel(booked, karim, "roads closed")

    room = Room.objects.get()
    assert (room.state, room.consultation.status) == ("closed", "cancelled")
