"""New zone data: the wall time that people agreed on stays, the moment follows."""

from datetime import timedelta
from uuid import UUID

from scheduling import messages, occupancy, rules, signals, walltime
from scheduling.models import Appointment, PersonalLink
from scheduling.refusals import Refused
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


def rederive(appointment_id: UUID, actor: Actor) -> bool:
    """Set the moment anew from the wall time; True when it changed. A repeat changes nothing.

    When the new moment is taken (two zones met in one diary) the appointment stays where it is
    and the refusal is audited: its hours page shows it to people.
    """
    appointment = Appointment.objects.select_related("service", "patient").get(pk=appointment_id)
    if appointment.status not in rules.CHANGEABLE:
        return False
    starts_at = walltime.derived(appointment)
    if starts_at == appointment.starts_at:
        Appointment.objects.filter(pk=appointment.pk).update(
            tzdata_version=walltime.tzdata_version()
        )
        return False
    try:
        _shift(appointment, starts_at - appointment.starts_at, actor)
    except Refused as refused:
        audit.refused(
            "appointment.rederive",
            actor,
            refused.code,
            patient=appointment.patient_id,
            subject=("appointment", appointment.pk),
            purpose="operation",
        )
        return False
    return True


def _shift(appointment: Appointment, by: timedelta, actor: Actor) -> None:
    service, starts_at = appointment.service, appointment.starts_at + by
    claimed = occupancy.claim(
        service,
        appointment.specialist_id,
        appointment.patient,
        starts_at,
        clock.now(),
        but_appointment=appointment.pk,
    )
    with claimed as wanted:
        row = Appointment.objects.filter(pk=appointment.pk, sequence=appointment.sequence)
        if not row.update(
            starts_at=starts_at,
            ends_at=appointment.ends_at + by,
            tzdata_version=walltime.tzdata_version(),
            sequence=appointment.sequence + 1,
        ):
            return  # changed meanwhile, with today's zone data
        appointment.refresh_from_db()
        occupancy.vacate(appointment)
        occupancy.occupy(wanted, service, starts_at, appointment=appointment)
        # The links that people have go on to work: what they were told has not changed.
        live = PersonalLink.objects.filter(appointment=appointment, voided_at__isnull=True)
        live.update(expires_at=appointment.ends_at + rules.LINK_LIVES_AFTER)
        messages.remind(appointment)
        signals.tell(signals.appointment_moved, appointment.pk)
        audit.record(
            "appointment.rederive",
            actor,
            patient=appointment.patient_id,
            organisation=appointment.organisation_id,
            subject=("appointment", appointment.pk),
            purpose="operation",
        )
