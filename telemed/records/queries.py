"""What day pages ask of the records: reading only."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from consultations.models import Consultation
from telemed.accounts.models import User
from telemed.records.models import Note, Summary
from telemed.records.rules import SIGN_WITHIN


def unsigned_notes(author: User, now: datetime) -> QuerySet[Note]:
    """Their drafts that lie for a day or longer, the oldest first."""
    drafts = Note.objects.filter(author=author, signed_at__isnull=True, voided_at__isnull=True)
    old = drafts.filter(saved_at__lte=now - SIGN_WITHIN)
    return old.select_related("consultation__appointment__patient").order_by("saved_at")


def released_for(patients: Collection[UUID]) -> dict[UUID, Summary]:
    """What was released to these patients, by appointment id."""
    rows = Summary.objects.filter(
        consultation__appointment__patient__in=patients,
        released_at__isnull=False,
        voided_at__isnull=True,
    ).select_related("consultation")
    return {row.consultation.appointment_id: row for row in rows}


def patient_of_consultation(consultation_id: UUID) -> UUID | None:
    rows = Consultation.objects.filter(pk=consultation_id)
    return rows.values_list("appointment__patient", flat=True).first()


def patient_of_note(note_id: UUID) -> UUID | None:
    rows = Note.objects.filter(pk=note_id)
    return rows.values_list("consultation__appointment__patient", flat=True).first()
