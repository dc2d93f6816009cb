"""What only takes long, or is lost on its way, keeps nobody out."""

import asyncio
import threading
from uuid import uuid4

import pytest

from consultations import database, sockets
from consultations.process import SILENT
from tests.consultations.callers import Caller, accepted, in_thread, ticket_for
from tests.consultations.media import Door
from tests.sfu.peer import PacketPeer

pytestmark = pytest.mark.alone

HELLO_SECONDS = 0.3


@pytest.fixture
async def caller(process, cast, visit):
    """Dr Salma, whose browser has not opened its socket."""
    browser = uuid4()
    ticket = await in_thread(ticket_for, process, cast.salma, visit, browser)
    return Caller(process, ticket, browser)


async def test_who_said_hello_may_wait_for_the_database(caller, monkeypatch):
    monkeypatch.setattr(sockets, "HELLO_SECONDS", HELLO_SECONDS)
    free = threading.Event()
    writers = [asyncio.create_task(database.write(free.wait)) for _ in range(database.WRITERS)]
    asyncio.get_running_loop().call_later(3 * HELLO_SECONDS, free.set)

    await caller.hello()
    await asyncio.gather(*writers)

    assert caller.closed is None
    assert caller.came[0]["type"] == "welcome"


async def test_a_hello_that_does_not_come_may_be_said_on_another_socket(caller, monkeypatch):
    monkeypatch.setattr(sockets, "HELLO_SECONDS", HELLO_SECONDS)
    assert await accepted(caller.socket)

    await caller.until(lambda: caller.closed is not None)

    assert caller.closed == SILENT


async def test_a_socket_given_up_while_it_waited_ends_no_newer_one(caller, cast, visit, enter):
    assert await accepted(caller.socket)
    newer = await enter(cast.salma, visit, caller.browser)

    caller.vanished = True
    await caller.say("hello", ticket=caller.ticket, protocol=1)
    await caller.hang_up()
    await newer.settle()

    assert newer.closed is None


async def test_an_answer_tells_a_restart_from_a_session_begun_anew(admitted, process):
    _, amina = admitted
    server = process.rooms.engine._server
    patient = PacketPeer(Door(amina), "", amina.id)
    room = next(iter(process.rooms)).id

    async def offered() -> str:
        patient.ufrag = uuid4().hex[:8]
        await patient.signal()
        return next(one["session"] for one in reversed(amina.came) if one["type"] == "answer")

    first, restarted = await offered(), await offered()
    server._rooms[room].peers[amina.id].transport.ice.last_check -= server.config.reap_seconds
    async with asyncio.timeout(3):
        while server.session(room, amina.id):
            await asyncio.sleep(0.05)
    forgotten = await offered()

    assert first == restarted != forgotten
