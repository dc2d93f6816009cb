"""Changing what was booked: confirm, move, cancel, give to another specialist."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from scheduling import messages, occupancy, rules, signals, walltime
from scheduling.actions.hold import refuse_unless_offered
from scheduling.actions.link import give_patient_link, void_links
from scheduling.models import Appointment, AppointmentStatus, Specialist
from scheduling.refusals import Refused
from telemed.accounts.roles import Role
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock

WHY_NOT = {
    "wrong_state": _("This appointment can no longer be changed."),
    "too_late": _("It is too late to change this here. Please telephone the health centre."),
    "stale": _("This appointment was changed meanwhile. Look at it again."),
}


def confirm(appointment: Appointment, actor: Actor) -> Appointment:
    """The specialist's side accepts a pending appointment; one of two at once wins."""
    with transaction.atomic():
        now = clock.now()
        row = Appointment.objects.filter(pk=appointment.pk, status=AppointmentStatus.PENDING)
        if not row.update(
            status=AppointmentStatus.BOOKED, confirmed_at=now, sequence=F("sequence") + 1
        ):
            raise refusal("wrong_state")
        appointment.refresh_from_db()
        messages.announce(appointment, "confirmed")
        _audit("appointment.confirm", appointment, actor)
    return appointment


def confirm_attendance(appointment: Appointment, actor: Actor) -> Appointment:
    """The patient's side says that they will come; a repeat changes nothing."""
    with transaction.atomic():
        now = clock.now()
        row = Appointment.objects.filter(pk=appointment.pk, status=AppointmentStatus.BOOKED)
        if row.filter(attendance_confirmed_at__isnull=True).update(attendance_confirmed_at=now):
            _audit("appointment.confirm_attendance", appointment, actor)
        elif not row.exists():
            raise refusal("wrong_state")
        appointment.refresh_from_db()
    return appointment


def move(
    appointment: Appointment,
    starts_at: datetime,
    actor: Actor,
    *,
    sequence: int | None = None,
    offered_only: bool = True,
) -> Appointment:
    """To another time with the same specialist. ``sequence`` is the one that the mover saw.

    What the specialist has to accept waits for it again when the patient's side moves it.

    Refused: ``slot_taken``, ``not_offered`` (with alternatives), ``too_late``, ``wrong_state``,
    ``stale``.
    """
    service, patient, now = appointment.service, appointment.patient, clock.now()
    _refuse_if_closed(appointment, actor, now)
    patient_side = actor.role == Role.PATIENT
    if offered_only or starts_at <= now:
        refuse_unless_offered(service, appointment.specialist_id, patient, starts_at, now)
    claimed = occupancy.claim(
        service,
        appointment.specialist_id,
        patient,
        starts_at,
        now,
        but_appointment=appointment.pk,
    )
    with claimed as wanted:
        seen = appointment.sequence if sequence is None else sequence
        walltime.stamp(
            appointment,
            starts_at,
            starts_at + timedelta(minutes=service.minutes),
            appointment.time_zone,
        )
        _advance(
            appointment,
            seen,
            starts_at=appointment.starts_at,
            ends_at=appointment.ends_at,
            local_start=appointment.local_start,
            tzdata_version=appointment.tzdata_version,
            attendance_confirmed_at=None,
            **_standing_after_move(appointment, patient_side=patient_side),
        )
        occupancy.vacate(appointment)
        occupancy.occupy(wanted, service, starts_at, appointment=appointment)
        _renew_link(appointment, "moved", actor)
        messages.announce(appointment, "moved")
        signals.tell(signals.appointment_moved, appointment.pk)
        _audit("appointment.move", appointment, actor)
    return appointment


