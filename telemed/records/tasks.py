"""Paper is drawn by a worker, never by a page."""

from uuid import UUID

from celery import shared_task
from django.db import IntegrityError, transaction

from telemed.records.document import pdf
from telemed.records.models import Summary, SummaryDocument

_RELATED = (
    "consultation__appointment__patient__organisation",
    "consultation__appointment__specialist__user",
    "consultation__appointment__specialist__organisation",
    "consultation__appointment__service__speciality",
    "consultation__appointment__site",
)


@shared_task
def make_document(summary_id: str) -> None:
    rows = Summary.objects.filter(pk=UUID(summary_id), released_at__isnull=False, document=None)
    summary = rows.select_related(*_RELATED).first()
    if summary is None:
        return
    content = pdf(summary)
    try:
        with transaction.atomic():
            SummaryDocument.objects.create(summary=summary, content=content)
    except IntegrityError:
        return  # another worker drew the same meanwhile


@shared_task
def make_missing_documents() -> None:
    """What was released while no worker listened."""
    rows = Summary.objects.filter(released_at__isnull=False, voided_at__isnull=True, document=None)
    for summary_id in rows.values_list("pk", flat=True):
        make_document.delay(str(summary_id))
