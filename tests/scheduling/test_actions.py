"""What the verbs change, refuse and leave behind, by whoever calls them."""

from datetime import time, timedelta

import pytest
from django.conf import settings as django_settings

from scheduling import actions, occupancy, queries, slots, tasks, walltime
from scheduling.models import (
    Appointment,
    AvailabilityException,
    Leave,
    OccupiedInterval,
    PersonalLink,
)
from scheduling.refusals import Refused
from scheduling.signals import (
    appointment_booked,
    appointment_cancelled,
    appointment_moved,
    appointment_reassigned,
)
from telemed.audit.actor import SYSTEM, Actor
from telemed.audit.models import Event
from telemed.lib import clock as the_clock
from telemed.messaging.models import Message
from tests import make

pytestmark = pytest.mark.django_db


def patient(user) -> Actor:
    return Actor("user", user.pk, role="patient")


@pytest.fixture
def amina(cast) -> Actor:
    return patient(cast.amina_user)


@pytest.fixture
def karim(cast) -> Actor:
    return Actor("user", cast.karim.pk, role="coordinator")


@pytest.fixture
def free(cast):
    """The free starts from tomorrow on."""
    now = the_clock.now()
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    known = queries.diary([(cast.at_home, cast.dr_salma.pk)], cast.amina, now)
    return list(
        queries.free_starts(cast.at_home, cast.dr_salma.pk, cast.amina, known, now, tomorrow)
    )


@pytest.fixture
def booked(cast, karim, free) -> Appointment:
    return actions.book_at(cast.at_home, free[0], cast.amina, karim)


def busy(appointment) -> set[str]:
    return {row.resource_kind for row in appointment.occupies.all()}


def test_the_wall_time_stands_beside_utc(booked, free):
    zone = slots.zone("Africa/Casablanca")
    assert booked.local_start == free[0].astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    assert booked.time_zone == "Africa/Casablanca"
    assert booked.tzdata_version == walltime.tzdata_version()


def test_a_visit_at_a_centre_takes_specialist_patient_and_place(cast, karim, free):
    there = actions.book_at(cast.at_imilchil, free[0], cast.amina, karim)
    assert busy(there) == {"specialist", "patient", "place"}
    assert there.organisation == cast.imilchil


def test_a_site_with_several_rooms_is_not_taken(cast, karim, free):
    cast.at_imilchil.occupies_site = False
    cast.at_imilchil.save()
    there = actions.book_at(cast.at_imilchil, free[0], cast.amina, karim)
    assert busy(there) == {"specialist", "patient"}


def test_a_time_outside_of_the_hours_is_not_offered(cast, karim, free):
    night = free[0].replace(hour=2, minute=0)
    with pytest.raises(Refused, match="not_offered") as refused:
        actions.book_at(cast.at_home, night, cast.amina, karim)
    assert len(refused.value.facts["alternatives"]) == 3
    assert actions.book_at(cast.at_home, night, cast.amina, karim, offered_only=False)


def test_booking_again_with_the_same_id_returns_the_first(cast, karim, free, booked):
    again = actions.book_at(cast.at_home, free[8], cast.amina, karim, appointment_id=booked.pk)
    assert again == booked
    assert again.starts_at == free[0]


def test_nobody_keeps_more_than_three_times(cast, amina, free):
    for start in free[:12:4]:
        actions.hold_slot(cast.at_home, start, cast.amina, amina)
    with pytest.raises(Refused, match="too_many_holds"):
        actions.hold_slot(cast.at_home, free[12], cast.amina, amina)


def test_another_time_gives_the_kept_one_back(cast, amina, free):
    first = actions.hold_slot(cast.at_home, free[0], cast.amina, amina)
    second = actions.hold_slot(cast.at_home, free[1], cast.amina, amina, replaces=first)
    assert set(OccupiedInterval.objects.values_list("hold", flat=True)) == {second.pk}
    actions.release_hold(second, amina)
    actions.release_hold(second, amina)
    assert not OccupiedInterval.objects.exists()


def test_an_expired_hold_takes_nothing(cast, amina, free, clock):
    actions.hold_slot(cast.at_home, free[0], cast.amina, amina)
    clock.move(django_settings.BOOKING_HOLD)
    other = actions.hold_slot(cast.at_home, free[0], cast.yassine, patient(cast.fatima))
    assert set(OccupiedInterval.objects.values_list("hold", flat=True)) == {other.pk}


def test_moving_needs_the_version_that_was_seen(booked, karim, free):
    actions.move(booked, free[8], karim, sequence=0)
    with pytest.raises(Refused, match="stale"):
        actions.move(booked, free[12], karim, sequence=0)
    assert Appointment.objects.get().starts_at == free[8]


