"""Who else is in the room at either end, on camera or not, as that end declares it."""

from uuid import UUID

from consultations.actions.change import change
from consultations.models import Participant, PresentPerson
from telemed.audit.actor import Actor
from telemed.lib import clock


def declare(
    room_id: str,
    by: Participant,
    actor: Actor,
    person_id: UUID,
    *,
    name: str,
    capacity: str,
    on_camera: bool,
) -> None:
    """Say that somebody is there, or say it differently; ``person_id`` is the browser's."""
    with change(room_id, "room.declare", actor, about=by):
        known = PresentPerson.objects.filter(pk=person_id).first()
        if known is not None and known.participant_id != by.pk:
            return
        person = known or PresentPerson(
            id=person_id, participant=by, organisation_id=by.organisation_id
        )
        person.name, person.capacity, person.on_camera = name, capacity, on_camera
        person.left_at = None
        person.save()


def undeclare(room_id: str, by: Participant, actor: Actor, person_id: UUID) -> None:
    """They left this end."""
    with change(room_id, "room.undeclare", actor, about=by):
        PresentPerson.objects.filter(pk=person_id, participant=by, left_at__isnull=True).update(
            left_at=clock.now()
        )
