"""What changes people's records. Each verb is atomic and audited; nothing is ever deleted."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from telemed.accounts import contacts
from telemed.accounts.access import Viewer, patient_for, today
from telemed.accounts.models import (
    ContactPoint,
    Organisation,
    Patient,
    PatientContact,
    PatientIdentifier,
    PatientLink,
    PatientName,
    Representative,
    User,
)
from telemed.accounts.names import search_key
from telemed.accounts.refusals import AccountsRefused
from telemed.accounts.roles import May, Role
from telemed.accounts.signals import tell_reach_changed
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock


@dataclass(frozen=True)
class Name:
    script: str
    given: str
    family: str


@dataclass(frozen=True)
class Registration:
    """What is known of a new patient. ``id`` may come from the device: a repeat adds nothing."""

    id: UUID
    names: tuple[Name, ...]
    sex: str = "unknown"
    birth_date: date | None = None
    birth_precision: str = "day"
    spoken_languages: list[str] = field(default_factory=list)
    language: str = "fr"
    phone: str = ""  # E.164
    phone_shared: bool = False
    messages_wanted: bool = True
    cin: str = ""
    device_time: datetime | None = None


@transaction.atomic
def register(viewer: Viewer, organisation: Organisation, draft: Registration) -> Patient:
    """Somebody new at ``organisation``. An identifier that another record has is refused where
    ``viewer`` can find that record: elsewhere nobody learns of it."""
    if not viewer.may_at(May.PATIENT_REGISTER, organisation.id):
        raise AccountsRefused("not_allowed", _("You cannot register patients at this place."))
    actor = viewer.actor(May.PATIENT_REGISTER)
    patient = _made_once(organisation, draft)
    if patient is None:
        return patient_for(viewer, draft.id, May.PATIENT_REGISTER)
    code = ""
    if draft.cin:
        paper = _new_identifier(viewer, patient, PatientIdentifier.System.CIN, draft.cin)
        code = _known_elsewhere(paper)
    place = organisation.id
    audit.record("patient.register", actor, patient=patient.id, organisation=place, code=code)
    return patient


def _made_once(organisation: Organisation, draft: Registration) -> Patient | None:
    """None when the same form was sent before, or is just being sent by another request."""
    if Patient.objects.filter(id=draft.id).exists():
        return None
    try:
        with transaction.atomic():
            return make_patient(organisation, draft)
    except IntegrityError:
        if Patient.objects.filter(id=draft.id).exists():
            return None
        raise


def make_patient(
    organisation: Organisation, draft: Registration, *, user: User | None = None
) -> Patient:
    """The rows of a patient, in the caller's transaction; the caller audits."""
    patient = Patient.objects.create(
        id=draft.id,
        organisation=organisation,
        user=user,
        sex=draft.sex,
        birth_date=draft.birth_date,
        birth_precision=draft.birth_precision,
        spoken_languages=draft.spoken_languages,
        language=draft.language,
        messages_wanted=draft.messages_wanted,
        device_time=draft.device_time,
    )
    for name in draft.names:
        _new_name(patient, name)
    if draft.phone:
        _reach_by_phone(patient, draft.phone, shared=draft.phone_shared)
    return patient


@dataclass(frozen=True)
class Correction:
    """All that the record is to say from now on; a script without a name has none."""

    names: tuple[Name, ...]
    sex: str
    birth_date: date | None
    birth_precision: str
    spoken_languages: list[str]


@transaction.atomic
def correct(viewer: Viewer, patient: Patient, wanted: Correction) -> None:
    """Mend what was written wrongly. Earlier names stay as voided rows; the audit keeps what was
    changed, not what it said."""
    patient = Patient.objects.select_for_update().get(id=patient.id)
    plain = ("sex", "birth_date", "birth_precision", "spoken_languages")
    changed = [name for name in plain if getattr(patient, name) != getattr(wanted, name)]
    for name in changed:
        setattr(patient, name, getattr(wanted, name))
    patient.save(update_fields=changed)
    if _renamed(viewer, patient, wanted.names):
        changed.insert(0, "names")
    if changed:
        code = ",".join(changed)[:48]
        _audited(viewer, "patient.correct", patient, ("patient", patient.id), code=code)


def _renamed(viewer: Viewer, patient: Patient, wanted: tuple[Name, ...]) -> bool:
    rows = patient.names.filter(voided_at__isnull=True)
    known = {Name(row.script, row.given, row.family): row.id for row in rows}
    gone = [row_id for name, row_id in known.items() if name not in wanted]
    fresh = [name for name in wanted if name not in known]
    void = {"voided_at": clock.now(), "voided_by": viewer.user, "void_reason": "corrected"}
    patient.names.filter(id__in=gone).update(**void)
    for name in fresh:
        _new_name(patient, name)
    return bool(gone or fresh)


