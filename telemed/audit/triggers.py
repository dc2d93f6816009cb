"""The database itself refuses to change or remove an event, whoever asks.

Installed after every ``migrate``, because SQLite drops a table's triggers whenever Django rebuilds
the table.
"""

from typing import Any

from django.db import connections

from telemed.audit.models import Event

MESSAGE = "audit events are append-only"
TABLE = Event._meta.db_table

_SQLITE = {
    f"{TABLE}_no_update": f"BEFORE UPDATE ON {TABLE}",
    f"{TABLE}_no_delete": f"BEFORE DELETE ON {TABLE}",
    # INSERT OR REPLACE removes the old row without firing a DELETE trigger (sqlite.org/pragma.html
    # recursive_triggers), so a key that exists is refused before.
    f"{TABLE}_no_replace": (
        f"BEFORE INSERT ON {TABLE} WHEN EXISTS"  # noqa: S608 our own table's name
        f" (SELECT 1 FROM {TABLE} WHERE id = NEW.id OR digest = NEW.digest)"
    ),
}
_POSTGRESQL = {
    f"{TABLE}_no_change": f"BEFORE UPDATE OR DELETE ON {TABLE}",
    f"{TABLE}_no_truncate": f"BEFORE TRUNCATE ON {TABLE}",
}
_FUNCTION = f"{TABLE}_refuse"


def install(using: str = "default", **kwargs: Any) -> None:
    """Receiver of ``post_migrate``; may run any number of times."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return  # this app's own migrations have not run yet
    remove(using)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation';"
                f" END $$"
            )
            for name, event in _POSTGRESQL.items():
                cursor.execute(
                    f"CREATE TRIGGER {name} {event} FOR EACH STATEMENT"
                    f" EXECUTE FUNCTION {_FUNCTION}()"
                )
        else:
            for name, event in _SQLITE.items():
                cursor.execute(
                    f"CREATE TRIGGER {name} {event} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
                )


def remove(using: str = "default") -> None:
    """Only ``install`` and the flush between tests have a reason to call this."""
    connection = connections[using]
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for name in _POSTGRESQL if postgresql else _SQLITE:
            table = f" ON {TABLE}" if postgresql else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{table}")
