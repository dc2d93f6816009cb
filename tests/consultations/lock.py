"""Somebody else who writes: holds SQLite's one write lock, on PostgreSQL what is named."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager

from django.db import connection

ROOMS = "SELECT id FROM consultations_room FOR UPDATE"
PROCESSES = "SELECT id FROM consultations_mediaprocess FOR UPDATE"


@contextmanager
def held(begin: str) -> Iterator[None]:
    """Until the body ends what this begins goes on, in a transaction of its own."""
    other = connection.copy()
    other.inc_thread_sharing()
    other.ensure_connection()
    other.cursor().execute(begin)
    yield
    other.cursor().execute("ROLLBACK")
    other.close()


@asynccontextmanager
async def held_lock(postgresql: str = ROOMS) -> AsyncIterator[None]:
    """Until the body ends nobody else writes; on PostgreSQL, by default, no room is changed."""
    lock = held(f"BEGIN; {postgresql}" if connection.vendor == "postgresql" else "BEGIN IMMEDIATE")
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as thread:
        await loop.run_in_executor(thread, lock.__enter__)
        try:
            yield
        finally:
            await loop.run_in_executor(thread, lock.__exit__, None, None, None)
