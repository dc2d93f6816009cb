"""Who else is in the room at either end, on camera or not, as that end declares it."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from consultations import recordings, rules
from consultations.actions.change import change
from consultations.models import Participant, PresentPerson, Room
from consultations.refusals import RoomRefused
from telemed.accounts import sessions
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
    """Say that somebody is there, or say it differently; ``person_id`` is the browser's.

    With another name or capacity it is somebody else, who was never asked about being recorded.
    """
    with change(room_id, "room.declare", actor, about=by) as room:
        if not by.verified and by.state not in rules.INSIDE:
            raise RoomRefused("not_admitted", _("You are not in the visit yet."))
        known = PresentPerson.objects.filter(pk=person_id).first()
        if known is not None and known.participant_id != by.pk:
            return
        person = known or PresentPerson(
            id=person_id, participant=by, organisation_id=by.organisation_id
        )
        if known is not None and not is_same(known, name, capacity):
            recordings.take_back(room, by, known)
        person.name, person.capacity, person.on_camera = name, capacity, on_camera
        person.left_at = None
        person.save()


def is_same(known: PresentPerson, name: str, capacity: str) -> bool:
    return (known.name, known.capacity) == (name, capacity)


def undeclare(room_id: str, by: Participant, actor: Actor, person_id: UUID) -> None:
    """They left this end."""
    with change(room_id, "room.undeclare", actor, about=by):
        PresentPerson.objects.filter(pk=person_id, participant=by, left_at__isnull=True).update(
            left_at=clock.now()
        )


def signed_out(user_id: UUID) -> None:
    """One of this person's sessions was ended: the browsers that had no other one leave visits."""
    rows = Participant.objects.filter(user=user_id, voided_at__isnull=True, browser__isnull=False)
    here = rows.exclude(state__in=rules.OUTSIDE).exclude(room__state=Room.State.CLOSED)
    for one in here.exclude(state=Participant.State.LEFT):
        if str(one.browser) not in sessions.browsers_of(user_id):
            _forget_browser(one, Actor("user", user_id, role=one.role))


def _forget_browser(one: Participant, actor: Actor) -> None:
    """The socket finds itself replaced, and the media server lets go of the connection."""
    with change(one.room_id, "room.sign_out", actor, about=one):
        Participant.objects.filter(pk=one.pk, browser=one.browser).update(browser=None)
