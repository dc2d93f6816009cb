"""What scheduling does by the clock. Each finds its work in the database; a repeat does no harm."""

from celery import shared_task

from scheduling import actions, rules
from scheduling.models import Appointment
from scheduling.walltime import tzdata_version
from telemed.audit.actor import SYSTEM
from telemed.lib import clock


@shared_task
def rederive_times() -> None:
    """After new zone data: every coming appointment keeps its wall time, whatever UTC that is.

    Neighbours shift together, so whoever goes first must have nobody in front: the last first
    when they shift later, the first when sooner. Both orders are gone through.
    """
    rows = Appointment.objects.filter(status__in=rules.CHANGEABLE, starts_at__gt=clock.now())
    stale = rows.exclude(tzdata_version=tzdata_version())
    for order in ("-starts_at", "starts_at"):
        for id in list(stale.order_by(order).values_list("id", flat=True)):
            actions.rederive(id, SYSTEM)
