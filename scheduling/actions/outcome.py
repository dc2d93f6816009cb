"""What became of an appointment. A person's word is never overwritten by an automatic one."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from scheduling import occupancy, rules
from scheduling.models import Appointment, AppointmentStatus
from scheduling.refusals import Refused
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


def stamp_arrival(appointment: Appointment, actor: Actor) -> bool:
    """The first arrival, once; True for the call that stamped it."""
    with transaction.atomic():
        row = Appointment.objects.filter(pk=appointment.pk, arrived_at__isnull=True)
        stamped = row.exclude(status__in=rules.FINAL).update(arrived_at=clock.now())
        if stamped:
            Appointment.objects.filter(
                pk=appointment.pk,
                status__in=[AppointmentStatus.BOOKED, AppointmentStatus.PENDING],
            ).update(status=AppointmentStatus.ARRIVED)
            appointment.refresh_from_db()
            _audit("appointment.arrive", appointment, actor)
    return bool(stamped)


def set_outcome(
    appointment: Appointment,
    status: str,
    actor: Actor,
    reason: str = "",
    manual: bool = False,
) -> bool:
    """Set ``checked-in``, ``fulfilled``, ``noshow`` or, to undo, an earlier state.

    An automatic outcome changes nothing, and answers False, when a person has set one or the
    state does not allow it; a manual one is refused ``wrong_state`` then. A state that takes time
    again is refused ``slot_taken`` when the time was given to others meanwhile.
    """
    claimed = occupancy.claim(
        appointment.service,
        appointment.specialist_id,
        appointment.patient,
        appointment.starts_at,
        clock.now(),
        but_appointment=appointment.pk,
    )
    with claimed as wanted:
        before = Appointment.objects.values_list("status", flat=True).get(pk=appointment.pk)
        row = Appointment.objects.filter(pk=appointment.pk, status=before)
        if not manual:
            row = row.filter(outcome_set_by__isnull=True)
        changed: dict[str, object] = {"status": status, "outcome_reason": reason}
        if manual:
            changed["outcome_set_by"] = actor.id
        if before == status or not rules.may_become(before, status) or not row.update(**changed):
            if manual and before != status:
                raise Refused("wrong_state", _("The appointment is not in a state for this."))
            return False
        appointment.refresh_from_db()
        if not rules.occupies_time(status):
            occupancy.vacate(appointment)
        elif not rules.occupies_time(before):
            occupancy.occupy(
                wanted, appointment.service, appointment.starts_at, appointment=appointment
            )
        _audit("appointment.outcome", appointment, actor, code=status)
    return True


def _audit(action: str, appointment: Appointment, actor: Actor, code: str = "") -> None:
    audit.record(
        action,
        actor,
        patient=appointment.patient_id,
        organisation=appointment.organisation_id,
        subject=("appointment", appointment.pk),
        code=code,
    )
