from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction

from telemed.audit import chain
from telemed.audit.actions import record, refused
from telemed.audit.actor import SYSTEM, Actor
from telemed.audit.models import Event

pytestmark = pytest.mark.django_db


def test_it_works():
    patient, somebody = uuid4(), uuid4()
    record("patient.read", Actor("user", somebody, "presenter"), patient=patient)
    event = Event.objects.get()
    assert (event.actor, event.actor_kind, event.role) == (somebody, "user", "presenter")
    assert (event.patient, event.outcome, event.purpose) == (patient, "done", "care")
    assert event.previous == chain.GENESIS


def test_each_event_names_the_digest_of_the_one_before():
    first = record("a", SYSTEM)
    second = record("b", SYSTEM)
    assert second.previous == first.digest


def test_the_digest_is_the_same_when_read_back():
    record("a", SYSTEM, subject=("appointment", uuid4()))
    event = Event.objects.get()
    values = {name: getattr(event, name) for name in chain.FIELDS}
    assert chain.digest(values, settings.AUDIT_KEY) == event.digest


def test_what_is_rolled_back_leaves_no_event():
    with transaction.atomic():
        record("a", SYSTEM)
        transaction.set_rollback(True)
    assert not Event.objects.exists()


def test_a_refusal_has_its_code():
    refused("book", SYSTEM, "slot_taken")
    event = Event.objects.get()
    assert (event.outcome, event.code) == ("refused", "slot_taken")


def test_the_site_is_the_actors_unless_named():
    site, other = uuid4(), uuid4()
    actor = Actor("user", uuid4(), organisation=site)
    assert record("a", actor).organisation == site
    assert record("a", actor, organisation=other).organisation == other
