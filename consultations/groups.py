"""Every channel-layer group. What is sent to one is a hint and may be lost."""

from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

# What an unreachable channel layer raises: Redis's own errors are none of Python's.
LOST = (OSError, RedisError)


def room(room_id: UUID | str) -> str:
    return f"room.{room_id}"


def hint_room(room_id: UUID | str) -> None:
    """Tell the room's media process to look again; for actions, after their commit.

    A lost hint costs up to a heartbeat, so an unreachable Redis must not fail the action.
    """
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(room(room_id), {"type": "room.changed"})
    except LOST:
        return
