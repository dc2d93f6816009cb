"""What lives as long as a media process does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def media_process() -> AsyncIterator[None]:
    yield