def _new_name(patient: Patient, name: Name) -> None:
    PatientName.objects.create(
        organisation=patient.organisation,
        patient=patient,
        script=name.script,
        given=name.given,
        family=name.family,
        search_key=search_key(name.given, name.family),
    )


@transaction.atomic
def add_phone(viewer: Viewer, patient: Patient, e164: str, *, shared: bool) -> PatientContact:
    """One more way to reach them. Others may be reached by the same number: it proves nothing."""
    contact = _reach_by_phone(patient, e164, shared=shared)
    tell_reach_changed(patient.id)
    _audited(viewer, "patient.add_contact", patient, ("contact", contact.id))
    return contact


@transaction.atomic
def add_identifier(viewer: Viewer, patient: Patient, system: str, value: str) -> PatientIdentifier:
    """A paper that ``viewer`` has seen."""
    identifier = _new_identifier(viewer, patient, system, value)
    code = _known_elsewhere(identifier)
    _audited(viewer, "patient.add_identifier", patient, ("identifier", identifier.id), code=code)
    return identifier


@dataclass(frozen=True)
class Wishes:
    """How a patient wants to be spoken to and reached; ``shared``: ids of their contact rows that
    others read too, of all those in use."""

    language: str
    spoken_languages: list[str]
    messages_wanted: bool
    shared: frozenset[UUID] = frozenset()


@transaction.atomic
def keep_wishes(
    viewer: Viewer, patient: Patient, wishes: Wishes, means: May = May.PATIENT_REGISTER
) -> None:
    patient.language = wishes.language
    patient.spoken_languages = wishes.spoken_languages
    patient.messages_wanted = wishes.messages_wanted
    patient.save(update_fields=["language", "spoken_languages", "messages_wanted"])
    for contact in patient.contacts.filter(voided_at__isnull=True):
        contact.shared = contact.id in wishes.shared
        contact.save(update_fields=["shared"])
    tell_reach_changed(patient.id)
    _audited(viewer, "patient.change_wishes", patient, ("patient", patient.id), means)


def keep_own_language(user: User, language: str) -> None:
    """Whoever chose a language for their pages gets their messages in it."""
    with transaction.atomic():
        mine = Patient.objects.filter(user=user, voided_at__isnull=True).exclude(language=language)
        patient = mine.first()
        if patient is not None and mine.update(language=language):
            actor = Actor("user", user.id, role=Role.PATIENT)
            audit.record("patient.change_wishes", actor, patient=patient.id)


@dataclass(frozen=True)
class Mandate:
    """What a representative may do, on what basis and until when. ``id`` as in ``Registration``."""

    id: UUID
    relationship: str
    legal_basis: str
    may_book: bool = True
    may_be_told: bool = True
    may_consent: bool = False
    may_read: bool = False
    valid_to: date | None = None


@transaction.atomic
def add_representative(
    viewer: Viewer, patient: Patient, user: User, mandate: Mandate
) -> Representative:
    """``viewer`` has seen the papers of two others: neither of the two is ``viewer``."""
    if patient.user_id == user.id:
        raise AccountsRefused("own_representative", _("A patient cannot represent themselves."))
    if viewer.user.id in (user.id, patient.user_id):
        raise _own_record()
    row, is_new = Representative.objects.get_or_create(
        id=mandate.id,
        defaults={
            "organisation": patient.organisation,
            "patient": patient,
            "user": user,
            "relationship": mandate.relationship,
            "legal_basis": mandate.legal_basis,
            "may_book": mandate.may_book,
            "may_be_told": mandate.may_be_told,
            "may_consent": mandate.may_consent,
            "may_read": mandate.may_read,
            "valid_from": today(viewer.now),
            "valid_to": mandate.valid_to,
            "verified_by": viewer.user,
        },
    )
    if row.patient_id != patient.id:
        raise Http404
    if is_new:
        tell_reach_changed(patient.id)
        _audited(viewer, "patient.add_representative", patient, ("representative", row.id))
    return row


@transaction.atomic
def link(viewer: Viewer, patient: Patient, same_as: Patient) -> PatientLink:
    """Both records are the same person. Both stay as they are, and voiding the link parts them.

    A login opens what is linked with its record, so one person's records have one login at most.
    """
    if patient.id == same_as.id:
        raise AccountsRefused("same_record", _("This is the same record."))
    both = (patient, same_as)
    current = PatientLink.objects.filter(voided_at__isnull=True)
    _one_login(viewer, both, current)
    known = current.filter(patient__in=both, same_as__in=both)
    row = known.first() or PatientLink.objects.create(
        organisation=patient.organisation, patient=patient, same_as=same_as, linked_by=viewer.user
    )
    _audited(viewer, "patient.link", patient, ("patient", same_as.id), May.PATIENT_LINK)
    return row


