"""Taking and giving back time: the only writer of the table of occupied intervals."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from scheduling import constraint, queries
from scheduling.models import Appointment, Hold, OccupiedInterval, Service
from scheduling.refusals import Refused
from scheduling.rules import Resource
from telemed.accounts.models import Patient


@contextmanager
def claim(
    service: Service,
    specialist_id: UUID,
    patient: Patient,
    starts_at: datetime,
    now: datetime,
    *,
    but_hold: UUID | None = None,
    but_appointment: UUID | None = None,
) -> Iterator[list[Resource]]:
    """A transaction that may occupy these resources: they are locked, expired holds keep nothing.

    Raises ``Refused("slot_taken")`` with alternatives when the database says that they overlap.
    ``but_…`` names what is being given up for it, which alternatives may use.
    """
    wanted = queries.resources(service, specialist_id, patient.pk)
    try:
        with transaction.atomic():
            _lock(wanted)
            ids = [resource.id for resource in wanted]
            expired = Hold.objects.filter(expires_at__lte=now, occupies__resource__in=ids)
            OccupiedInterval.objects.filter(hold__in=expired).delete()
            yield wanted
    except IntegrityError as error:
        if not constraint.is_overlap(error):
            raise
        raise Refused(
            "slot_taken",
            _("Somebody has just taken this time."),
            alternatives=queries.alternatives(
                service,
                specialist_id,
                patient,
                starts_at,
                but_hold=but_hold,
                but_appointment=but_appointment,
            ),
        ) from None


def occupy(
    wanted: Sequence[Resource],
    service: Service,
    starts_at: datetime,
    *,
    hold: Hold | None = None,
    appointment: Appointment | None = None,
) -> None:
    """Raises IntegrityError (the constraint) when one of them is taken: call it in ``claim``."""
    needs = queries.shape(service)
    rows = []
    for resource in wanted:
        start, end = needs.occupies(resource.kind, starts_at)
        rows.append(
            OccupiedInterval(
                resource_kind=resource.kind,
                resource=resource.id,
                starts_at=start,
                ends_at=end,
                hold=hold,
                appointment=appointment,
            )
        )
    OccupiedInterval.objects.bulk_create(rows)


def hand_over(hold: Hold, appointment: Appointment) -> bool:
    """Give what a live hold keeps to the appointment; False when the hold is no more."""
    kept = OccupiedInterval.objects.filter(hold_id=hold.pk)
    return kept.update(hold=None, appointment=appointment) > 0


def vacate(appointment: Appointment) -> None:
    OccupiedInterval.objects.filter(appointment=appointment).delete()


def _lock(wanted: Sequence[Resource]) -> None:
    """One writer at a time for each resource, in one order, so that losers do not deadlock.

    Two transactions that insert overlapping rows under an exclusion constraint wait for each
    other until PostgreSQL kills one. SQLite's IMMEDIATE transactions are alone already.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for resource in wanted:
            number = int.from_bytes(resource.id.bytes[:8], signed=True)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
