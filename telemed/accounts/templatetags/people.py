"""How people and places are named on a page."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.utils.translation import gettext_lazy

from telemed.accounts import contacts, names
from telemed.accounts.models import ContactPoint, Organisation, Patient, SpokenLanguage, User
from telemed.lib import formats
from telemed.lib.fields import localized

register = template.Library()


@register.filter
def display_name(patient: Patient) -> str:
    return names.display_name(patient)


@register.filter
def other_names(patient: Patient) -> list[str]:
    """The name in the scripts that ``display_name`` did not show."""
    rows = patient.names.filter(voided_at__isnull=True)
    written = (f"{row.given} {row.family}".strip() for row in rows)
    return [name for name in written if name != names.display_name(patient)]


@register.filter
def user_name(user: User) -> str:
    return names.user_name(user)


@register.filter
def place_name(organisation: Organisation) -> str:
    return localized(organisation.name)


@register.filter
def birth(patient: Patient) -> str:
    """As exactly as it is known: the day, or "1985", or "≈ 1985"; "" when unknown."""
    if patient.birth_date is None:
        return ""
    if patient.birth_precision == Patient.BirthPrecision.DAY:
        return formats.plain_day(patient.birth_date)
    year = str(patient.birth_date.year)
    return year if patient.birth_precision == Patient.BirthPrecision.YEAR else f"≈ {year}"


@register.filter
def contact_value(point: ContactPoint) -> str:
    return contacts.in_words(point.system, point.value)


@register.filter
def languages(patient: Patient) -> str:
    return ", ".join(str(SpokenLanguage(code).label) for code in patient.spoken_languages)


@register.filter
def message_language(patient: Patient) -> str:
    return str(dict(settings.LANGUAGES).get(patient.language, patient.language))


ROLES = {
    "patient": gettext_lazy("patient"),
    "presenter": gettext_lazy("presenter"),
    "specialist": gettext_lazy("specialist"),
    "coordinator": gettext_lazy("coordinator"),
    "administrator": gettext_lazy("administrator"),
    "auditor": gettext_lazy("auditor"),
}


@register.filter
def role_name(role: str) -> str:
    return str(ROLES.get(role, role))


@register.filter
def site_moment(moment: datetime) -> str:
    """A day and hour in the site's own zone, to the second: for lists of what was done."""
    wall = moment.astimezone(ZoneInfo(settings.TIME_ZONE))
    comma = "، " if formats.is_mirrored() else ", "
    hour = formats.isolated(f"{wall:%H:%M:%S}")
    return f"{formats.short_day(wall.date())} {wall.year}{comma}{hour}"
