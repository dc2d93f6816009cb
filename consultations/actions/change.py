"""The frame of every change of a room: lock late, check, write, number, audit, hint."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consultations import groups, recordings
from consultations.models import Participant, ParticipantRole, Room
from consultations.refusals import RoomRefused
from telemed.audit import actions as audit
from telemed.audit.actor import Actor

Holder = tuple[int, int]  # a media process's row and epoch

# The lease is not among them: it is settled by UPDATEs of its own (processes.py).
_CHANGED = ("state", "snapshot", "professional_gone_at", "emergency_at", "recording_asked_at")


@contextmanager
def change(
    room_id: UUID | str, action: str, actor: Actor, *, about: Participant | None = None
) -> Iterator[Room]:
    """Yields the locked room; what the body sets of it is saved with the next snapshot number.

    Refused ``room_closed`` once the visit was finished. ``about`` is whom it concerns, for the
    audit; the event is the transaction's last statement, the hint leaves after its commit.
    """
    with transaction.atomic():
        room = (
            Room.objects.select_for_update(of=("self",))
            .select_related("consultation__appointment")
            .get(pk=room_id)
        )
        if room.state == Room.State.CLOSED:
            raise RoomRefused("room_closed", _("This visit was finished."))
        yield room
        recordings.settle(room)
        room.snapshot += 1
        room.save(update_fields=_CHANGED)
        audit.record(
            action,
            actor,
            patient=room.consultation.appointment.patient_id,
            organisation=room.consultation.organisation_id,
            subject=("participant", about.pk) if about else ("room", room.pk),
        )
        transaction.on_commit(partial(groups.hint_room, room.pk), robust=True)


def is_held(room_id: UUID | str, holder: Holder) -> bool:
    """Whether that epoch of a media process has the room, for as long as this transaction lasts:
    what one that has lost it sees of its people is of no account."""
    process, epoch = holder
    room = Room.objects.select_for_update().filter(pk=room_id, process=process, epoch=epoch)
    return room.first() is not None


def participant_of(room: Room, participant_id: UUID | str) -> Participant:
    """Refused ``unknown_participant`` for a stranger and for somebody of another room alike."""
    found = room.participants.filter(pk=participant_id, voided_at__isnull=True).first()
    if found is None:
        raise RoomRefused("unknown_participant", _("This person is not in the visit."))
    return found


def require(by: Participant, *roles: str) -> None:
    if by.role not in roles:
        raise RoomRefused("not_allowed", _("You cannot do this in the visit."))


def require_specialist(by: Participant) -> None:
    require(by, ParticipantRole.SPECIALIST)
