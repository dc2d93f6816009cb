"""Writing in the room. What is written is kept with the consultation."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from consultations import rules
from consultations.actions.change import change, participant_of
from consultations.models import ChatMessage, Participant, ParticipantRole, Room
from consultations.refusals import RoomRefused
from telemed.audit.actor import Actor

MAX_CHARACTERS = 2000


def say(
    room_id: str, by: Participant, actor: Actor, message_id: UUID, text: str, to: str | None
) -> None:
    """Store one message; the same ``message_id`` again stores nothing.

    The specialist may write to one person who waits; they may answer. Everybody else writes to
    all who are in.
    """
    if ChatMessage.objects.filter(pk=message_id).exists():
        return
    with change(room_id, "chat.write", actor, about=by) as room:
        ChatMessage.objects.create(
            id=message_id,
            organisation_id=by.organisation_id,
            room=room,
            author=by,
            to=_addressee(room, by, to),
            text=text,
        )


def _addressee(room: Room, by: Participant, to: str | None) -> Participant | None:
    if by.role == ParticipantRole.SPECIALIST:
        return participant_of(room, to) if to else None
    if to is not None:
        raise RoomRefused("not_allowed", _("Only the specialist can write to one person alone."))
    if by.state in rules.INSIDE:
        return None
    asked = ChatMessage.objects.filter(room=room, to=by).order_by("received_at").first()
    if asked is None:
        raise RoomRefused("not_admitted", _("You can write once the specialist lets you in."))
    return asked.author
