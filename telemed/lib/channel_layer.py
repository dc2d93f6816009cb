"""The channel layer: hints between processes, which may be lost and never end a socket."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from channels_redis.core import RedisChannelLayer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
INSIST_SECONDS = 0.05


class PatientChannelLayer(RedisChannelLayer):
    """Waits for Redis to come back, where the library would end whoever listens."""

    async def receive(self, channel: str) -> dict[str, Any]:
        while True:
            try:
                return await self._receive(channel)
            except (OSError, RedisError):
                logger.warning("the channel layer does not answer")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _receive(self, channel: str) -> dict[str, Any]:
        """Ends when it is cancelled: the client library may swallow a cancellation that comes
        while it connects, and a socket that is gone would go on listening."""
        task = asyncio.create_task(super().receive(channel))
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            while not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):  # once more, while it is being ended
                    await asyncio.wait({task}, timeout=INSIST_SECONDS)
            raise
        message: dict[str, Any] = task.result()
        return message
