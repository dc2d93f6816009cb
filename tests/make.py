"""Plain factories: every row that tests need, with fixed values and nothing left to chance."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.test import Client

from consultations import processes
from consultations.models import Participant, Picture, Room
from scheduling.models import (
    Appointment,
    AvailabilityRule,
    Question,
    Service,
    Specialist,
    Speciality,
)
from telemed.accounts import contacts
from telemed.accounts.models import (
    ContactPoint,
    Membership,
    Organisation,
    OrganisationParent,
    Patient,
    PatientContact,
    PatientIdentifier,
    PatientName,
    Representative,
    User,
)
from telemed.accounts.names import search_key
from telemed.accounts.roles import Role
from telemed.lib import clock
from telemed.lib.sealed_file import new_key

LONG_AGO = date(2020, 1, 1)
PASSWORD = "telemed-demo"


def organisation(
    kind: str, name: str, name_ar: str = "", *, parent: Organisation | None = None, **fields: Any
) -> Organisation:
    made = Organisation.objects.create(
        kind=kind, name={"fr": name, "en": name, "ar": name_ar or name}, **fields
    )
    if parent is not None:
        OrganisationParent.objects.create(child=made, parent=parent, valid_from=LONG_AGO)
    return made


def records(organisation: Organisation) -> Organisation:
    """A place that has enabled the recording of visits."""
    organisation.recording_enabled = True
    organisation.recording_purpose = {"fr": "Formation", "en": "Training"}
    organisation.recording_reference = "D-77/2026"
    organisation.save()
    return organisation


def user(email: str | None, name: str, name_ar: str = "", **fields: Any) -> User:
    phone = fields.pop("phone", "")
    made = User.objects.create_user(
        email=email, name=name, name_ar=name_ar, password=fields.pop("password", None), **fields
    )
    if phone:
        made.take_phone(contacts.phone(phone), verified=True)
        made.save()
    return made


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in_again(client: Client, user: User) -> None:
    """Signed in, and with the password just given a second time for a sensitive act."""
    client.force_login(with_password(user))
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def member(user: User, role: Role, organisation: Organisation, **fields: Any) -> Membership:
    fields.setdefault("valid_from", LONG_AGO)
    return Membership.objects.create(user=user, role=role, organisation=organisation, **fields)


def patient(
    organisation: Organisation,
    given: str,
    family: str,
    *,
    arabic: tuple[str, str] | None = None,
    phone: str = "",
    shared: bool = False,
    cin: str = "",
    **fields: Any,
) -> Patient:
    fields.setdefault("birth_date", date(1985, 5, 17))
    made = Patient.objects.create(organisation=organisation, **fields)
    name(made, "Latn", given, family)
    if arabic:
        name(made, "Arab", *arabic)
    if phone:
        contact(made, phone, shared=shared)
    if cin:
        identifier(made, "cin", cin)
    return made


def name(patient: Patient, script: str, given: str, family: str) -> PatientName:
    return PatientName.objects.create(
        organisation=patient.organisation,
        patient=patient,
        script=script,
        given=given,
        family=family,
        search_key=search_key(given, family),
    )


def contact(patient: Patient, phone: str, *, shared: bool = False) -> PatientContact:
    number = contacts.phone(phone)
    index = contacts.contact_index("phone", number)
    point = ContactPoint.objects.filter(value_index=index).first() or ContactPoint.objects.create(
        organisation=patient.organisation, system="phone", value=number, value_index=index
    )
    return PatientContact.objects.create(
        organisation=patient.organisation, patient=patient, contact_point=point, shared=shared
    )


def identifier(patient: Patient, system: str, value: str) -> PatientIdentifier:
    return PatientIdentifier.objects.create(
        organisation=patient.organisation,
        patient=patient,
        system=system,
        value=value,
        value_index=contacts.identifier_index(system, value),
        verified_at=clock.now(),
    )


def representative(patient: Patient, user: User, **fields: Any) -> Representative:
    fields.setdefault("relationship", "mother")
    fields.setdefault("legal_basis", Representative.Basis.PARENT)
    fields.setdefault("may_consent", True)
    fields.setdefault("may_read", True)
    fields.setdefault("valid_from", LONG_AGO)
    return Representative.objects.create(
        organisation=patient.organisation, patient=patient, user=user, **fields
    )


def picture(room: Room, role: str, *, by: Participant | None = None, **fields: Any) -> Picture:
    """Asked of somebody of this role, or of ``by``."""
    visit = room.consultation
    taker = by or Participant.objects.create(
        organisation=visit.organisation,
        room=room,
        role=role,
        state="admitted",
        patient=visit.appointment.patient if role == "patient" else None,
    )
    fields.setdefault("key", new_key())
    fields.setdefault("body_site", Picture.Site.HAND)
    fields.setdefault("taken_at", clock.now())
    fields.setdefault("asked_by", visit.appointment.specialist.user)
    return Picture.objects.create(
        organisation=visit.organisation, consultation=visit, participant=taker, **fields
    )


def holder(room_id: UUID) -> tuple[int, int]:
    """A media process that has the room, and its epoch."""
    process = processes.register("east")
    assert processes.take(room_id, process.pk, process.epoch, is_steady=lambda: True)
    return process.pk, process.epoch


def speciality(code: str, french: str, arabic: str, english: str) -> Speciality:
    return Speciality.objects.get_or_create(
        code=code, defaults={"name": {"fr": french, "ar": arabic, "en": english}}
    )[0]


def specialist(
    user: User, organisation: Organisation, specialities: Iterable[Speciality], **fields: Any
) -> Specialist:
    fields.setdefault("registration_number", "INPE 101234567")
    fields.setdefault("spoken_languages", ["fr", "ary"])
    made = Specialist.objects.create(user=user, organisation=organisation, **fields)
    made.specialities.set(specialities)
    return made


def service(specialist: Specialist, speciality: Speciality, **fields: Any) -> Service:
    """A teleconsultation of 20 minutes at home, unless fields say otherwise."""
    fields.setdefault("patient_place", "home")
    return Service.objects.create(specialist=specialist, speciality=speciality, **fields)


def working_hours(
    specialist: Specialist, starts: time = time(8), ends: time = time(18)
) -> list[AvailabilityRule]:
    """The same hours every day of the week."""
    return [
        AvailabilityRule.objects.create(
            specialist=specialist, weekday=day, starts=starts, ends=ends, valid_from=LONG_AGO
        )
        for day in range(7)
    ]


def on_the_hour(now: datetime, hours: int = 1) -> datetime:
    """A full hour, this many after the one that runs."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)


def danger_question() -> Question:
    return Question.objects.create(
        kind="yes_no",
        danger_sign=True,
        text={"fr": "Douleur dans la poitrine ?", "ar": "ألم في الصدر؟", "en": "Chest pain?"},
    )


def appointment(
    patient: Patient, service: Service, starts_at: datetime, **fields: Any
) -> Appointment:
    """Booked, past all the rules of booking; it occupies nothing."""
    return Appointment.objects.create(
        organisation_id=service.site_id or patient.organisation_id,
        patient=patient,
        service=service,
        requested_specialist=service.specialist,
        specialist=service.specialist,
        patient_place=service.patient_place,
        site=service.site,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=service.minutes),
        local_start=f"{starts_at:%Y-%m-%dT%H:%M}",
        time_zone="Africa/Casablanca",
        tzdata_version="2026.6",
        **fields,
    )
