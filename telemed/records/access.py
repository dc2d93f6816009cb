"""Who reaches what a visit left in writing. The fetch is the permission."""

from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404

from consultations.models import Consultation
from scheduling.access import appointments_in
from telemed.accounts.access import Viewer
from telemed.accounts.roles import May
from telemed.records.models import Note, Summary

_RELATED = (
    "appointment__patient",
    "appointment__specialist__user",
    "appointment__specialist__organisation",
    "appointment__service__speciality",
    "appointment__site",
    "organisation",
)


def consultation_for(viewer: Viewer, consultation_id: UUID) -> Consultation:
    """For writing and reading notes: the performing specialist's, and those in which they wrote
    before the visit was given to somebody else. ``Http404`` when foreign or absent."""
    performs = Q(appointment__in=appointments_in(viewer, May.NOTE_WRITE).values("pk"))
    wrote = Q(notes__author=viewer.user)
    rows = Consultation.objects.filter(performs | wrote, voided_at__isnull=True)
    names = Prefetch("appointment__patient__names")
    found = rows.select_related(*_RELATED).prefetch_related(names).filter(pk=consultation_id)
    consultation = found.first()
    if consultation is None:
        raise Http404
    return consultation


def notes_in(viewer: Viewer, consultation: Consultation) -> QuerySet[Note]:
    """What was signed, by whomever, and the reader's own draft; nobody else's."""
    mine_or_signed = Q(author=viewer.user) | Q(signed_at__isnull=False)
    rows = Note.objects.filter(mine_or_signed, consultation=consultation, voided_at__isnull=True)
    return rows.select_related("author").order_by("received_at")


def note_for(viewer: Viewer, note_id: UUID) -> Note:
    """Their own note; ``Http404`` when another's or absent."""
    rows = Note.objects.filter(pk=note_id, author=viewer.user, voided_at__isnull=True)
    note = rows.select_related("consultation__appointment__patient").first()
    if note is None:
        raise Http404
    return note


def summary_for(viewer: Viewer, consultation_id: UUID) -> Summary:
    """A released summary: the patient's, for whoever may read it for them."""
    appointments = appointments_in(viewer, May.SUMMARY_READ).values("pk")
    rows = Summary.objects.filter(
        consultation=consultation_id,
        consultation__appointment__in=appointments,
        released_at__isnull=False,
        voided_at__isnull=True,
    )
    related = (f"consultation__{name}" for name in _RELATED)
    summary = rows.select_related("author", "document", *related).first()
    if summary is None:
        raise Http404
    return summary
