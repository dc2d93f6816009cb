"""Filters that booking pages share."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.translation import gettext

from scheduling import rules
from scheduling.models import PatientPlace, Specialist, Speciality
from telemed.accounts.models import Organisation, Patient, SpokenLanguage, User
from telemed.accounts.names import display_name
from telemed.accounts.names import user_name as name_of
from telemed.lib import clock, fields, formats, states

register = template.Library()


@register.filter
def localized(texts: dict[str, str]) -> str:
    return fields.localized(texts)


@register.filter
def place_word(place: str) -> str:
    return str(PatientPlace(place).label)


@register.filter
def site_name(site: Organisation | None) -> str:
    return fields.localized(site.name) if site else ""


@register.filter
def site_address(site: Organisation | None) -> str:
    return fields.localized(site.address) if site else ""


@register.filter
def user_name(user: User) -> str:
    return name_of(user)


@register.filter
def patient_name(patient: Patient) -> str:
    return display_name(patient)


@register.filter
def spoken(specialist: Specialist) -> str:
    """The languages somebody speaks, in words."""
    words = dict(SpokenLanguage.choices)
    return " · ".join(str(words.get(code, code)) for code in specialist.spoken_languages)


@register.filter
def drawing(place: str) -> str:
    """The pictogram of where the patient sits."""
    return states.PLACES[place].icon


@register.filter
def speciality_drawing(speciality: Speciality) -> str:
    """Its own pictogram, the one of its code, or the general one."""
    drawn = (speciality.icon, speciality.code)
    return next((name for name in drawn if name and name in _drawings()), "general")


@lru_cache(maxsize=1)
def _drawings() -> frozenset[str]:
    folder = Path(settings.BASE_DIR, "templates", "pictograms")
    return frozenset(path.stem for path in folder.glob("*.svg"))


@register.filter
def iso_day(day: date) -> str:
    return day.isoformat()


@register.filter
def wall_day(moment: datetime, zone: str) -> date:
    return formats.local(moment, zone).date()


@register.filter
def wall_hour(moment: datetime, zone: str) -> str:
    return formats.hour(moment, zone)


@register.simple_tag
def zone_words(moment: datetime, zone: str) -> str:
    """heure de Casablanca (UTC+0)"""
    return formats.zone_in_words(moment, zone)


@register.simple_tag
def book_words(moment: datetime, zone: str) -> str:
    """What the button does: Book Tuesday 24 November, 14:30."""
    day = formats.day_and_month(formats.local(moment, zone).date())
    hour = formats.hour(moment, zone)
    told = formats.isolated(hour) if formats.is_mirrored() else hour
    return gettext("Book %(day)s, %(hour)s") % {"day": day, "hour": told}


@register.simple_tag
def near_day(moment: datetime, zone: str) -> str:
    """Today, tomorrow, or the short day."""
    day, today = formats.local(moment, zone).date(), formats.local(clock.now(), zone).date()
    near = {today: gettext("today"), today + timedelta(days=1): gettext("tomorrow")}
    return near.get(day) or formats.short_day(day)


@register.simple_tag
def hours(starts: time, ends: time) -> str:
    if starts == ends:
        return gettext("day and night")
    return format_html(
        '<bdi class="ltr" dir="ltr">{}–{}</bdi>', starts.strftime("%H:%M"), ends.strftime("%H:%M")
    )


@register.filter
def block_tone(status: str) -> str:
    """How the time block of an appointment in this state is drawn."""
    if status in {"cancelled", "entered-in-error"}:
        return "void"
    return "past" if status in rules.FINAL else ""


@register.filter
def answer(given: Any) -> str:
    """An intake answer in words: yes, no, a choice's localized text, or what was written."""
    if isinstance(given, dict):
        return fields.localized(given)
    return {"yes": gettext("Yes"), "no": gettext("No")}.get(given, given)
