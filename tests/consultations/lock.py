"""Somebody else who writes: holds SQLite's one write lock, on PostgreSQL the room's row."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from django.db import connection

from consultations.models import Room


@asynccontextmanager
async def held_lock() -> AsyncIterator[None]:
    """Until the body ends nobody else writes (PostgreSQL: no room is changed)."""
    other = connection.copy()
    other.inc_thread_sharing()

    def take() -> None:
        other.ensure_connection()
        other.cursor().execute(
            f"BEGIN; SELECT id FROM {Room._meta.db_table} FOR UPDATE"
            if other.vendor == "postgresql"
            else "BEGIN IMMEDIATE"
        )

    def release() -> None:
        other.cursor().execute("ROLLBACK")
        other.close()

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as thread:
        await loop.run_in_executor(thread, take)
        try:
            yield
        finally:
            await loop.run_in_executor(thread, release)
