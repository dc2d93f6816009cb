"""What lives as long as a media process does."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consultations.process import Process

# Packets make no cycles; what does is small and rare. A full collection over all that was imported
# would hold every call up for tens of milliseconds.
COLLECT_AFTER = (20_000, 20, 50)


def _keep_collections_short() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@asynccontextmanager
async def media_process() -> AsyncIterator[None]:
    process = await Process.start()
    _keep_collections_short()
    try:
        yield
    finally:
        await process.stop()
