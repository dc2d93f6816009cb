"""Who can be booked, and for what."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from scheduling.models import PatientPlace, Service, Specialist, Speciality
from scheduling.refusals import Refused
from telemed.accounts.models import Organisation, User
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


@dataclass(frozen=True)
class Profile:
    registration_number: str
    sex: str
    spoken_languages: list[str]
    specialities: list[Speciality]


@transaction.atomic
def keep_profile(user: User, organisation: Organisation, profile: Profile, by: Actor) -> Specialist:
    """Make somebody bookable at ``organisation``, or change what patients read of them."""
    specialist, _made = Specialist.objects.update_or_create(
        user=user,
        defaults={
            "organisation": organisation,
            "registration_number": profile.registration_number,
            "sex": profile.sex,
            "spoken_languages": profile.spoken_languages,
        },
    )
    specialist.specialities.set(profile.specialities)
    _audited("specialist.save", specialist, specialist.pk, by)
    return specialist


@transaction.atomic
def add_service(specialist: Specialist, by: Actor, **offer: Any) -> Service:
    """One more thing they offer. Refused ``wrong_speciality`` for what they do not practise."""
    if not specialist.specialities.filter(pk=offer["speciality"].pk).exists():
        raise Refused("wrong_speciality", _("They do not practise this speciality."))
    if offer["patient_place"] == PatientPlace.HOME:
        offer["site"] = None
    service = Service.objects.create(specialist=specialist, **offer)
    _audited("service.add", specialist, service.pk, by)
    return service


@transaction.atomic
def retire_service(specialist: Specialist, service_id: UUID, by: Actor) -> None:
    """No longer offered; what is booked stays booked. Refused ``stale`` the second time."""
    rows = specialist.services.filter(pk=service_id, retired_at__isnull=True)
    if rows.update(retired_at=clock.now()) != 1:
        raise Refused("stale", _("This is not offered any more."))
    _audited("service.remove", specialist, service_id, by)


def _audited(action: str, specialist: Specialist, subject: UUID, by: Actor) -> None:
    audit.record(
        action,
        by,
        organisation=specialist.organisation_id,
        subject=(action.partition(".")[0], subject),
        purpose="administration",
    )