def test_what_the_specialist_accepted_waits_again_when_the_patient_moves_it(
    cast, amina, karim, free
):
    cast.at_home.needs_confirmation = True
    cast.at_home.save()
    waiting = actions.book_at(cast.at_home, free[0], cast.amina, amina)
    actions.confirm(waiting, Actor("user", cast.salma.pk, role="specialist"))
    actions.move(waiting, free[4], karim)
    assert (waiting.status, waiting.confirmed_at is None) == ("booked", False)
    actions.move(waiting, free[8], amina)
    assert (waiting.status, waiting.confirmed_at) == ("pending", None)
    last = Message.objects.filter(kind="appointment.requested").count()
    assert last == 4, "both sides, at booking and after the move"


def test_who_came_between_reading_and_moving_is_expected_at_the_new_time(booked, karim, free):
    read = Appointment.objects.get(pk=booked.pk)
    actions.stamp_arrival(booked, karim)
    actions.move(read, free[8], karim)
    booked.refresh_from_db()
    assert (booked.status, booked.arrived_at) == ("booked", None)


def test_that_somebody_will_come_is_said_once_and_not_of_another_time(booked, amina, karim, free):
    actions.confirm_attendance(booked, amina)
    first = booked.attendance_confirmed_at
    assert first is not None
    actions.confirm_attendance(booked, amina)
    assert booked.attendance_confirmed_at == first
    assert Event.objects.filter(action="appointment.confirm_attendance").count() == 1
    actions.move(booked, free[8], karim)
    assert booked.attendance_confirmed_at is None
    actions.cancel(booked, karim)
    with pytest.raises(Refused, match="wrong_state"):
        actions.confirm_attendance(booked, amina)


def test_an_appointment_may_move_into_its_own_time(booked, karim, free):
    """Fifteen minutes later overlaps with nobody but itself."""
    actions.move(booked, free[1], karim)
    assert booked.sequence == 1


def test_a_move_to_a_taken_time_changes_nothing(cast, booked, karim, free):
    actions.book_at(cast.at_home, free[8], cast.yassine, karim)
    with pytest.raises(Refused, match="slot_taken"):
        actions.move(booked, free[8], karim)
    booked.refresh_from_db()
    assert (booked.starts_at, booked.sequence) == (free[0], 0)
    assert busy(booked) == {"specialist", "patient"}


def test_a_cancelled_time_is_free_again(cast, booked, amina, karim, free):
    actions.cancel(booked, amina, "mieux")
    assert not busy(booked)
    assert actions.book_at(cast.at_home, free[0], cast.yassine, karim)
    with pytest.raises(Refused, match="wrong_state"):
        actions.cancel(booked, amina)


def test_the_cut_off_holds_the_patients_side_alone(booked, amina, karim, free, clock):
    clock.move(free[0] - the_clock.now() - timedelta(minutes=30))
    for change in (
        lambda: actions.cancel(booked, amina),
        lambda: actions.move(booked, free[8], amina),
    ):
        with pytest.raises(Refused, match="too_late"):
            change()
    assert actions.cancel(booked, karim).status == "cancelled"


def test_a_late_booking_is_taken_back_within_minutes(cast, amina, karim, free, clock):
    clock.move(free[0] - the_clock.now() - timedelta(minutes=40))
    first = actions.book_at(cast.at_home, free[0], cast.amina, amina)
    assert actions.cancel(first, amina).status == "cancelled"
    second = actions.book_at(cast.at_home, free[0], cast.amina, amina)
    clock.move(timedelta(minutes=11))
    with pytest.raises(Refused, match="too_late"):
        actions.cancel(second, amina)


def test_reassigning_keeps_who_was_asked_for(cast, booked, karim):
    actions.reassign(booked, cast.dr_youssef, karim)
    booked.refresh_from_db()
    assert booked.specialist == cast.dr_youssef
    assert booked.requested_specialist == cast.dr_salma
    taken = booked.occupies.get(resource_kind="specialist")
    assert taken.resource == cast.dr_youssef.pk


def test_nobody_is_given_a_speciality_that_is_not_theirs(cast, booked, karim):
    cast.dr_youssef.specialities.set([cast.dermatology])
    with pytest.raises(Refused, match="wrong_speciality"):
        actions.reassign(booked, cast.dr_youssef, karim)


def test_who_is_away_is_not_asked_instead(cast, booked):
    def others():
        return [(one.specialist, one.usual) for one in queries.who_else(booked, the_clock.now())]

    cast.dr_youssef  # noqa: B018 made by being named
    assert others() == [(cast.dr_youssef, True)]
    cast.dr_youssef.rules.update(retired_at=the_clock.now())
    assert others() == [(cast.dr_youssef, False)]
    day = booked.starts_at.date()
    leave = Leave.objects.create(specialist=cast.dr_youssef, first_day=day, last_day=day)
    assert others() == []
    Leave.objects.filter(pk=leave.pk).update(retired_at=the_clock.now())
    AvailabilityException.objects.create(
        specialist=cast.dr_youssef, kind="closed", date=day, starts=time(0), ends=time(0)
    )
    assert others() == []


