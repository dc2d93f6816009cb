"""The wall time that people agreed on, stored beside UTC with the zone data that gave it."""

from datetime import datetime
from functools import lru_cache
from importlib.metadata import version

from scheduling import slots
from scheduling.models import Appointment, Service
from telemed.accounts.models import Patient

FORMAT = "%Y-%m-%dT%H:%M"


@lru_cache(maxsize=1)
def tzdata_version() -> str:
    """The installed zone data, such as ``2026.6`` (the system's own is never read)."""
    return version("tzdata")


def zone_for(service: Service, patient: Patient) -> str:
    """The zone where the patient will sit."""
    return (service.site or patient.organisation).time_zone


def told(starts_at: datetime, zone: str) -> str:
    """``2026-11-24T14:30``"""
    return starts_at.astimezone(slots.zone(zone)).strftime(FORMAT)


def stamp(appointment: Appointment, starts_at: datetime, ends_at: datetime, zone: str) -> None:
    """Set the times of an appointment, all of them together."""
    appointment.starts_at = starts_at
    appointment.ends_at = ends_at
    appointment.time_zone = zone
    appointment.local_start = told(starts_at, zone)
    appointment.tzdata_version = tzdata_version()


def derived(appointment: Appointment) -> datetime:
    """The moment that the agreed wall time is by today's zone data."""
    wall = datetime.strptime(appointment.local_start, FORMAT)  # noqa: DTZ007 wall time is naive
    return slots.moment(wall, appointment.time_zone)
