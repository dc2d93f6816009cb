"""The patient is told that a summary is ready; what it says stays behind the sign-in."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from scheduling.recipients import recipients, themselves
from telemed.messaging import outbox, registry
from telemed.messaging.registry import Content
from telemed.records.models import Summary

RELEASED = "summary.released"


def announce(summary: Summary) -> None:
    """Ask for a message to everybody who is told of this patient's visits."""
    appointment = summary.consultation.appointment
    for person in recipients(appointment):
        outbox.enqueue(
            RELEASED,
            person.channel,
            person.address,
            person.language,
            {"summary": summary.pk, "appointment": appointment.pk, person.means: person.row},
            appointment.organisation_id,
            f"{summary.pk}:released:{person.row}",
        )


def register() -> None:
    registry.register(RELEASED, _render)


def _render(references: dict[str, UUID], language: str) -> Content | None:
    rows = Summary.objects.filter(
        pk=references["summary"], released_at__isnull=False, voided_at__isnull=True
    )
    summary = rows.select_related("consultation__appointment__patient").first()
    if summary is None:
        return None
    appointment = summary.consultation.appointment
    patient = appointment.patient
    own = references.get("contact") or references.get("login")
    if own is not None and own not in {person.row for person in themselves(appointment)}:
        return None
    link = f"{settings.PUBLIC_URL}{reverse('records:summary', args=[summary.consultation_id])}"
    if "presenter" in references:
        text = _("a document for a patient of your centre is ready to be printed: %(link)s")
    elif "contact" in references and patient.user_id is None:
        text = _("a document is ready. Your health centre can print it for you.")
    else:
        text = _("a document is ready: %(link)s")
    return Content(_("A document is ready"), f"Telemed: {text % {'link': link}}")