def _one_login(
    viewer: Viewer, both: tuple[Patient, Patient], current: QuerySet[PatientLink]
) -> None:
    touching = current.filter(Q(patient__in=both) | Q(same_as__in=both))
    ids = {one for pair in touching.values_list("patient_id", "same_as_id") for one in pair}
    ids |= {record.id for record in both}
    records = Patient.objects.filter(id__in=ids, user__isnull=False)
    logins = set(records.values_list("user_id", flat=True))
    if viewer.user.id in logins:
        raise _own_record()
    if len(logins) > 1:
        raise AccountsRefused("two_logins", _("Each of these records has a login of its own."))


def _own_record() -> AccountsRefused:
    return AccountsRefused("own_record", _("A colleague has to do this for your own record."))


VOIDABLE: dict[str, type[PatientContact | PatientIdentifier | PatientName | Representative]] = {
    "contact": PatientContact,
    "identifier": PatientIdentifier,
    "name": PatientName,
    "representative": Representative,
}


@transaction.atomic
def void(viewer: Viewer, patient: Patient, kind: str, row_id: UUID, reason: str) -> None:
    """Take a row of this patient's out of use, with a reason; it stays in the database."""
    if not reason.strip():
        raise AccountsRefused("reason_missing", _("Say why."))
    # One conditional UPDATE: a row voided by somebody else meanwhile keeps their reason.
    changed = (
        _rows_of(patient, kind)
        .filter(id=row_id, voided_at__isnull=True)
        .update(voided_at=clock.now(), voided_by=viewer.user, void_reason=reason.strip()[:200])
    )
    if changed != 1:
        raise AccountsRefused("stale", _("This was removed already."))
    tell_reach_changed(patient.id)
    _audited(viewer, f"patient.void_{kind}", patient, (kind, row_id))


def _rows_of(patient: Patient, kind: str) -> QuerySet[Any]:
    if kind == "link":
        either = Q(patient=patient) | Q(same_as=patient)
        return PatientLink.objects.filter(either)
    if kind not in VOIDABLE:
        raise AccountsRefused("unknown_kind", _("This cannot be removed."))
    return VOIDABLE[kind].objects.filter(patient=patient)


def _reach_by_phone(patient: Patient, e164: str, *, shared: bool) -> PatientContact:
    index = contacts.contact_index(ContactPoint.System.PHONE, e164)
    point = ContactPoint.objects.filter(value_index=index, voided_at__isnull=True).first()
    if point is None:
        point = ContactPoint.objects.create(
            organisation=patient.organisation,
            system=ContactPoint.System.PHONE,
            value=e164,
            value_index=index,
        )
    in_use = patient.contacts.filter(voided_at__isnull=True)
    known = in_use.filter(contact_point=point).first()
    return known or PatientContact.objects.create(
        organisation=patient.organisation,
        patient=patient,
        contact_point=point,
        shared=shared,
        rank=in_use.count() + 1,
    )


def _new_identifier(viewer: Viewer, patient: Patient, system: str, value: str) -> PatientIdentifier:
    index = contacts.identifier_index(system, value)
    held = PatientIdentifier.objects.filter(value_index=index, voided_at__isnull=True)
    mine = held.filter(patient=patient).first()
    if mine is not None:
        return mine
    in_reach = held.filter(patient__in=viewer.patients(May.PATIENT_SEARCH))
    if in_reach.exists():
        raise _identifier_known()
    made = PatientIdentifier(
        organisation=patient.organisation,
        patient=patient,
        system=system,
        value=value.strip(),
        value_index=index,
        verified_by=viewer.user,
        verified_at=clock.now(),
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        if in_reach.exists():
            raise _identifier_known() from None
        made.verified_at = None
        made.save(force_insert=True)
    return made


def _identifier_known() -> AccountsRefused:
    return AccountsRefused(
        "identifier_known",
        _("Another record has this number. Find it and open it, or link the two."),
    )


def _known_elsewhere(identifier: PatientIdentifier) -> str:
    """The audit's code that tells who reaches both records to link them."""
    return "" if identifier.verified_at else "identifier_elsewhere"


def _audited(
    viewer: Viewer,
    action: str,
    patient: Patient,
    subject: tuple[str, UUID],
    means: May = May.PATIENT_REGISTER,
    code: str = "",
) -> None:
    audit.record(action, viewer.actor(means), patient=patient.id, subject=subject, code=code)
