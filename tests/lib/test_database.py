"""The embedded database reads beside a writer, and a transaction is a writer from its beginning."""

import sqlite3

import pytest
from django.db import connection, transaction

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has its own ways"),
]


@pytest.fixture
def other():
    """Another process's connection, which waits for nobody."""
    second = sqlite3.connect(connection.settings_dict["NAME"], timeout=0, isolation_level=None)
    yield second
    second.close()


def test_it_writes_ahead(db):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)


def test_a_transaction_takes_the_only_pen_before_it_writes(other):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 0
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