def cancel(appointment: Appointment, actor: Actor, reason: str = "") -> Appointment:
    """Refused: ``too_late`` for the patient's side after the cut-off, ``wrong_state``."""
    _refuse_if_closed(appointment, actor, clock.now())
    with transaction.atomic():
        now = clock.now()
        row = Appointment.objects.filter(pk=appointment.pk, status__in=rules.CHANGEABLE)
        if not row.update(
            status=AppointmentStatus.CANCELLED,
            cancelled_at=now,
            cancelled_by=_user(actor),
            sequence=F("sequence") + 1,
        ):
            raise refusal("wrong_state")
        appointment.refresh_from_db()
        if reason:
            appointment.cancel_reason = reason
            appointment.save(update_fields=["cancel_reason"])
        occupancy.vacate(appointment)
        void_links(appointment, "cancelled", actor)
        messages.announce(appointment, "cancelled")
        signals.tell(signals.appointment_cancelled, appointment.pk)
        _audit("appointment.cancel", appointment, actor)
    return appointment


def reassign(appointment: Appointment, specialist: Specialist, actor: Actor) -> Appointment:
    """Another specialist performs it at the same time; who was requested stays on record.

    Refused: ``wrong_speciality``, ``wrong_state``, ``slot_taken`` with times when the other one
    is free.
    """
    service, patient, now = appointment.service, appointment.patient, clock.now()
    previous = appointment.specialist
    _refuse_if_closed(appointment, actor, now)
    if not specialist.specialities.filter(pk=service.speciality_id).exists():
        raise Refused("wrong_speciality", _("This specialist does not practise the speciality."))
    claimed = occupancy.claim(
        service,
        specialist.pk,
        patient,
        appointment.starts_at,
        now,
        but_appointment=appointment.pk,
    )
    with claimed as wanted:
        _advance(appointment, appointment.sequence, specialist=specialist)
        occupancy.vacate(appointment)
        occupancy.occupy(wanted, service, appointment.starts_at, appointment=appointment)
        messages.announce(appointment, "reassigned")
        messages.take_back(appointment, previous)
        signals.tell(signals.appointment_reassigned, appointment.pk)
        _audit("appointment.reassign", appointment, actor)
    return appointment


def closes_at(appointment: Appointment) -> datetime:
    """Until when the patient's side may change it."""
    return rules.changes_close_at(
        appointment.starts_at, appointment.received_at, settings.BOOKING_CUT_OFF
    )


def why_not(appointment: Appointment, actor: Actor, now: datetime) -> str:
    """The code that says why this actor may not change it now, empty when they may."""
    return rules.may_change(
        appointment.status,
        closes_at(appointment),
        now,
        patient_side=actor.role == Role.PATIENT,
    )


def refusal(code: str) -> Refused:
    return Refused(code, WHY_NOT[code])


def _refuse_if_closed(appointment: Appointment, actor: Actor, now: datetime) -> None:
    if code := why_not(appointment, actor, now):
        raise refusal(code)


def _standing_after_move(appointment: Appointment, *, patient_side: bool) -> dict[str, object]:
    """Status and what follows from it, read again now that the row is locked.

    An arrival was at the earlier time: nobody has come to the new one yet.
    """
    row = Appointment.objects.select_for_update().select_related(None).get(pk=appointment.pk)
    changed = rules.after_move(
        row.status,
        needs_confirmation=appointment.service.needs_confirmation,
        accepted=row.confirmed_at is not None,
        patient_side=patient_side,
    )
    return {
        "status": changed,
        "arrived_at": None if row.status == AppointmentStatus.ARRIVED else row.arrived_at,
        "confirmed_at": None if changed == AppointmentStatus.PENDING else row.confirmed_at,
    }


def _advance(appointment: Appointment, seen: int, **changed: object) -> None:
    """Change the row if nobody changed it since ``seen``, and raise its sequence."""
    row = Appointment.objects.filter(pk=appointment.pk, sequence=seen, status__in=rules.CHANGEABLE)
    if not row.update(sequence=seen + 1, **changed):
        raise refusal("stale")
    appointment.refresh_from_db()


def _renew_link(appointment: Appointment, why: str, actor: Actor) -> None:
    void_links(appointment, why, actor)
    give_patient_link(appointment, actor)


def _user(actor: Actor) -> UUID | None:
    return actor.id if actor.kind == "user" else None


def _audit(action: str, appointment: Appointment, actor: Actor) -> None:
    audit.record(
        action,
        actor,
        patient=appointment.patient_id,
        organisation=appointment.organisation_id,
        subject=("appointment", appointment.pk),
        purpose="booking",
    )
