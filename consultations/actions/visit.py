"""The visit's own course: identified, paused, interrupted, an emergency, finished."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consultations import rules
from consultations.actions import override
from consultations.actions.change import (
    Holder,
    change,
    is_held,
    require,
    require_specialist,
)
from consultations.models import (
    Consultation,
    ConsultationStatus,
    Participant,
    ParticipantRole,
    Room,
)
from consultations.refusals import RoomRefused
from scheduling.actions.link import void_links
from scheduling.actions.outcome import set_outcome
from scheduling.models import AppointmentStatus
from telemed.audit.actor import SYSTEM, Actor
from telemed.lib import clock

State = Room.State


def identify(room_id: str, by: Participant, actor: Actor, how: str) -> None:
    """Record how the patient was identified: from then the visit counts as begun. That they were
    not is recorded as well, and begins nothing."""
    with change(room_id, "visit.identify", actor) as room:
        require_specialist(by)
        visit, now = room.consultation, clock.now()
        visit.identified_how, visit.identified_by, visit.identified_at = how, by.user, now
        if how != Consultation.Identification.NOT_IDENTIFIED:
            visit.started_at = visit.started_at or now
            visit.status = ConsultationStatus.IN_PROGRESS
        visit.save(
            update_fields=[
                "identified_how",
                "identified_by",
                "identified_at",
                "started_at",
                "status",
            ]
        )


def appointment_changed(appointment_id: UUID) -> None:
    """The appointment was moved, cancelled or given to another specialist.

    Nobody is left waiting for what will not come: those who waited start anew with what holds
    now, a cancelled visit is closed, the earlier specialist is no longer in, and an emergency that
    they declared stands in for no consent any more.
    """
    room = Room.objects.filter(consultation__appointment=appointment_id).first()
    if room is None or room.state == State.CLOSED:
        return
    with change(room.pk, "room.appointment_changed", SYSTEM) as locked:
        visit = locked.consultation
        specialists = locked.participants.filter(role=ParticipantRole.SPECIALIST)
        theirs = Q(user=visit.appointment.specialist.user_id)
        specialists.exclude(theirs).update(state=Participant.State.REMOVED, left_at=clock.now())
        # Who gave it away and has it back may come in again.
        specialists.filter(theirs, state=Participant.State.REMOVED).update(
            state=Participant.State.INVITED, left_at=None
        )
        override.end(visit)
        outside = locked.participants.exclude(state__in=rules.INSIDE | rules.OUTSIDE)
        outside.update(state=Participant.State.INVITED, waiting_since=None)
        if visit.appointment.status == AppointmentStatus.CANCELLED:
            locked.state, visit.status = State.CLOSED, ConsultationStatus.CANCELLED
            visit.save(update_fields=["status"])


def pause(room_id: str, by: Participant, actor: Actor) -> None:
    with change(room_id, "room.pause", actor) as room:
        require_specialist(by)
        if room.state == State.IN_SESSION:
            room.state = State.PAUSED


def resume(room_id: str, by: Participant, actor: Actor) -> None:
    with change(room_id, "room.resume", actor) as room:
        require_specialist(by)
        if room.state == State.PAUSED:
            room.state = State.IN_SESSION


@transaction.atomic
def interrupt(room_id: str, holder: Holder) -> None:
    """No professional has been connected for two minutes: media stop, the visit stays open."""
    if not is_held(room_id, holder):
        return
    with change(room_id, "room.interrupt", SYSTEM) as room:
        if room.state == State.IN_SESSION:
            room.state, room.professional_gone_at = State.INTERRUPTED, clock.now()


@transaction.atomic
def continue_(room_id: str, holder: Holder) -> None:
    """A professional is connected again."""
    if not is_held(room_id, holder):
        return
    with change(room_id, "room.continue", SYSTEM) as room:
        if room.state == State.INTERRUPTED:
            room.state, room.professional_gone_at = State.IN_SESSION, None


def confirm_place(
    room_id: str, by: Participant, actor: Actor, *, place: str, phone: str, contact: str
) -> None:
    """Where the patient is now and who can be reached there, for an emergency or a lost line."""
    with change(room_id, "visit.place", actor) as room:
        require(
            by,
            ParticipantRole.PATIENT,
            ParticipantRole.REPRESENTATIVE,
            ParticipantRole.PRESENTER,
            ParticipantRole.SPECIALIST,
        )
        visit = room.consultation
        visit.place_confirmed, visit.phone_confirmed, visit.contact_person = place, phone, contact
        visit.save(update_fields=["place_confirmed", "phone_confirmed", "contact_person"])


def show_emergency(room_id: str, by: Participant, actor: Actor) -> None:
    """Show both sides place, numbers and who calls back."""
    with change(room_id, "visit.emergency", actor, about=by) as room:
        if by.state not in rules.INSIDE:
            raise RoomRefused("not_admitted", _("You are not in the visit yet."))
        room.emergency_at = room.emergency_at or clock.now()


def finish(room_id: str, by: Participant, actor: Actor, mode: str) -> None:
    """End the visit for everybody. By telephone it counts as done even when no media ever came.

    Refused ``not_identified`` while nothing is said of the patient's identity.
    """
    with change(room_id, "visit.finish", actor) as room:
        require_specialist(by)
        if lacks_identification(room.consultation, room.participants.all(), mode):
            raise RoomRefused(
                "not_identified",
                _("First note how the patient was identified, or that they were not."),
            )
        _close(room, by, mode)
        _settle(room, actor)


def lacks_identification(visit: Consultation, people: Iterable[Participant], mode: str) -> bool:
    patient_admitted = any(
        one.role == ParticipantRole.PATIENT and one.admitted_at is not None for one in people
    )
    return rules.identification_is_due(
        visit.identified_how,
        patient_admitted=patient_admitted,
        by_telephone=mode == Consultation.Mode.TELEPHONE,
    )


def _close(room: Room, by: Participant, mode: str) -> None:
    now = clock.now()
    room.state = State.CLOSED
    visit = room.consultation
    visit.mode, visit.status = mode, ConsultationStatus.FINISHED
    visit.finished_at, visit.finished_by = now, by.user
    visit.save(update_fields=["mode", "status", "finished_at", "finished_by"])
    room.participants.exclude(state__in=rules.OUTSIDE).update(
        state=Participant.State.LEFT, left_at=now, next_browser=None, next_since=None
    )


def _somebody_was_seen(room: Room) -> bool:
    others = room.participants.exclude(role=ParticipantRole.SPECIALIST)
    return others.filter(admitted_at__isnull=False).exists()


def _settle(room: Room, actor: Actor) -> None:
    """Whoever was seen or telephoned was seen; an empty room says nothing of the appointment."""
    visit = room.consultation
    if _somebody_was_seen(room) or visit.mode == Consultation.Mode.TELEPHONE:
        set_outcome(visit.appointment, AppointmentStatus.FULFILLED, actor, "finished")
    void_links(visit.appointment, "finished", actor)
