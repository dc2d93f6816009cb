"""The pool of database threads: connections are kept, and opened anew when they died."""

import pytest
from django.db import connection

from consultations import database


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def end(backend_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend_id])


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no server to lose")
async def test_what_was_cut_off_is_opened_anew(transactional_db):
    first = await database.beat(backend)
    assert await database.beat(backend) == first
    await database.read(end, first)

    assert await database.beat(backend) != first
    await database.close()
