"""Keeping a slot for some minutes while somebody confirms."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from scheduling import occupancy, queries
from scheduling.models import Hold, Service
from scheduling.refusals import Refused
from scheduling.rules import HOLDS_AT_ONCE
from telemed.accounts.models import Patient
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


def hold_slot(
    service: Service,
    starts_at: datetime,
    patient: Patient,
    actor: Actor,
    *,
    replaces: Hold | None = None,
    hold_id: uuid.UUID | None = None,
) -> Hold:
    """Keep the slot for ``BOOKING_HOLD``; a repeat with the same ``hold_id`` returns the first.

    ``replaces`` is given back in the same transaction. Refused: ``slot_taken``, ``not_offered``
    (both with alternatives), ``too_many_holds``.
    """
    if actor.id is None:
        raise ValueError("a hold is somebody's")
    now = clock.now()
    hold_id = hold_id or uuid.uuid4()
    refuse_unless_offered(service, service.specialist_id, patient, starts_at, now)
    replaced = replaces.pk if replaces else None
    claimed = occupancy.claim(
        service, service.specialist_id, patient, starts_at, now, but_hold=replaced
    )
    with claimed as wanted:
        if known := Hold.objects.filter(pk=hold_id, held_by_id=actor.id).first():
            return known
        if replaces is not None:
            replaces.delete()
        if _live(patient, actor, now) >= HOLDS_AT_ONCE:
            raise Refused(
                "too_many_holds", _("You are keeping several times already. Book or leave one.")
            )
        hold = Hold.objects.create(
            id=hold_id,
            service=service,
            patient=patient,
            held_by_id=actor.id,
            starts_at=starts_at,
            expires_at=now + settings.BOOKING_HOLD,
            created_at=now,
        )
        occupancy.occupy(wanted, service, starts_at, hold=hold)
        audit.record(
            "slot.hold", actor, patient=patient.pk, subject=("hold", hold.pk), purpose="booking"
        )
    return hold


def release_hold(hold: Hold, actor: Actor) -> None:
    """Give the slot back; nothing when it is gone already."""
    with transaction.atomic():
        deleted, _rows = Hold.objects.filter(pk=hold.pk).delete()
        if deleted:
            audit.record(
                "slot.release",
                actor,
                patient=hold.patient_id,
                subject=("hold", hold.pk),
                purpose="booking",
            )


def refuse_unless_bookable(service: Service) -> None:
    """Service, specialist and place may have been retired since the page was read."""
    if not queries.bookable_services().filter(pk=service.pk).exists():
        raise Refused("not_offered", _("This time cannot be booked."), alternatives=[])


def refuse_unless_offered(
    service: Service,
    specialist_id: uuid.UUID,
    patient: Patient,
    starts_at: datetime,
    now: datetime,
) -> None:
    if not queries.is_offered(service, specialist_id, starts_at, now):
        raise Refused(
            "not_offered",
            _("This time cannot be booked."),
            alternatives=queries.alternatives(service, specialist_id, patient, max(starts_at, now)),
        )


def _live(patient: Patient, actor: Actor, now: datetime) -> int:
    return Hold.objects.filter(patient=patient, held_by_id=actor.id, expires_at__gt=now).count()
