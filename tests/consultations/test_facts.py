"""A room is read in several queries, and what was read is still of one moment."""

import pytest
from django.db.models import F

from consultations import facts as room_facts
from consultations.models import Consultation, Participant, ParticipantRole, Room

pytestmark = pytest.mark.django_db


def test_what_changes_while_a_room_is_read_is_read_again(visit, monkeypatch):
    """The visit is finished between the reading of the room and of its people."""
    consultation = Consultation.objects.create(appointment=visit, organisation=visit.organisation)
    room = Room.objects.create(consultation=consultation, state=Room.State.IN_SESSION)
    Participant.objects.create(
        organisation=visit.organisation,
        room=room,
        role=ParticipantRole.PATIENT,
        state=Participant.State.ADMITTED,
        patient=visit.patient,
        name="Amina",
    )
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
