"""States, windows and cut-offs, as tables of cases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from scheduling import rules
from scheduling.models import AppointmentStatus
from scheduling.rules import Buffers, Resource, Shape

NOON = datetime(2030, 1, 7, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CUT_OFF = timedelta(hours=2)


def test_the_states_that_take_nobodys_time():
    takes = {status.value for status in AppointmentStatus if rules.occupies_time(status)}
    assert takes == {"pending", "booked", "arrived", "checked-in", "fulfilled"}


@pytest.mark.parametrize("status", AppointmentStatus.values)
def test_what_is_over_is_not_changed_any_more(status):
    """Nor what has begun."""
    open_ = status in {"proposed", "pending", "booked", "waitlist", "arrived"}
    assert (rules.may_change(status, NOON, NOON, patient_side=False) == "") == open_


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("booked", "arrived", True),
        ("arrived", "checked-in", True),
        ("checked-in", "fulfilled", True),
        ("booked", "noshow", True),
        ("noshow", "booked", True),
        ("noshow", "fulfilled", True),
        ("fulfilled", "booked", False),
        ("cancelled", "booked", False),
        ("entered-in-error", "booked", False),
        ("arrived", "booked", False),
    ],
)
def test_which_state_follows_which(before, after, allowed):
    assert rules.may_become(before, after) == allowed


@pytest.mark.parametrize(
    ("status", "needs", "accepted", "patient_side", "after"),
    [
        ("booked", False, False, True, "booked"),
        ("pending", True, False, True, "pending"),
        ("booked", True, True, True, "pending"),
        ("booked", True, True, False, "booked"),
        ("pending", True, False, False, "pending"),
        ("arrived", False, False, True, "booked"),
        ("arrived", True, True, False, "booked"),
        ("arrived", True, False, False, "pending"),
    ],
)
def test_what_a_move_makes_of_it(status, needs, accepted, patient_side, after):
    found = rules.after_move(
        status, needs_confirmation=needs, accepted=accepted, patient_side=patient_side
    )
    assert found == after


@pytest.mark.parametrize(
    ("booked_before", "closes_before"),
    [
        (timedelta(days=3), CUT_OFF),
        (CUT_OFF, timedelta(hours=1, minutes=50)),
        (timedelta(minutes=30), timedelta(minutes=20)),
        (timedelta(minutes=4), timedelta()),
    ],
)
def test_until_when_the_patients_side_changes(booked_before, closes_before):
    closes = rules.changes_close_at(NOON, NOON - booked_before, CUT_OFF)
    assert closes == NOON - closes_before
    assert rules.may_change("booked", closes, closes, patient_side=True) == ""
    assert rules.may_change("booked", closes, closes + MINUTE, patient_side=True) == "too_late"
    assert rules.may_change("booked", closes, closes + MINUTE, patient_side=False) == ""


def test_a_visit_opens_a_quarter_of_an_hour_before():
    opens, closes = rules.join_window(NOON, NOON + 20 * MINUTE)
    assert (opens, closes) == (NOON - 15 * MINUTE, NOON + 50 * MINUTE)


def test_reminders_whose_time_has_passed_are_not_sent_late():
    assert set(rules.reminders(NOON, NOON - timedelta(days=2))) == {
        "reminder_day",
        "reminder_hour",
    }
    assert set(rules.reminders(NOON, NOON - timedelta(hours=5))) == {"reminder_hour"}
    assert rules.reminders(NOON, NOON - timedelta(minutes=30)) == {}


def test_each_resource_has_buffers_of_its_own():
    shape = Shape(
        20 * MINUTE, 15 * MINUTE, timedelta(), timedelta(), Buffers(5 * MINUTE, 10 * MINUTE)
    )
    end = NOON + 20 * MINUTE
    assert shape.occupies("specialist", NOON) == (NOON - 5 * MINUTE, end + 10 * MINUTE)
    assert shape.occupies("patient", NOON) == (NOON, end + rules.PATIENT_AFTER)
    assert shape.occupies("place", NOON) == (NOON, end + rules.PLACE_AFTER)


def test_resources_are_locked_in_one_order():
    one, two = UUID(int=1), UUID(int=2)
    wanted = [Resource("specialist", one), Resource("patient", two), Resource("patient", one)]
    assert sorted(wanted) == [wanted[2], wanted[1], wanted[0]]
