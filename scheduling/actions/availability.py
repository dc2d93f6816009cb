"""Changing when a specialist can be booked. Nothing is deleted: what no longer holds is retired.

What is booked already stays booked; the pages show what a change leaves outside of the hours.
"""

from django.db import transaction

from scheduling.models import AvailabilityException, AvailabilityRule, Leave
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock

Entry = AvailabilityRule | AvailabilityException | Leave


def add_availability(entry: Entry, actor: Actor) -> None:
    """Store a rule, an exception or a leave."""
    with transaction.atomic():
        entry.save(force_insert=True)
        _audit("availability.add", entry, actor)


def retire_availability(entry: Entry, actor: Actor) -> None:
    """From now on it does not count; a repeat changes nothing."""
    with transaction.atomic():
        rows = type(entry)._default_manager.filter(pk=entry.pk, retired_at__isnull=True)
        if rows.update(retired_at=clock.now()):
            _audit("availability.retire", entry, actor)


def _audit(action: str, entry: Entry, actor: Actor) -> None:
    audit.record(
        action,
        actor,
        organisation=entry.specialist.organisation_id,
        subject=("specialist", entry.specialist_id),
        code=type(entry).__name__.lower(),
        purpose="booking",
    )