def test_whom_the_visit_finds_outside_their_hours_stands_last_and_says_so(cast, booked, client):
    zahra = make.specialist(
        make.user("zahra@cast.example", "Dr Zahra Amrani"), cast.chu, [cast.cardiology]
    )
    make.working_hours(zahra)
    cast.dr_youssef.rules.update(retired_at=the_clock.now())
    found = [one.specialist for one in queries.who_else(booked, the_clock.now())]
    assert found == [zahra, cast.dr_youssef]
    client.force_login(cast.karim)
    page = client.get(f"/appointments/{booked.pk}/reassign/").text
    assert page.count('class="state warn"') == 1


def test_the_first_arrival_is_stamped_once(booked, karim):
    assert actions.stamp_arrival(booked, karim)
    first = booked.arrived_at
    assert booked.status == "arrived"
    assert not actions.stamp_arrival(booked, karim)
    booked.refresh_from_db()
    assert booked.arrived_at == first


def test_a_persons_outcome_is_never_overwritten(booked, karim):
    assert actions.set_outcome(booked, "noshow", SYSTEM, "absent")
    assert not busy(booked)
    assert actions.set_outcome(booked, "fulfilled", karim, "by telephone", manual=True)
    assert busy(booked)
    assert not actions.set_outcome(booked, "noshow", SYSTEM, "absent")
    booked.refresh_from_db()
    assert (booked.status, booked.outcome_reason) == ("fulfilled", "by telephone")


def test_undoing_a_no_show_is_refused_when_the_time_was_given_away(cast, booked, karim, free):
    actions.set_outcome(booked, "noshow", SYSTEM)
    actions.book_at(cast.at_home, free[0], cast.yassine, karim)
    with pytest.raises(Refused, match="slot_taken"):
        actions.set_outcome(booked, "booked", karim, manual=True)
    with pytest.raises(Refused, match="wrong_state"):
        actions.set_outcome(booked, "proposed", karim, manual=True)


def test_signals_are_sent_after_the_commit(cast, karim, free, django_capture_on_commit_callbacks):
    heard = []
    signals = (
        appointment_booked,
        appointment_moved,
        appointment_reassigned,
        appointment_cancelled,
    )

    def hear(signal, appointment_id, **_):
        heard.append((signal, appointment_id))

    for signal in signals:
        signal.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            made = actions.book_at(cast.at_home, free[0], cast.amina, karim)
            actions.move(made, free[8], karim)
            actions.reassign(made, cast.dr_youssef, karim)
            actions.cancel(made, karim)
            assert heard == []
        assert heard == [(signal, made.pk) for signal in signals]
    finally:
        for signal in signals:
            signal.disconnect(hear)


def test_new_zone_data_keeps_the_wall_time(cast, karim, free):
    """As if both had been booked with data that gave an hour more; one was in the other's way."""
    hour = timedelta(hours=1)
    first = actions.book_at(cast.at_home, free[0], cast.amina, karim)
    second = actions.book_at(cast.at_home, free[4], cast.yassine, karim)
    assert free[4] == free[0] + hour
    OccupiedInterval.objects.all().delete()
    for appointment in (first, second):
        Appointment.objects.filter(pk=appointment.pk).update(
            starts_at=appointment.starts_at - hour,
            ends_at=appointment.ends_at - hour,
            tzdata_version="2026.2",
        )
        appointment.refresh_from_db()
    for appointment in (first, second):
        wanted = queries.resources(cast.at_home, cast.dr_salma.pk, appointment.patient_id)
        occupancy.occupy(wanted, cast.at_home, appointment.starts_at, appointment=appointment)
    link = second.links.get()
    tasks.rederive_times()
    for appointment, start in ((first, free[0]), (second, free[4])):
        wall = appointment.local_start
        appointment.refresh_from_db()
        assert (appointment.starts_at, appointment.local_start) == (start, wall)
        assert appointment.tzdata_version == walltime.tzdata_version()
        assert busy(appointment) == {"specialist", "patient"}
    assert second.links.get().issue == link.issue
    assert first.sequence == 1
    tasks.rederive_times()
    first.refresh_from_db()
    assert first.sequence == 1


def test_only_who_cannot_sign_in_gets_a_link(cast, karim, free):
    with_login = actions.book_at(cast.at_home, free[0], cast.amina, karim)
    without = actions.book_at(cast.at_home, free[4], cast.yassine, karim)
    assert not with_login.links.exists()
    assert without.links.get().kind == PersonalLink.Kind.PATIENT
