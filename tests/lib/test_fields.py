"""Sealed fields: opened on access, bound to the row, in clear nowhere in the database."""

import subprocess
from pathlib import Path
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from telemed.accounts import contacts
from telemed.accounts.models import ContactPoint, PatientIdentifier, User
from telemed.lib import clock, crypto
from telemed.lib.fields import Sealed, SealedTextField
from telemed.lib.rotation import sealed_models
from telemed.messaging.models import ShownMessage
from tests import make

SECRET = "Hay Salam rue 7, 06 61 23 45 67"
# What the law and the mission ask to be sealed. A new field of this kind belongs here.
SEALED = [
    "accounts.User.phone",
    "accounts.PatientIdentifier.value",
    "accounts.ContactPoint.value",
    "messaging.Message.address",
    "messaging.ShownMessage.address",
    "messaging.ShownMessage.subject",
    "messaging.ShownMessage.text",
    "messaging.ShownMessage.attachment",
    "scheduling.Appointment.reason",
    "scheduling.Appointment.intake",
    "scheduling.Appointment.cancel_reason",
    "consultations.ChatMessage.text",
    "consultations.Consultation.place_confirmed",
    "consultations.Consultation.phone_confirmed",
    "consultations.ConsentOverride.reason",
    "records.Note.text",
    "records.Summary.text",
]


def shown(**fields):
    fields = {"address": SECRET, "subject": SECRET, "text": SECRET, "attachment": SECRET} | fields
    return ShownMessage.objects.create(id=UUID(int=7), idempotency_key="k", channel="sms", **fields)


@pytest.mark.parametrize("label", SEALED)
def test_what_must_be_sealed_is_sealed(label):
    model, _, name = label.rpartition(".")
    assert isinstance(apps.get_model(model)._meta.get_field(name), SealedTextField)


@pytest.mark.django_db
def test_it_works():
    shown()
    row = ShownMessage.objects.get()
    assert isinstance(row.__dict__["text"], Sealed)
    assert row.text == SECRET
    row.text = "other"
    row.save()
    assert ShownMessage.objects.get().text == "other"


@pytest.mark.django_db
def test_what_was_never_given_reads_as_empty():
    row = ShownMessage.objects.create(idempotency_key="k", channel="sms")
    assert (row.text, ShownMessage.objects.get().text) == ("", "")
    assert apps.get_model("scheduling.Appointment")().intake == {}


@pytest.mark.django_db
def test_a_value_copied_to_another_row_does_not_open():
    shown()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_shownmessage SET subject = text")
    with pytest.raises(crypto.Unreadable):
        ShownMessage.objects.get().subject  # noqa: B018 opened on access


@pytest.mark.django_db
def test_a_queryset_update_is_refused():
    shown()
    with pytest.raises(TypeError, match="sealed"):
        ShownMessage.objects.update(text="in clear")


@pytest.mark.django_db
def test_a_sealed_field_is_not_serialised():
    row = shown()
    with pytest.raises(TypeError, match="sealed"):
        row._meta.get_field("text").value_to_string(row)


def everything_stored() -> bytes:
    """Every value of every table as the database gives it, and SQLite's files themselves."""
    stored = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                stored += [bytes(v) if isinstance(v, memoryview) else str(v).encode() for v in row]
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and "memory" not in str(name):
        files = Path(name).parent.glob(f"{Path(name).name}*")
        # By another process: closing a file in this one gives up every lock that SQLite holds on
        # it here (sqlite.org/howtocorrupt.html, 2.2), and others would take the log away.
        stored.append(subprocess.run(["cat", *files], check=True, capture_output=True).stdout)
    return b"\n".join(stored)


@pytest.mark.django_db(transaction=True)
def test_nothing_sealed_stands_in_clear_in_the_database(cast):
    shown()
    make.user("n@cast.example", "N", phone="0677889900")
    make.patient(cast.imilchil, "A", "B", phone="0655443322", cin="ZQ 998877")
    stored = everything_stored()
    assert b"n@cast.example" in stored, "the search below would find nothing at all"
    for secret in (SECRET, "677889900", "655443322", "998877"):
        assert secret.encode() not in stored


@pytest.mark.django_db
def test_rotation_seals_everything_with_the_current_key(cast, settings):
    settings.FIELD_KEYS = {"old": "o" * 32}
    shown()
    user = make.user("n@cast.example", "N", phone="0677889900")
    make.patient(cast.imilchil, "A", "B", phone="0655443322", cin="ZQ 998877")
    settings.FIELD_KEYS = {"new": "n" * 32, "old": "o" * 32}
    call_command("rotate_field_keys", verbosity=0)
    settings.FIELD_KEYS = {"new": "n" * 32}
    for model, fields in sealed_models():
        for row in model._base_manager.all():
            assert {crypto.key_id_of(row.__dict__[field.attname]) for field in fields} == {"new"}
    assert ShownMessage.objects.get().text == SECRET
    assert User.objects.get(pk=user.pk).phone == "+212677889900"


@pytest.mark.django_db
def test_rotation_blinds_the_indexes_again(cast, settings):
    make.user("n@cast.example", "N", phone="0677889900")
    make.patient(cast.imilchil, "A", "B", phone="0655443322", cin="ZQ 998877")
    settings.INDEX_KEY = "another index key of a good length"
    call_command("rotate_field_keys", verbosity=0)
    assert User.objects.get(phone_index=contacts.login_phone_index("+212677889900"))
    assert ContactPoint.objects.get(value_index=contacts.contact_index("phone", "+212655443322"))
    assert PatientIdentifier.objects.get(value_index=contacts.identifier_index("cin", "zq998877"))


@pytest.mark.django_db
def test_a_second_rotation_changes_nothing(cast, settings, capsys):
    make.patient(cast.imilchil, "A", "B", phone="0655443322")
    settings.FIELD_KEYS = {"new": "n" * 32, **settings.FIELD_KEYS}
    call_command("rotate_field_keys")
    capsys.readouterr()
    call_command("rotate_field_keys")
    assert "0 rows now stand under key 'new'" in capsys.readouterr().out


def test_a_text_that_was_never_set_is_empty_text(cast):
    booked = make.appointment(cast.amina, cast.at_home, clock.now())

    booked.refresh_from_db()

    assert (booked.reason, booked.cancel_reason, booked.intake) == ("", "", {})
