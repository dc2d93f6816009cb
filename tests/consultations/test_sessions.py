"""Being in a visit keeps a session past its limits; nothing else of the room does."""

from datetime import timedelta

import pytest

from consultations.models import Consultation, Participant, Room
from consultations.queries import is_in_visit
from telemed.lib import clock
from tests import make


@pytest.fixture
def participant(cast):
    appointment = make.appointment(cast.amina, cast.at_home, make.on_the_hour(clock.now()))
    consultation = Consultation.objects.create(organisation=cast.imilchil, appointment=appointment)
    room = Room.objects.create(consultation=consultation, state=Room.State.IN_SESSION)
    return Participant.objects.create(
        organisation=cast.imilchil,
        room=room,
        role="specialist",
        user=cast.salma,
        state=Participant.State.CONNECTED,
        last_seen_at=clock.now(),
    )


@pytest.mark.parametrize("state", ["waiting", "admitted", "connected", "reconnecting"])
def test_who_is_in_a_visit_stays_signed_in(participant, cast, state):
    participant.state = state
    participant.save()
    assert is_in_visit(cast.salma)
    assert not is_in_visit(cast.youssef)


@pytest.mark.parametrize("state", ["invited", "denied", "left", "removed", "unable-to-join"])
def test_who_is_not_does_not(participant, cast, state):
    participant.state = state
    participant.save()
    assert not is_in_visit(cast.salma)


def test_a_place_that_is_no_longer_kept_does_not(participant, cast):
    participant.last_seen_at = clock.now() - timedelta(minutes=16)
    participant.save()
    assert not is_in_visit(cast.salma)


def test_a_closed_room_does_not(participant, cast):
    participant.room.state = Room.State.CLOSED
    participant.room.save()
    assert not is_in_visit(cast.salma)


def test_a_session_outlives_its_limit_during_the_visit(participant, cast, client, clock, settings):
    settings.SESSION_ABSOLUTE = timedelta(hours=12)
    client.force_login(cast.salma)
    assert client.get("/").status_code == 200
    clock.move(timedelta(hours=13))
    Participant.objects.update(last_seen_at=clock.now())
    assert client.get("/").status_code == 200
    Room.objects.update(state=Room.State.CLOSED)
    assert client.get("/").status_code == 302
