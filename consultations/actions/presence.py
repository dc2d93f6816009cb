"""Who else is in the room at either end, on camera or not, as that end declares it."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from consultations import rules
from consultations.actions.change import change
from consultations.models import Participant, PresentPerson
from consultations.refusals import RoomRefused
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
        if not by.verified and by.state not in rules.INSIDE:
            raise RoomRefused("not_admitted", _("You are not in the visit yet."))
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
