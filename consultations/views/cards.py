"""The specialist's card, which every page of a visit shows."""

from typing import Any

from scheduling.models import Appointment
from telemed.accounts.names import user_name
from telemed.lib.fields import localized


def card(appointment: Appointment) -> dict[str, Any]:
    """What everybody may know before being let in: who the specialist is, and when."""
    specialist = appointment.specialist
    return {
        "name": user_name(specialist.user),
        "speciality": localized(appointment.service.speciality.name),
        "registration": specialist.registration_number,
        "site": localized(specialist.organisation.name),
        "starts_at": appointment.starts_at,
        "zone": appointment.time_zone,
        "place": appointment.patient_place,
        "place_name": localized(appointment.site.name) if appointment.site else "",
    }
