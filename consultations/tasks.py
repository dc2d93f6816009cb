"""What the room does by the clock."""

from celery import shared_task
from django.db.models import Exists, OuterRef

from consultations import queries, rules
from consultations.models import Participant, ParticipantRole
from scheduling.actions.outcome import set_outcome
from scheduling.models import Appointment, AppointmentStatus
from scheduling.rules import JOIN_CLOSES_AFTER
from telemed.audit.actor import SYSTEM
from telemed.lib import clock

UNSETTLED = [AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN]
PATIENT_SIDE = [
    ParticipantRole.PATIENT,
    ParticipantRole.REPRESENTATIVE,
    ParticipantRole.PRESENTER,
]


@shared_task
def settle_attendance() -> None:
    """Say who did not come, for appointments whose join window has closed and where nobody waits
    any more; a person's word stands, and one appointment that fails does not hold up the others."""
    now = clock.now()
    waits = queries.waiting_at(now).filter(room__consultation__appointment=OuterRef("pk"))
    admitted = Participant.objects.filter(
        room__consultation__appointment=OuterRef("pk"),
        role__in=PATIENT_SIDE,
        admitted_at__isnull=False,
    )
    due = Appointment.objects.filter(
        ~Exists(admitted),
        ~Exists(waits),
        status__in=UNSETTLED,
        outcome_set_by__isnull=True,
        outcome_reason="",
        ends_at__lt=now - JOIN_CLOSES_AFTER,
        voided_at__isnull=True,
    )
    for appointment in due.select_related("service", "patient", "specialist"):
        settled = rules.outcome_after(attendance(appointment))
        if settled is not None:
            status, reason = settled
            set_outcome(appointment, status, SYSTEM, reason)


def attendance(appointment: Appointment) -> rules.Attendance:
    people = list(
        Participant.objects.filter(
            room__consultation__appointment=appointment, voided_at__isnull=True
        )
    )
    theirs = [one for one in people if one.role in PATIENT_SIDE]
    return rules.Attendance(
        specialist_reached=any(
            one.role == ParticipantRole.SPECIALIST and one.admitted_at for one in people
        ),
        patient_reached=appointment.arrived_at is not None
        or any(one.waiting_since for one in theirs),
        patient_opened=any(one.opened_at or one.unable_reason for one in theirs),
        patient_admitted=any(one.admitted_at for one in theirs),
        trouble=next((one.unable_reason for one in theirs if one.unable_reason), ""),
    )
