"""A picture: asked for, agreed to by who takes it, whole, kept, or given up; voided, never deleted.

Files are written and deleted elsewhere; here stands what holds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consultations import groups, pictures, rules
from consultations.actions.change import change, participant_of, require_specialist
from consultations.models import Participant, ParticipantRole, Picture, Room
from consultations.pictures import Kept
from consultations.refusals import RoomRefused
from telemed.accounts.models import User
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM, Actor
from telemed.lib import clock
from telemed.lib.sealed_file import new_key

State = Picture.State
CHECK = "consultations.tasks.check_picture"


@dataclass(frozen=True)
class Wanted:
    """``id`` is chosen by the asking browser, so that a repeat asks for nothing twice."""

    id: UUID
    body_site: str
    side: str


@dataclass(frozen=True)
class Announced:
    """What somebody agreed to send: a JPEG of ``bytes``, taken ``age`` before now."""

    bytes: int
    sha256: str
    width: int
    height: int
    age: timedelta


def ask(room_id: str, by: Participant, actor: Actor, participant_id: str, wanted: Wanted) -> None:
    """Ask somebody for a picture. Refused ``not_allowed``, ``picture_not_now``,
    ``picture_many``."""
    if Picture.objects.filter(pk=wanted.id).exists():
        return
    with change(room_id, "picture.ask", actor, about=by) as room:
        require_specialist(by)
        one = participant_of(room, participant_id)
        open_ = pictures.of(room.consultation).filter(participant=one, state__in=pictures.OPEN)
        asking = rules.Asking(
            role=one.role,
            inside=one.state in rules.INSIDE,
            with_device=one.beside_id is None,
            room_state=room.state,
            open=open_.count(),
        )
        _unless(rules.may_ask_for_picture(asking))
        Picture.objects.create(
            id=wanted.id,
            organisation_id=by.organisation_id,
            consultation=room.consultation,
            participant=one,
            asked_by=by.user,
            body_site=wanted.body_site,
            side=wanted.side,
        )


def agree(
    room_id: str, by: Participant, actor: Actor, picture_id: str, announced: Announced
) -> None:
    """Say that a picture may be sent, and which. The same again changes nothing; another takes the
    place of what was not whole yet."""
    same = Picture.objects.filter(pk=picture_id, participant=by, sha256=announced.sha256)
    if same.filter(state__in=[State.SENDING, State.CHECKING, State.READY]).exists():
        return
    with change(room_id, "picture.send", actor, about=by) as room:
        row = _picture(room, picture_id)
        asked = row.participant_id == by.pk
        pixels = announced.width * announced.height
        size = announced.bytes
        _unless(rules.may_send_picture(asked=asked, state=row.state, size=size, pixels=pixels))
        now = clock.now()
        row.state, row.agreed_at, row.taken_at = State.SENDING, now, now - announced.age
        row.sha256, row.announced = announced.sha256, announced.bytes
        row.width, row.height = announced.width, announced.height
        row.key = new_key()
        row.save()


def end(room_id: str, by: Participant, actor: Actor, picture_id: str) -> None:
    """Take back the asking, or say no to it; what has come of it is dropped. Once it is whole
    nothing changes."""
    with change(room_id, "picture.end", actor, about=by) as room:
        row = _picture(room, picture_id)
        if by.role == ParticipantRole.SPECIALIST:
            _give_up(row, State.CANCELLED)
        elif row.participant_id == by.pk:
            _give_up(row, State.REFUSED)
        else:
            raise RoomRefused("not_allowed", _("You cannot do this in the visit."))


# --- what the media process and the worker tell


def whole(picture_id: str, sha256: str) -> bool:
    """All of it has come and is what was announced: a worker may look at it. False when nothing
    waits for it any more."""

    def settle(row: Picture) -> bool:
        if row.state != State.SENDING or row.sha256 != sha256:
            return False
        row.state, row.whole_at = State.CHECKING, clock.now()
        row.save(update_fields=["state", "whole_at"])
        _look_soon(row)
        return True

    return _change(picture_id, "picture.receive", settle)


def kept(picture: Picture, made: Kept) -> bool:
    """It is there to be seen. False when somebody else has said so before."""

    def settle(row: Picture) -> bool:
        if row.state != State.CHECKING:
            return False
        row.state, row.bytes, row.sha256_kept = State.READY, made.bytes, made.sha256
        row.width, row.height = made.width, made.height
        row.save(update_fields=["state", "bytes", "sha256_kept", "width", "height"])
        return True

    return _change(picture.pk, "picture.save", settle)


def failed(picture: Picture) -> bool:
    """What came was no picture."""
    return _change(picture.pk, "picture.fail", lambda row: _ends(row, State.CHECKING, State.FAILED))


def expire(picture: Picture) -> bool:
    """Its time is over, or the visit."""

    def settle(row: Picture) -> bool:
        return any(_ends(row, state, State.CANCELLED) for state in pictures.OPEN)

    return _change(picture.pk, "picture.end", settle)


# --- on the page of pictures


@transaction.atomic
def void(picture: Picture, by: User, actor: Actor, reason: str) -> None:
    """Nobody is shown it any more; it stays in the file until the file's period is over."""
    rows = Picture.objects.filter(pk=picture.pk, voided_at__isnull=True)
    if rows.update(voided_at=clock.now(), voided_by=by, void_reason=reason):
        _tell_room(picture)
        _audited("picture.void", actor, picture)


