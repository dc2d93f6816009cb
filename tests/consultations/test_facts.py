"""A room is read in several queries, and what was read is still of one moment."""

from uuid import uuid4

import pytest
from django.db.models import F

from consultations import facts as room_facts
from consultations.actions.entering import enter as enter_room
from consultations.models import Participant, Room
from tests.consultations.callers import seat_of

pytestmark = pytest.mark.django_db


def test_what_changes_while_a_room_is_read_is_read_again(cast, visit, monkeypatch):
    """The visit is finished between the reading of the room and of its people."""
    enter_room(seat_of(cast.amina_user, visit), uuid4())
    room = Room.objects.get(consultation__appointment=visit)
    Room.objects.filter(pk=room.pk).update(state=Room.State.IN_SESSION)
    chat, read = room_facts._chat, []

    def finished_meanwhile(one):
        if not read:
            Room.objects.filter(pk=one.pk).update(
                state=Room.State.CLOSED, snapshot=F("snapshot") + 1
            )
            Participant.objects.filter(room=one).update(state=Participant.State.LEFT)
        read.append(one.state)
        return chat(one)

    monkeypatch.setattr(room_facts, "_chat", finished_meanwhile)
    facts = room_facts.load(room.pk)
    assert read == [Room.State.IN_SESSION, Room.State.CLOSED]
    assert facts.room.state == Room.State.CLOSED
    assert [one.state for one in facts.people] == [Participant.State.LEFT]
