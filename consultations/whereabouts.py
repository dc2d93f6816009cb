"""Where the patient is and how they are called back: as confirmed, else as far as it is on file."""

from collections.abc import Mapping
from dataclasses import dataclass

from consultations.models import Consultation
from scheduling.models import PatientPlace
from telemed.lib.fields import localized


@dataclass(frozen=True)
class Told:
    """``confirmed``: somebody at the patient's end said it for this visit."""

    text: str
    confirmed: bool


def place(visit: Consultation, contacts: Mapping[str, str], language: str) -> Told:
    """``contacts``: the patient's first of each system. The text is empty when nothing is known."""
    if visit.place_confirmed:
        return Told(visit.place_confirmed, True)
    booked = visit.appointment
    if booked.site is None or booked.patient_place == PatientPlace.HOME:
        return Told(contacts.get("postal", ""), False)
    parts = (localized(booked.site.name, language), localized(booked.site.address, language))
    return Told(", ".join(part for part in parts if part), False)


def phone(visit: Consultation, contacts: Mapping[str, str]) -> Told:
    """The patient's own number before that of the place where they sit."""
    if visit.phone_confirmed:
        return Told(visit.phone_confirmed, True)
    booked = visit.appointment
    at_site = booked.site is not None and booked.patient_place != PatientPlace.HOME
    site_phone = booked.site.phone if booked.site is not None and at_site else ""
    return Told(contacts.get("phone", "") or site_phone, False)
