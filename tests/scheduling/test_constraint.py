"""The database itself refuses what overlaps, on both databases, and after a table was rebuilt."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from scheduling import constraint
from scheduling.models import Hold, OccupiedInterval

pytestmark = pytest.mark.django_db(transaction=True)
NINE = datetime(2030, 1, 7, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOMEBODY = uuid.UUID(int=1)


@pytest.fixture
def hold(cast) -> Hold:
    return Hold.objects.create(
        service=cast.at_home,
        patient=cast.amina,
        held_by=cast.amina_user,
        starts_at=NINE,
        expires_at=NINE,
    )


def occupy(hold, start, end, kind="specialist", resource=SOMEBODY) -> OccupiedInterval:
    return OccupiedInterval.objects.create(
        resource_kind=kind,
        resource=resource,
        starts_at=NINE + start * MINUTE,
        ends_at=NINE + end * MINUTE,
        hold=hold,
    )


def assert_refuses(action) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        action()
    assert constraint.is_overlap(refused.value)


@pytest.mark.parametrize(("start", "end"), [(0, 20), (5, 10), (-10, 1), (19, 40), (-5, 30)])
def test_an_insert_that_overlaps_is_refused(hold, start, end):
    occupy(hold, 0, 20)
    assert_refuses(lambda: occupy(hold, start, end))


def test_an_update_that_overlaps_is_refused(hold):
    occupy(hold, 0, 20)
    later = occupy(hold, 20, 40)
    rows = OccupiedInterval.objects.filter(pk=later.pk)
    assert_refuses(lambda: rows.update(starts_at=NINE + 19 * MINUTE))
    rows.update(starts_at=NINE + 21 * MINUTE)


def test_what_touches_or_is_another_resource_may_stand(hold):
    occupy(hold, 0, 20)
    occupy(hold, 20, 40)
    occupy(hold, -20, 0)
    occupy(hold, 0, 20, resource=uuid.UUID(int=2))
    occupy(hold, 0, 20, kind="patient")


def test_another_error_is_not_taken_for_an_overlap(hold):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        occupy(hold, 20, 0)
    assert not constraint.is_overlap(refused.value)


def triggers() -> set[str]:
    """Empty on PostgreSQL, whose constraint is no trigger."""
    if connection.vendor != "sqlite":
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s",
            [constraint.TABLE],
        )
        return {name for (name,) in cursor.fetchall()}


def test_it_is_still_there_after_the_table_was_altered(hold):
    """SQLite drops a table's triggers without a word when Django rebuilds it."""
    kind = OccupiedInterval._meta.get_field("resource_kind")
    wider = models.CharField(max_length=40)
    wider.set_attributes_from_name("resource_kind")
    wider.model = OccupiedInterval
    before = triggers()
    with connection.schema_editor() as editor:
        editor.alter_field(OccupiedInterval, kind, wider, strict=True)
    assert triggers() == set()
    call_command("migrate", verbosity=0)
    try:
        assert triggers() == before
        occupy(hold, 0, 20)
        assert_refuses(lambda: occupy(hold, 0, 20))
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(OccupiedInterval, wider, kind, strict=True)
        call_command("migrate", verbosity=0)
    later = occupy(hold, 20, 40)
    rows = OccupiedInterval.objects.filter(pk=later.pk)
    assert_refuses(lambda: rows.update(starts_at=NINE))


def test_putting_it_in_place_again_changes_nothing(hold):
    constraint.install()
    constraint.install()
    occupy(hold, 0, 20)
    assert_refuses(lambda: occupy(hold, 0, 20))
