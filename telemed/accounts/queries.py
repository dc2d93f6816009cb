"""Finding patients, across spellings and scripts, only where the viewer may."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet

from telemed.accounts import contacts
from telemed.accounts.access import Viewer
from telemed.accounts.models import (
    Patient,
    PatientContact,
    PatientIdentifier,
    PatientLink,
    PatientName,
    Representative,
)
from telemed.accounts.names import search_key
from telemed.accounts.roles import May
from telemed.accounts.rules import LIKELY, Likeness, likeness

MOST = 20


def search(viewer: Viewer, text: str, ability: May = May.PATIENT_SEARCH) -> list[Patient]:
    """At most ``MOST`` patients whose name, identifier or phone is ``text``."""
    found = viewer.patients(ability).filter(_matching(text)).distinct()
    return list(found.prefetch_related("names").select_related("organisation")[:MOST])


def likely_duplicates(
    viewer: Viewer, draft: Likeness, *, without: Patient | None = None
) -> list[Patient]:
    """Registered patients who may be the person of ``draft``, the likeliest first."""
    words = Q()
    for word in draft.key.split():
        words |= Q(search_key__contains=word)
    if not words:
        return []
    names = PatientName.objects.filter(words, voided_at__isnull=True)
    known = viewer.patients(May.PATIENT_SEARCH).filter(names__in=names).distinct()
    if without is not None:
        known = known.exclude(id=without.id)
    scored = [
        (score, patient)
        for patient in known.prefetch_related("names").select_related("organisation")
        if (score := max((likeness(draft, other) for other in likenesses(patient)), default=0))
    ]
    scored.sort(key=lambda pair: (-pair[0], str(pair[1].id)))
    return [patient for score, patient in scored if score >= LIKELY][:MOST]


def unlinked_duplicates(viewer: Viewer, patient: Patient) -> list[Patient]:
    """Who may be the same person as ``patient`` and is not linked with them yet."""
    links = PatientLink.objects.filter(voided_at__isnull=True)
    links = links.filter(Q(patient=patient) | Q(same_as=patient))
    linked = {one for pair in links.values_list("patient_id", "same_as_id") for one in pair}
    papers = patient.identifiers.filter(voided_at__isnull=True).values_list(
        "value_index", flat=True
    )
    found = [other for other in holders(viewer, papers) if other.id != patient.id]
    found += [
        other
        for draft in likenesses(patient)
        for other in likely_duplicates(viewer, draft, without=patient)
    ]
    return [other for other in dict.fromkeys(found) if other.id not in linked]


def holders(viewer: Viewer, indexes: Iterable[str]) -> list[Patient]:
    """Whose records within reach have one of these papers (``contacts.identifier_index``)."""
    papers = PatientIdentifier.objects.filter(value_index__in=indexes, voided_at__isnull=True)
    known = viewer.patients(May.PATIENT_SEARCH).filter(id__in=papers.values("patient"))
    return list(known.prefetch_related("names").select_related("organisation")[:MOST])


def likenesses(patient: Patient) -> list[Likeness]:
    """One for each script that the name is written in."""
    return [
        Likeness(name.search_key, patient.birth_date, patient.birth_precision, patient.sex)
        for name in patient.names.all()
        if name.voided_at is None
    ]


def verified_email(user_id: UUID) -> str:
    """The address whose owner proved to read it, "" when there is none."""
    rows = EmailAddress.objects.filter(user=user_id, verified=True, user__is_active=True)
    return rows.order_by("-primary", "pk").values_list("email", flat=True).first() or ""


def first_contacts(patient_id: UUID) -> dict[str, str]:
    """The first contact of each system (phone, email, postal) through which they are reached."""
    rows = PatientContact.objects.filter(
        patient=patient_id, voided_at__isnull=True, contact_point__voided_at__isnull=True
    ).select_related("contact_point")
    found: dict[str, str] = {}
    for row in rows.order_by("rank", "received_at"):
        found.setdefault(row.contact_point.system, row.contact_point.value)
    return found


@dataclass(frozen=True)
class Card:
    """What a presenter sees of a patient, voided rows left out."""

    patient: Patient

    @property
    def identifiers(self) -> QuerySet[PatientIdentifier]:
        return self.patient.identifiers.filter(voided_at__isnull=True)

    @property
    def contacts(self) -> QuerySet[PatientContact]:
        rows = self.patient.contacts.filter(voided_at__isnull=True)
        return rows.select_related("contact_point").order_by("rank", "received_at")

    @property
    def representatives(self) -> QuerySet[Representative]:
        rows = self.patient.representatives.filter(voided_at__isnull=True)
        return rows.select_related("user").order_by("valid_from")

    @property
    def links(self) -> list[tuple[PatientLink, Patient]]:
        """Each link with the other record, whichever of the two it was made from."""
        either = Q(patient=self.patient) | Q(same_as=self.patient)
        rows = PatientLink.objects.filter(either, voided_at__isnull=True)
        rows = rows.select_related("patient__organisation", "same_as__organisation")
        named = rows.prefetch_related("patient__names", "same_as__names").order_by("received_at")
        return [
            (row, row.same_as if row.patient_id == self.patient.id else row.patient)
            for row in named
        ]


def _matching(text: str) -> Q:
    """By identifier, by phone, or by every word of a name; nothing for an empty text."""
    wanted = Q(pk__in=[])
    indexes = [contacts.identifier_index(system, text) for system in PatientIdentifier.System]
    if contacts.identifier(text):
        wanted |= Q(identifiers__value_index__in=indexes, identifiers__voided_at__isnull=True)
    try:
        index = contacts.contact_index("phone", contacts.phone(text))
        wanted |= Q(contacts__contact_point__value_index=index, contacts__voided_at__isnull=True)
    except contacts.NotAPhone:
        pass
    words = search_key(text).split()
    if words:
        names = PatientName.objects.filter(voided_at__isnull=True)
        for word in words:
            names = names.filter(search_key__contains=word)
        wanted |= Q(names__in=names)
    return wanted
