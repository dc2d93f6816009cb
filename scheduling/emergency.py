"""Whom to telephone when it cannot wait: the nearest place above that names a number."""

from dataclasses import dataclass
from datetime import datetime

from telemed.accounts.access import today, valid_on
from telemed.accounts.models import Organisation, OrganisationParent
from telemed.lib.fields import localized


@dataclass(frozen=True)
class Emergency:
    """What stands at the beginning of booking; texts may be empty."""

    number: str
    hospital: str
    hospital_phone: str


def emergency_for(organisation: Organisation, now: datetime) -> Emergency:
    """Each fact from the organisation itself or, where it has none, from those above it."""
    chain = _upwards(organisation, now)
    hospital = next((place for place in chain if place.nearest_hospital), None)
    return Emergency(
        next((place.emergency_number for place in chain if place.emergency_number), ""),
        localized(hospital.nearest_hospital) if hospital else "",
        hospital.nearest_hospital_phone if hospital else "",
    )


def _upwards(organisation: Organisation, now: datetime) -> list[Organisation]:
    chain, level = [organisation], [organisation.pk]
    edges = OrganisationParent.objects.filter(valid_on(today(now))).select_related("parent")
    while level:
        parents = [edge.parent for edge in edges.filter(child__in=level)]
        parents = [parent for parent in parents if parent not in chain]
        chain += parents
        level = [parent.pk for parent in parents]
    return chain
