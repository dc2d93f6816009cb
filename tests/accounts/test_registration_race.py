"""Registrations that arrive at the same moment: one record each, and nobody sees an error page."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from telemed.accounts import actions
from telemed.accounts.access import viewer_of
from telemed.accounts.models import Patient, PatientIdentifier
from telemed.accounts.refusals import AccountsRefused
from telemed.audit.models import Event
from telemed.lib import clock

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 6


def together(presses):
    """What each press answers, all of them begun at once, each on a connection of its own."""
    barrier = Barrier(len(presses))

    def pressed(press):
        try:
            connection.ensure_connection()
            barrier.wait(20)
            return press()
        except AccountsRefused as refused:
            return refused.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(presses)) as pool:
        return list(pool.map(pressed, presses))


def registering(user, place, **fields):
    draft = actions.Registration(names=(actions.Name("Latn", "Rkia", "Aït"),), **fields)
    return lambda: actions.register(viewer_of(user, clock.now()), place, draft)


def test_one_form_sent_many_times_is_one_patient(cast):
    form = uuid.uuid4()
    press = registering(cast.brahim, cast.imilchil, id=form, cin="UA 1")
    assert {patient.id for patient in together([press] * AT_ONCE)} == {form}
    assert Patient.objects.count() == 1
    assert Event.objects.filter(action="patient.register").count() == 1


def test_one_paper_makes_one_record_within_reach(cast):
    made = together(
        [
            registering(cast.brahim, cast.imilchil, id=uuid.uuid4(), cin="UA 1")
            for _ in range(AT_ONCE)
        ]
    )
    assert made.count("identifier_known") == AT_ONCE - 1
    assert Patient.objects.count() == 1


def test_one_paper_is_verified_once_in_two_regions(cast):
    together(
        [
            registering(cast.brahim, cast.imilchil, id=uuid.uuid4(), cin="UA 1"),
            registering(cast.hassan, cast.temara, id=uuid.uuid4(), cin="UA 1"),
        ]
    )
    assert Patient.objects.count() == 2
    assert PatientIdentifier.objects.filter(verified_at__isnull=False).count() == 1
