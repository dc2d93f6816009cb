"""What lives as long as a media process does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consultations.engine import keep_collections_short
from consultations.process import Process


@asynccontextmanager
async def media_process() -> AsyncIterator[None]:
    process = await Process.start()
    keep_collections_short()
    try:
        yield
    finally:
        await process.stop()