# ---


def _picture(room: Room, picture_id: str) -> Picture:
    """Of this visit; a stranger's is like none."""
    found = pictures.of(room.consultation).filter(pk=picture_id).first()
    if found is None:
        raise RoomRefused("unknown_picture", _("This picture was not asked for in this visit."))
    return found


def _give_up(row: Picture, state: str) -> None:
    if row.state in pictures.OPEN:
        row.state = state
        row.save(update_fields=["state"])


def _ends(row: Picture, before: str, after: str) -> bool:
    if row.state != before:
        return False
    row.state = after
    row.save(update_fields=["state"])
    return True


def _change(picture_id: UUID | str, action: str, settle: Callable[[Picture], bool]) -> bool:
    """Rooms are locked before what hangs on them, as everywhere."""
    with transaction.atomic():
        rows = Picture.objects.select_related("consultation__appointment")
        found = rows.filter(pk=picture_id, voided_at__isnull=True).first()
        if found is None:
            return False
        Room.objects.select_for_update().filter(consultation=found.consultation_id).first()
        row = rows.get(pk=picture_id)
        if not settle(row):
            return False
        _tell_room(row)
        _audited(action, SYSTEM, row)
        return True


def _tell_room(row: Picture) -> None:
    room = Room.objects.select_for_update().filter(consultation=row.consultation_id).first()
    if room is not None:
        Room.objects.filter(pk=room.pk).update(snapshot=room.snapshot + 1)
        transaction.on_commit(partial(groups.hint_room, room.pk), robust=True)


def _look_soon(row: Picture) -> None:
    # Told at once; when that is lost, the periodic look finds it.
    tell = partial(current_app.send_task, CHECK, [str(row.pk)], retry=False)
    transaction.on_commit(tell, robust=True)


def _unless(code: str) -> None:
    if code:
        raise RoomRefused(code, _REFUSALS[code])


_REFUSALS: dict[str, Promise] = {
    "not_allowed": _("You cannot do this in the visit."),
    "picture_not_now": _("A picture can be asked for only while the visit is going on."),
    "picture_many": _("This person has enough pictures to take. Wait for those first."),
    "picture_over": _("This picture is no longer asked for."),
    "picture_too_large": _("This picture is too large to be sent."),
}


def _audited(action: str, actor: Actor, row: Picture) -> None:
    audit.record(
        action,
        actor,
        patient=row.consultation.appointment.patient_id,
        organisation=row.organisation_id,
        subject=("picture", row.pk),
    )
