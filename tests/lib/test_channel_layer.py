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
