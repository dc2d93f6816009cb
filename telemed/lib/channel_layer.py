"""The channel layer: hints between processes, which may be lost and never end a socket."""

import asyncio
import logging
from typing import Any

from channels_redis.core import RedisChannelLayer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0


class PatientChannelLayer(RedisChannelLayer):
    """Waits for Redis to come back, where the library would end whoever listens."""

    async def receive(self, channel: str) -> dict[str, Any]:
        while True:
            try:
                message: dict[str, Any] = await super().receive(channel)
            except (OSError, RedisError):
                logger.warning("the channel layer does not answer")
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return message
