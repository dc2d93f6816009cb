"""Makes the people and places of the demonstration where they are missing; changes nothing else."""

from datetime import date, time
from typing import Any, TypeVar

from allauth.account.models import EmailAddress
from django.db import models, transaction

from scheduling.models import AvailabilityRule, Service, Specialist, Speciality
from scheduling.seed import load_reference
from telemed.accounts import contacts
from telemed.accounts.models import (
    Act,
    ContactPoint,
    Membership,
    Organisation,
    OrganisationParent,
    Patient,
    PatientContact,
    PatientName,
    Representative,
    User,
)
from telemed.accounts.names import search_key
from telemed.accounts.roles import Role
from telemed.desk.demo import cast
from telemed.desk.demo.ids import demo_id

SINCE = date(2026, 1, 1)
AUTHORISED_UNTIL = date(2031, 12, 31)

Made = TypeVar("Made", bound=models.Model)


@transaction.atomic
def people_and_places() -> None:
    for place in cast.PLACES:
        _place(place)
    for person in cast.PEOPLE:
        _person(person)
    for patient in cast.PATIENTS:
        _patient(patient)
    load_reference()
    for doctor in cast.DOCTORS:
        _doctor(doctor)


def service_key(doctor: str, speciality: str, place: str) -> str:
    return f"service:{doctor}:{speciality}:{place or 'home'}"


def _once(model: type[Made], name: str, /, **values: Any) -> tuple[Made, bool]:
    """The row of this name, and whether it was made now."""
    return model._default_manager.get_or_create(id=demo_id(name), defaults=values)


def _place(place: cast.Place) -> None:
    is_site = place.kind in {Organisation.Kind.FACILITY, Organisation.Kind.MOBILE_UNIT}
    made, is_new = _once(
        Organisation,
        f"place:{place.key}",
        kind=place.kind,
        name=place.name,
        latitude=place.latitude,
        longitude=place.longitude,
        address=place.address or {},
        phone=place.phone,
        acts_authorised=[Act.TELECONSULTATION.value] if is_site else [],
        authorisation_number=f"DEMO-{place.key.upper()}" if is_site else "",
        authorisation_expires=AUTHORISED_UNTIL if is_site else None,
        emergency_number=cast.EMERGENCY_NUMBER,
        nearest_hospital=place.hospital or {},
        nearest_hospital_phone=place.hospital_phone,
    )
    if is_new and place.parent:
        OrganisationParent.objects.create(
            child=made, parent_id=demo_id(f"place:{place.parent}"), valid_from=SINCE
        )


def _person(person: cast.Person) -> None:
    user, is_new = _once(
        User,
        f"user:{person.key}",
        email=person.email,
        name=person.name,
        name_ar=person.name_ar,
        language=person.language,
    )
    if not is_new:
        return
    user.set_password(cast.PASSWORD)
    user.save(update_fields=["password"])
    EmailAddress.objects.create(user=user, email=person.email, primary=True, verified=True)
    if person.role != Role.PATIENT:
        Membership.objects.create(
            user=user,
            role=person.role,
            organisation_id=demo_id(f"place:{person.place}"),
            valid_from=SINCE,
        )


def _patient(someone: cast.CaredFor) -> None:
    organisation = Organisation.objects.get(id=demo_id(f"place:{someone.place}"))
    patient, is_new = _once(
        Patient,
        f"patient:{someone.key}",
        organisation=organisation,
        user_id=demo_id(f"user:{someone.login}") if someone.login else None,
        sex=someone.sex,
        birth_date=someone.born,
        birth_precision=someone.precision,
        spoken_languages=list(someone.spoken),
        language=someone.language,
    )
    if not is_new:
        return
    _names(patient, someone)
    if someone.phone:
        _phone(patient, someone)
    if someone.parent:
        Representative.objects.create(
            organisation=organisation,
            patient=patient,
            user_id=demo_id(f"user:{someone.parent}"),
            relationship="mother",
            legal_basis=Representative.Basis.PARENT,
            may_consent=True,
            may_read=True,
            valid_from=SINCE,
        )


def _names(patient: Patient, someone: cast.CaredFor) -> None:
    scripts = (PatientName.Script.LATIN, PatientName.Script.ARABIC)
    for script, given, family in zip(scripts, someone.given, someone.family, strict=True):
        PatientName.objects.create(
            organisation=patient.organisation,
            patient=patient,
            script=script,
            given=given,
            family=family,
            search_key=search_key(given, family),
        )


def _phone(patient: Patient, someone: cast.CaredFor) -> None:
    system = ContactPoint.System.PHONE
    point, _is_new = _once(
        ContactPoint,
        f"phone:{someone.phone}",
        organisation=patient.organisation,
        system=system,
        value=someone.phone,
        value_index=contacts.contact_index(system, someone.phone),
    )
    PatientContact.objects.create(
        organisation=patient.organisation,
        patient=patient,
        contact_point=point,
        shared=someone.shared,
    )


def _doctor(doctor: cast.Doctor) -> None:
    specialist, is_new = _once(
        Specialist,
        f"specialist:{doctor.person}",
        user_id=demo_id(f"user:{doctor.person}"),
        organisation_id=demo_id("place:chu"),
        registration_number=doctor.number,
        sex=doctor.sex,
        spoken_languages=list(doctor.spoken),
    )
    if is_new:
        codes = {speciality for speciality, _place in doctor.offers}
        specialist.specialities.set(Speciality.objects.filter(code__in=codes))
        _always_open(specialist)
    for speciality, place in doctor.offers:
        _service(specialist, doctor, speciality, place)


def _always_open(specialist: Specialist) -> None:
    """Day and night: whoever tries Telemed at midnight also finds a time within 15 minutes."""
    for weekday in range(7):
        AvailabilityRule.objects.create(
            specialist=specialist, weekday=weekday, starts=time(0), ends=time(0), valid_from=SINCE
        )


def _service(specialist: Specialist, doctor: cast.Doctor, speciality: str, place: str) -> None:
    kinds = {item.key: item.kind for item in cast.PLACES}
    _once(
        Service,
        service_key(doctor.person, speciality, place),
        specialist=specialist,
        speciality=Speciality.objects.get(code=speciality),
        patient_place=kinds[place].value if place else "home",
        site_id=demo_id(f"place:{place}") if place else None,
    )
