"""Writing the audit: the only way an event comes into being."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from telemed.audit.actor import Actor
from telemed.audit.chain import GENESIS, digest
from telemed.audit.models import Event
from telemed.lib import clock, request_id

# One number for all processes: pg_advisory_xact_lock(bigint), "audit" in ASCII.
APPEND_LOCK = 0x6175646974


def record(
    action: str,
    actor: Actor,
    *,
    patient: UUID | None = None,
    organisation: UUID | None = None,
    subject: tuple[str, UUID] | None = None,
    outcome: str = Event.Outcome.DONE,
    code: str = "",
    purpose: str = "care",
) -> Event:
    """Append one event.

    Call it as the last statement of the action's transaction: it takes the lock that puts all
    events in one order, and holds it until that transaction ends. For a reading call it before
    the answer leaves. ``organisation`` defaults to the place that the actor acts from.
    """
    kind, about = subject or ("", None)
    values: dict[str, Any] = {
        "at": clock.now(),
        "action": action,
        "outcome": str(outcome),
        "code": code,
        "actor": actor.id,
        "actor_kind": actor.kind,
        "on_behalf_of": actor.on_behalf_of,
        "role": actor.role,
        "organisation": organisation or actor.organisation,
        "patient": patient,
        "subject_kind": kind,
        "subject": about,
        "purpose": purpose,
        "request_id": request_id.current(),
    }
    with transaction.atomic():
        values["previous"] = _last_digest()
        values["digest"] = digest(values, settings.AUDIT_KEY)
        return Event.objects.create(**values)


def refused(
    action: str,
    actor: Actor,
    code: str,
    *,
    patient: UUID | None = None,
    organisation: UUID | None = None,
    subject: tuple[str, UUID] | None = None,
    purpose: str = "care",
) -> Event:
    """Append that something was refused, after the refusing transaction was rolled back."""
    return record(
        action,
        actor,
        patient=patient,
        organisation=organisation,
        subject=subject,
        outcome=Event.Outcome.REFUSED,
        code=code,
        purpose=purpose,
    )


def _last_digest() -> str:
    """The end of the chain, with all other appenders shut out until this transaction ends.

    SQLite's transactions are IMMEDIATE here, so the writer is alone already.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [APPEND_LOCK])
    last = Event.objects.order_by("-id").values_list("digest", flat=True).first()
    return last or GENESIS
