"""What Django's ``flush`` does after a transactional test, only for the tables that hold rows: it
empties some seventy and announces a migration, which takes longer than most tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from telemed.audit import triggers

# Made by migrations and by what follows them; no test changes them.
KEPT = {"django_migrations", "django_content_type", "auth_permission", "django_site"}


def empty_every_table() -> None:
    tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    filled = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in sorted(tables)
    )
    with connection.cursor() as cursor:
        cursor.execute(filled)
        names = [name for (name,) in cursor.fetchall()]
        with _nothing_refused(cursor):
            for name in names:
                cursor.execute(f'DELETE FROM "{name}"')


@contextmanager
def _nothing_refused(cursor) -> Iterator[None]:
    """The emptying alone may pass over foreign keys and the triggers that guard the audit."""
    if connection.vendor == "postgresql":
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = DEFAULT")
        return
    triggers.remove()
    cursor.execute("PRAGMA foreign_keys = OFF")
    yield
    cursor.execute("PRAGMA foreign_keys = ON")
    triggers.install()
