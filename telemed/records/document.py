"""A released summary on paper, in the patient's language."""

from django.utils import translation
from django.utils.translation import gettext as _

from telemed.accounts.names import display_name, user_name
from telemed.lib import formats
from telemed.lib.fields import localized
from telemed.lib.pdf import Document
from telemed.records.models import Summary


def pdf(summary: Summary) -> bytes:
    """The same summary gives the same bytes."""
    with translation.override(summary.language):
        return _draw(summary)


def _draw(summary: Summary) -> bytes:
    if summary.released_at is None:
        raise ValueError("a summary goes on paper once it is released")
    language, visit = summary.language, summary.consultation
    appointment = visit.appointment
    specialist = appointment.specialist
    paper = Document(
        language,
        _("Summary of your visit"),
        reference=str(visit.pk)[:8],
        made_at=summary.released_at,
    )
    paper.facts(
        [
            (_("Patient"), display_name(appointment.patient, language)),
            (_("Day"), formats.in_words(appointment.starts_at, appointment.time_zone, language)),
            (_("Specialist"), user_name(specialist.user, language)),
            (_("Speciality"), localized(appointment.service.speciality.name, language)),
            (_("Registration number"), formats.isolated(specialist.registration_number)),
            (_("Place"), localized(specialist.organisation.name, language)),
        ]
    )
    paper.section(_("What was said and decided"))
    for paragraph in summary.text.splitlines():
        if paragraph.strip():
            paper.paragraph(paragraph)
    paper.section(_("If it gets worse"))
    site = appointment.site or appointment.patient.organisation
    number = site.emergency_number or specialist.organisation.emergency_number
    if number:
        told = _("In an emergency do not wait: telephone %(number)s.")
        paper.paragraph(told % {"number": formats.isolated(number)})
    else:
        paper.paragraph(_("In an emergency do not wait: telephone the emergency number."))
    return paper.as_bytes()
