"""What somebody who waits is told: their honest place, the minutes to expect, and who knows."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from consultations import queries
from consultations.actions.entering import enter as enter_room
from consultations.actions.entering import open_visit, seen
from consultations.models import Participant, Room
from telemed.lib import clock as shared_clock
from tests import make
from tests.consultations.callers import in_thread, seat_of


@pytest.fixture
def now(cast):
    cast.salma, cast.amina_user, cast.fatima_for_yassine  # noqa: B018 made when first asked for
    return shared_clock.now()


@pytest.fixture
def hers(cast, now):
    """Amina's visit in ten minutes; a visit takes 20."""
    return make.appointment(cast.amina, cast.at_home, now + timedelta(minutes=10))


def earlier(cast, now, minutes, *, waits, service=None):
    """Yassine's visit, begun this many minutes ago; his mother waits in it or does not."""
    service = service or cast.at_home
    visit = make.appointment(cast.yassine, service, now - timedelta(minutes=minutes))
    if waits:
        enter_room(seat_of(cast.fatima, visit), uuid4())
    return visit


def queue(visit):
    return queries.queue_for(visit, shared_clock.now())


def test_alone_they_are_first_and_wait_until_the_booked_time(hers):
    assert queue(hers) == {"place": 1, "minutes": 10}


def test_who_was_booked_earlier_and_waits_is_seen_earlier(hers, cast, now):
    earlier(cast, now, 5, waits=True)
    assert queue(hers) == {"place": 2, "minutes": 20}


def test_a_presenter_and_whom_they_carry_are_one_visit(hers, cast, now):
    visit = earlier(cast, now, 5, waits=True)
    assert Participant.objects.filter(room__consultation__appointment=visit).count() == 2
    assert queue(hers)["place"] == 2


def test_who_was_booked_earlier_and_has_not_come_holds_up_nobody(hers, cast, now):
    earlier(cast, now, 5, waits=False)
    assert queue(hers) == {"place": 1, "minutes": 10}


def test_who_went_is_waited_for_no_longer(hers, cast, now, clock):
    earlier(cast, now, 5, waits=True)
    clock.move(timedelta(minutes=16))
    assert queue(hers)["place"] == 1


def test_a_closed_visit_keeps_no_place(hers, cast, now):
    visit = earlier(cast, now, 5, waits=True)
    Room.objects.filter(consultation__appointment=visit).update(state=Room.State.CLOSED)
    assert queue(hers)["place"] == 1


def test_another_specialists_people_are_another_queue(hers, cast, now):
    service = make.service(cast.dr_youssef, cast.dermatology)
    earlier(cast, now, 5, waits=True, service=service)
    assert queue(hers) == {"place": 1, "minutes": 10}


def test_the_visit_that_runs_is_waited_for(hers, cast, now):
    visit = earlier(cast, now, 5, waits=False)
    room = open_visit(visit)
    Room.objects.filter(pk=room.pk).update(state=Room.State.IN_SESSION)
    assert queue(hers) == {"place": 1, "minutes": 15}


def test_a_visit_that_should_be_over_promises_nothing(hers, cast, now):
    room = open_visit(earlier(cast, now, 60, waits=False))
    Room.objects.filter(pk=room.pk).update(state=Room.State.IN_SESSION)
    assert queue(hers) == {"place": 1, "minutes": 10}


def test_after_the_booked_time_it_is_now(hers, cast, clock):
    clock.move(timedelta(minutes=30))
    enter_room(seat_of(cast.amina_user, hers), uuid4())
    amina = Participant.objects.get(role="patient")
    seen([amina.pk], make.holder(amina.room_id))
    assert queue(hers) == {"place": 1, "minutes": 0}


async def test_the_specialist_knows_once_their_day_has_shown_it(cast, visit, enter):
    amina = await enter(cast.amina_user, visit)
    assert amina.snapshot["specialist_knows"] is False

    await in_thread(look_at_the_day, cast)

    await amina.until(lambda: amina.snapshot["specialist_knows"])


def look_at_the_day(cast):
    client = Client()
    client.force_login(cast.salma)
    assert client.get("/day/specialist/").status_code == 200


async def test_the_specialist_knows_while_they_are_in_the_room(cast, visit, enter):
    amina = await enter(cast.amina_user, visit)
    assert amina.snapshot["specialist_knows"] is False

    await enter(cast.salma, visit)

    await amina.until(lambda: amina.snapshot["specialist_knows"])
