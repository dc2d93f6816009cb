"""Retention: every table has its class, and what has outlived it goes, and nothing else."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.db import models

from consultations.models import Consultation, Participant, Room
from scheduling.actions import issue_link
from scheduling.models import Hold, PersonalLink
from telemed.accounts.models import ContactPoint, Patient, PatientName, User
from telemed.accounts.roles import Role
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event
from telemed.desk import purge
from telemed.lib import clock, retention
from telemed.messaging.models import ShownMessage
from tests import make

MODELS = apps.get_models()
# Deleted by the database with the row that they belong to.
WITH_THE_USER = {"account.EmailAddress", "mfa.Authenticator"}


def in_a_file() -> set[type[models.Model]]:
    reached: set[type[models.Model]] = set()
    fresh: set[type[models.Model]] = {Patient}
    while fresh:
        reached |= fresh
        fresh = {child for model in fresh for child, _ in purge._children(model)} - reached
    return reached


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_table_names_its_class(model):
    assert purge.retention_of(model) in retention.CLASSES


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_what_is_not_kept_has_a_way_to_go(model):
    if purge.retention_of(model) == retention.KEPT:
        assert model not in purge.BY_AGE
        assert model not in in_a_file()
    else:
        assert model in purge.BY_AGE or model in in_a_file() or model._meta.label in WITH_THE_USER


@pytest.mark.parametrize("name", sorted(retention.CLASSES - {retention.KEPT}))
def test_every_class_has_a_period(name):
    assert settings.RETENTION[name] >= timedelta(days=1)


def aged(row, field, name):
    """The row as if it had been made a day before its period ran out."""
    moment = clock.now() - settings.RETENTION[name] - timedelta(days=1)
    type(row).objects.filter(pk=row.pk).update(**{field: moment})
    return row


def age_file(patient):
    for model, keys in purge.file_of(patient).items():
        if hasattr(model, "received_at"):
            moment = clock.now() - settings.RETENTION["clinical"] - timedelta(days=1)
            model.objects.filter(pk__in=keys).update(received_at=moment)


@pytest.mark.django_db(transaction=True)
def test_a_file_goes_whole_and_is_audited(cast):
    patient = cast.amina
    age_file(patient)
    purge.purge()
    assert not Patient.objects.filter(pk=patient.pk).exists()
    assert not PatientName.objects.filter(patient_id=patient.pk).exists()
    event = Event.objects.get(action="retention.file_purged")
    assert (event.patient, event.actor_kind) == (patient.pk, "system")


@pytest.mark.django_db
def test_one_young_row_keeps_the_whole_file(cast):
    patient = cast.amina
    age_file(patient)
    PatientName.objects.filter(patient=patient).update(received_at=clock.now())
    purge.purge()
    assert PatientName.objects.filter(patient=patient).exists()
    assert not Event.objects.filter(action="retention.file_purged").exists()


def shown(key):
    return ShownMessage.objects.create(
        idempotency_key=key, channel="sms", address="x", subject="", text="", attachment=""
    )


@pytest.mark.django_db
def test_rows_go_by_the_period_of_their_class():
    aged(shown("old"), "shown_at", "message")
    young = shown("young")
    purge.purge()
    assert list(ShownMessage.objects.all()) == [young]
    assert Event.objects.get(action="retention.rows_purged").code == "messaging.shownmessage:1"


@pytest.mark.django_db
def test_a_shared_number_stays_while_somebody_has_it(cast):
    number = ContactPoint.objects.filter(patients=cast.amina).first()
    if number is None:
        pytest.fail("Amina has no telephone any more: choose somebody who has")
    aged(number, "received_at", "clinical")
    purge.purge()
    assert ContactPoint.objects.filter(pk=number.pk).exists()


# --- logins


def joined(user, name):
    return aged(user, "date_joined", name)


def sign_up(cast, email="rkia@cast.example"):
    user = make.user(email, "Rkia")
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
    make.patient(cast.draa, "Rkia", "Ouhaddou", phone="0661234567", user=user)
    return joined(user, "technical")


@pytest.mark.django_db(transaction=True)
def test_a_sign_up_that_nobody_confirmed_goes_with_its_record(cast):
    user = sign_up(cast)
    purge.purge()
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Patient.objects.exists()
    assert Event.objects.filter(action="retention.sign_up_purged").count() == 1


@pytest.mark.django_db
def test_a_sign_up_stays_once_it_means_something(cast):
    confirmed, booked, employed = (sign_up(cast, f"{n}@cast.example") for n in range(3))
    EmailAddress.objects.filter(user=confirmed).update(verified=True)
    make.appointment(booked.patient, cast.at_home, make.on_the_hour(clock.now(), 48))
    make.member(employed, Role.PRESENTER, cast.imilchil)
    purge.purge()
    assert Patient.objects.count() == 3
    assert not Event.objects.filter(action="retention.sign_up_purged").exists()


@pytest.mark.django_db
def test_a_login_that_nobody_uses_any_more_goes(cast):
    never, long_ago = cast.driss, cast.fatima
    joined(never, "administrative")
    aged(long_ago, "last_login", "administrative")
    kept = [cast.amina_user, cast.brahim]
    assert cast.amina
    for user in kept:
        joined(user, "administrative")
    purge.purge()
    left = set(User.objects.values_list("pk", flat=True))
    assert {never.pk, long_ago.pk} & left == set()
    assert {user.pk for user in kept} <= left


@pytest.mark.django_db
def test_the_roles_of_a_closed_account_go_and_then_the_account(cast):
    joined(cast.brahim, "administrative")
    User.objects.filter(pk=cast.brahim.pk).update(is_active=False)
    purge.purge()
    assert not User.objects.filter(pk=cast.brahim.pk).exists()


@pytest.mark.django_db
def test_a_link_that_somebody_came_by_stays_with_the_file_quietly(cast):
    visit = make.appointment(cast.amina, cast.at_home, make.on_the_hour(clock.now(), 48))
    used, unused = (issue_link(visit, "companion", SYSTEM, name=name) for name in ("A", "B"))
    consultation = Consultation.objects.create(organisation=visit.organisation, appointment=visit)
    Participant.objects.create(
        organisation=visit.organisation,
        room=Room.objects.create(consultation=consultation),
        role="companion",
        link=used,
        name="A",
    )
    for link in (used, unused):
        aged(link, "expires_at", "guest")
    concerned = purge.BY_AGE[PersonalLink][1]
    assert list(PersonalLink.objects.filter(concerned)) == [unused], "none is tried in vain"
    purge.purge()
    assert list(PersonalLink.objects.all()) == [used]
    assert PersonalLink in purge.file_of(cast.amina)


def test_holds_are_technical():
    assert purge.retention_of(Hold) == retention.TECHNICAL
