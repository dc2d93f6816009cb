"""Every channel-layer group. What is sent to one is a hint and may be lost."""

import asyncio
import time
from collections.abc import Awaitable
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

# What an unreachable channel layer raises: Redis's own errors are none of Python's.
LOST = (OSError, RedisError)
HINT_SECONDS = 1.0
# After a hint that was lost: a Redis that hangs would hold each change up for as long.
QUIET_SECONDS = 5.0
_quiet_until = float("-inf")


def room(room_id: UUID | str) -> str:
    return f"room.{room_id}"


def hint_room(room_id: UUID | str) -> None:
    """Tell the room's media process to look again; for actions, after their commit.

    A lost hint costs up to a heartbeat, so a Redis that is lost, or hangs, must neither fail the
    action nor hold it up.
    """
    global _quiet_until
    layer = get_channel_layer()
    if layer is None or time.monotonic() < _quiet_until:
        return
    try:
        async_to_sync(within_reason)(layer.group_send(room(room_id), {"type": "room.changed"}))
    except LOST:
        _quiet_until = time.monotonic() + QUIET_SECONDS


async def within_reason(work: Awaitable[None]) -> None:
    """Raises what ``LOST`` names, ``TimeoutError`` for a Redis that does not answer."""
    async with asyncio.timeout(HINT_SECONDS):
        await work
