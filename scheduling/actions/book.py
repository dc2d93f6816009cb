"""Booking: from a hold, or at once where somebody books for another."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from scheduling import messages, occupancy, signals, walltime
from scheduling.actions.hold import refuse_unless_bookable, refuse_unless_offered
from scheduling.actions.link import give_patient_link
from scheduling.models import Appointment, AppointmentStatus, Hold, Service
from telemed.accounts.models import Patient, Representative
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


def book(
    hold: Hold,
    actor: Actor,
    *,
    reason: str = "",
    intake: dict[str, Any] | None = None,
    representative: Representative | None = None,
    device_time: datetime | None = None,
) -> Appointment:
    """Make the held slot an appointment, with the hold's id: a repeat returns the first one.

    A hold that has expired still books when nobody took the slot meanwhile (else ``slot_taken``)
    and it is still offered (else ``not_offered``, as for a time that has begun).
    """
    service, now = hold.service, clock.now()
    claimed = occupancy.claim(service, service.specialist_id, hold.patient, hold.starts_at, now)
    with claimed as wanted:
        if known := Appointment.objects.filter(pk=hold.pk).first():
            return known
        if hold.expires_at <= now or hold.starts_at <= now:
            refuse_unless_bookable(service)
            refuse_unless_offered(service, service.specialist_id, hold.patient, hold.starts_at, now)
        appointment = _new(service, hold.patient, hold.starts_at, actor, hold.pk)
        _fill(appointment, reason, intake, representative, device_time)
        if not occupancy.hand_over(hold, appointment):
            occupancy.occupy(wanted, service, hold.starts_at, appointment=appointment)
        Hold.objects.filter(pk=hold.pk).delete()
        _finish(appointment, actor)
    return appointment


def book_at(
    service: Service,
    starts_at: datetime,
    patient: Patient,
    actor: Actor,
    *,
    reason: str = "",
    intake: dict[str, Any] | None = None,
    representative: Representative | None = None,
    appointment_id: uuid.UUID | None = None,
    offered_only: bool = True,
) -> Appointment:
    """Book without a hold. ``offered_only=False`` goes outside of the specialist's hours, never
    into taken or past time. Refused: ``slot_taken``, ``not_offered``, both with alternatives."""
    now = clock.now()
    appointment_id = appointment_id or uuid.uuid4()
    if offered_only or starts_at <= now:
        refuse_unless_offered(service, service.specialist_id, patient, starts_at, now)
    claimed = occupancy.claim(service, service.specialist_id, patient, starts_at, now)
    with claimed as wanted:
        if known := Appointment.objects.filter(pk=appointment_id).first():
            return known
        appointment = _new(service, patient, starts_at, actor, appointment_id)
        _fill(appointment, reason, intake, representative, None)
        occupancy.occupy(wanted, service, starts_at, appointment=appointment)
        _finish(appointment, actor)
    return appointment


def _new(
    service: Service, patient: Patient, starts_at: datetime, actor: Actor, id: uuid.UUID
) -> Appointment:
    appointment = Appointment(
        id=id,
        organisation=service.site or patient.organisation,
        patient=patient,
        service=service,
        requested_specialist=service.specialist,
        specialist=service.specialist,
        patient_place=service.patient_place,
        site=service.site,
        status=(
            AppointmentStatus.PENDING if service.needs_confirmation else AppointmentStatus.BOOKED
        ),
        booked_by_id=actor.id if actor.kind == "user" else None,
    )
    zone = walltime.zone_for(service, patient)
    walltime.stamp(appointment, starts_at, starts_at + timedelta(minutes=service.minutes), zone)
    return appointment


def _fill(
    appointment: Appointment,
    reason: str,
    intake: dict[str, Any] | None,
    representative: Representative | None,
    device_time: datetime | None,
) -> None:
    appointment.reason = reason
    appointment.intake = intake or {}
    appointment.representative = representative
    appointment.device_time = device_time
    appointment.save(force_insert=True)


def _finish(appointment: Appointment, actor: Actor) -> None:
    give_patient_link(appointment, actor)
    messages.announce(appointment, "booked")
    signals.tell(signals.appointment_booked, appointment.pk)
    audit.record(
        "appointment.book",
        actor,
        patient=appointment.patient_id,
        organisation=appointment.organisation_id,
        subject=("appointment", appointment.pk),
        purpose="booking",
    )
