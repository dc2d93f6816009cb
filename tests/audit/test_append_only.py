"""Nobody changes or removes an event: the database refuses, and the chain tells."""

from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from telemed.audit import triggers
from telemed.audit.actions import record
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event

pytestmark = pytest.mark.django_db
TABLE = Event._meta.db_table


@pytest.fixture
def events():
    return [record(action, SYSTEM, patient=uuid4()) for action in ("a", "b", "c", "d")]


def run(sql, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_it_works(events, capsys):
    call_command("verify_audit")
    out = capsys.readouterr().out
    assert out.startswith("4 events hold.")
    assert events[-1].digest in out


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {TABLE} SET action = 'x'",
        f"DELETE FROM {TABLE}",
        pytest.param(f"UPDATE {TABLE} SET id = id + 100", id="renumber"),
    ],
)
def test_the_database_refuses(events, sql):
    with pytest.raises(DatabaseError, match="append-only"):
        run(sql)
    assert Event.objects.count() == 4


def test_the_models_are_refused_too(events):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.all().delete()
    events[0].action = "x"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        events[0].save()


def test_each_databases_way_around_a_delete_is_refused_too(events):
    columns = ", ".join(field.column for field in Event._meta.fields)
    ways = {
        "sqlite": f"INSERT OR REPLACE INTO {TABLE} ({columns}) SELECT {columns} FROM {TABLE}",
        "postgresql": f"TRUNCATE {TABLE}",
    }
    with pytest.raises(DatabaseError, match="append-only"):
        run(ways[connection.vendor])


def test_the_triggers_come_back_with_every_migrate(events):
    triggers.remove()
    call_command("migrate", verbosity=0)
    with pytest.raises(DatabaseError, match="append-only"):
        run(f"DELETE FROM {TABLE}")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (f"UPDATE {TABLE} SET action = 'x' WHERE id = %s", "does not say what was written"),
        (f"UPDATE {TABLE} SET patient = NULL WHERE id = %s", "does not say what was written"),
        (f"DELETE FROM {TABLE} WHERE id = %s", "does not follow the event before it"),
    ],
)
def test_the_first_broken_link_is_named(events, sql, told):
    triggers.remove()
    run(sql, events[1].pk)
    broken = events[2] if sql.startswith("DELETE") else events[1]
    with pytest.raises(CommandError, match=f"Event {broken.pk} {told}"):
        call_command("verify_audit")


def test_an_event_written_past_the_application_is_found(events):
    values = {field.attname: getattr(events[0], field.attname) for field in Event._meta.fields}
    values |= {"id": None, "previous": events[-1].digest, "digest": "f" * 64}
    forged = Event.objects.create(**values)
    with pytest.raises(CommandError, match=f"Event {forged.pk} does not say"):
        call_command("verify_audit")


def test_another_key_does_not_verify(events, settings):
    settings.AUDIT_KEY = "another"
    with pytest.raises(CommandError, match=f"Event {events[0].pk}"):
        call_command("verify_audit")


def test_a_cut_off_end_is_found_with_a_digest_kept_elsewhere(events):
    triggers.remove()
    run(f"DELETE FROM {TABLE} WHERE id = %s", events[3].pk)
    call_command("verify_audit")
    call_command("verify_audit", expect=events[2].digest)
    with pytest.raises(CommandError, match="cut off"):
        call_command("verify_audit", expect=events[3].digest)
