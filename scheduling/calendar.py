"""The calendar file of an appointment (RFC 5545, methods of RFC 5546).

It says when, in the agreed wall time with the zone's own definition, and nothing of the visit: no
name, speciality, reason or kind of place.
"""

from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event, vCalAddress

from scheduling import slots
from scheduling.models import Appointment, AppointmentStatus
from telemed.lib import clock, formats

NAME = "telemed.ics"


def calendar_file(appointment: Appointment, language: str, *, cancelled: bool = False) -> str:
    """UID stays, SEQUENCE rises with every change, a cancelled one is METHOD:CANCEL.

    ``cancelled`` takes it out of the calendar of one for whom it is no more.
    """
    cancelled = cancelled or appointment.status in {
        AppointmentStatus.CANCELLED,
        AppointmentStatus.ENTERED_IN_ERROR,
    }
    with translation.override(language):
        calendar = Calendar()
        calendar.add("prodid", "-//Telemed//Booking//EN")
        calendar.add("version", "2.0")
        calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
        calendar.add_component(_event(appointment, cancelled))
        calendar.add_missing_timezones()
        return calendar.to_ical().decode()


def _event(appointment: Appointment, cancelled: bool) -> Event:
    tz = slots.zone(appointment.time_zone)
    event = Event()
    event.add("uid", f"{appointment.pk}@telemed")
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", clock.now())
    event.add("dtstart", appointment.starts_at.astimezone(tz))
    event.add("dtend", appointment.ends_at.astimezone(tz))
    _sender, mailbox = parseaddr(settings.DEFAULT_FROM_EMAIL)
    event.add("organizer", vCalAddress(f"mailto:{mailbox}"))
    event.add("summary", _("Appointment (Telemed)"))
    event.add(
        "description",
        formats.in_words(appointment.starts_at, appointment.time_zone, translation.get_language()),
    )
    event.add("url", address(appointment))
    event.add("status", "CANCELLED" if cancelled else _status(appointment))
    event.add("class", "PRIVATE")
    if not cancelled:
        event.add_component(_alarm())
    return event


def _status(appointment: Appointment) -> str:
    return "TENTATIVE" if appointment.status == AppointmentStatus.PENDING else "CONFIRMED"


def _alarm() -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("Appointment (Telemed)"))
    alarm.add("trigger", timedelta(minutes=-15))
    return alarm


def address(appointment: Appointment) -> str:
    """The page of the appointment, which asks who one is."""
    return settings.PUBLIC_URL + reverse("scheduling:appointment", args=[appointment.pk])
