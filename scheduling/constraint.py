"""The one constraint against double booking, in each database's own words.

PostgreSQL: an exclusion constraint (migration 0002). SQLite has none, so triggers on insert and
update say the same; Django rebuilds a table to alter it and SQLite then drops its triggers without
a word, so they are put back after every ``migrate`` and every flush (``post_migrate``).
"""

from typing import Any

from django.db import IntegrityError, connections

NAME = "occupied_no_overlap"
TABLE = "scheduling_occupiedinterval"
COLUMNS = "resource_kind, resource, starts_at, ends_at"

POSTGRESQL_ADD = f"""
ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} EXCLUDE USING gist
    (resource_kind WITH =, resource WITH =, tstzrange(starts_at, ends_at) WITH &&)
"""
POSTGRESQL_DROP = f"ALTER TABLE {TABLE} DROP CONSTRAINT {NAME}"

_REFUSE = f"""
BEGIN
    SELECT RAISE(ABORT, '{NAME}') WHERE EXISTS (
        SELECT 1 FROM {TABLE}
        WHERE resource_kind = NEW.resource_kind AND resource = NEW.resource
          AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at AND id IS NOT NEW.id
    );
END
"""  # noqa: S608 our own constants
SQLITE_TRIGGERS = {
    f"{NAME}_insert": f"BEFORE INSERT ON {TABLE} {_REFUSE}",
    f"{NAME}_update": f"BEFORE UPDATE OF {COLUMNS} ON {TABLE} {_REFUSE}",
}


def install(using: str = "default", **_: Any) -> None:
    """Put the SQLite triggers in their place, again and again: a ``post_migrate`` receiver."""
    connection = connections[using]
    if connection.vendor != "sqlite" or TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for name, definition in SQLITE_TRIGGERS.items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"CREATE TRIGGER {name} {definition}")


def is_overlap(error: IntegrityError) -> bool:
    return NAME in str(error)
