"""Hints are a help: nobody who waits for one is ended because Redis does not answer."""

import asyncio

import pytest

from telemed.lib.channel_layer import PatientChannelLayer
from tests import servers


async def test_who_listens_outlives_a_redis_that_is_away():
    away = PatientChannelLayer(hosts=["redis://127.0.0.1:1"])

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await away.receive(await away.new_channel())


async def test_what_was_sent_arrives():
    layer = PatientChannelLayer(hosts=[servers.redis.url])
    channel = await layer.new_channel()

    await layer.send(channel, {"type": "room.changed"})

    assert await layer.receive(channel) == {"type": "room.changed"}
    await layer.close_pools()


@pytest.mark.parametrize("times", [1, 2])
async def test_a_listener_that_is_ended_ends_at_once(times):
    """While the one before leaves the connection to it: its cancellation was swallowed, and it
    listened on for good."""
    layer = PatientChannelLayer(hosts=[servers.redis.url])
    for steps in range(40):
        first, second = [
            asyncio.create_task(layer.receive(await layer.new_channel())) for _ in range(2)
        ]
        await asyncio.sleep(0.01)
        first.cancel()
        for _ in range(steps):
            await asyncio.sleep(0)
        for _ in range(times):
            second.cancel()
            await asyncio.sleep(0)
        await asyncio.wait({first, second}, timeout=2)
        assert first.cancelled()
        assert second.cancelled(), f"after {steps} steps"
        assert asyncio.all_tasks() == {asyncio.current_task()}, f"after {steps} steps"
    await layer.close_pools()
