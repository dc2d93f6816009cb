"""A media process inside the test: real rooms, real sockets, real media server.

``visit``     Dr Salma's appointment with Amina at home, its window open
``other_visit``  Dr Youssef's with Zineb at the same time, and Zineb's user
``process``   the running media process
``enter``     ``await enter(user, visit)`` → a ``Caller`` whose socket has said hello; for a guest
              ``await enter(guest_of(link), visit)``
``waiting``   Dr Salma in the room, Amina in the waiting room with her consent given
``admitted``  the same two, Amina let in
``call``      the two and their connections: ``salma, amina, doctor, patient``, each heard
``sending_call``  the two, and Amina's connection with a data channel: ``salma, amina, peer``
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.test import override_settings

from consultations.access import Seat
from consultations.process import Process
from scheduling.models import Appointment
from telemed.accounts.models import User
from telemed.lib import clock as shared_clock
from tests import make
from tests.cast import Cast
from tests.consultations.callers import Caller, in_thread, ticket_for, words
from tests.consultations.media import connected, hears
from tests.consultations.sending import with_channel
from tests.sfu.data_peer import DataPeer
from tests.sfu.peer import PacketPeer

Two = tuple[Caller, Caller]
InCall = tuple[Caller, Caller, PacketPeer, PacketPeer]


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return Cast()


@pytest.fixture
def visit(cast: Cast) -> Appointment:
    cast.amina_user, cast.amina  # noqa: B018 made when first asked for
    return make.appointment(cast.amina, cast.at_home, shared_clock.now() + timedelta(minutes=5))


@pytest.fixture
def other_visit(cast: Cast) -> tuple[Appointment, User]:
    """Dr Youssef's with Zineb, at the same time, and Zineb's user."""
    zineb_user = make.user("zineb@cast.example", "Zineb Sefrioui")
    cast.zineb.user = zineb_user
    cast.zineb.save()
    service = make.service(cast.dr_youssef, cast.dermatology)
    starts = shared_clock.now() + timedelta(minutes=5)
    return make.appointment(cast.zineb, service, starts), zineb_user


@pytest.fixture
async def process(transactional_db: None) -> AsyncIterator[Process]:
    with override_settings(MEDIA_BIND=["127.0.0.1"]):
        running = await Process.start()
    yield running
    await running.stop()


@pytest.fixture
async def enter(
    process: Process,
) -> AsyncIterator[Callable[..., Awaitable[Caller]]]:
    callers: list[Caller] = []

    async def entering(who: User | Seat, visit: Appointment, browser: UUID | None = None) -> Caller:
        browser = browser or uuid4()
        ticket = await in_thread(ticket_for, process, who, visit, browser)
        caller = Caller(process, ticket, browser)
        callers.append(caller)
        return await caller.hello()

    yield entering
    for caller in callers:
        if caller.closed is None:
            await caller.hang_up()


@pytest.fixture
async def waiting(cast: Cast, visit: Appointment, enter: Callable[..., Awaitable[Caller]]) -> Two:
    salma = await enter(cast.salma, visit)
    amina = await enter(cast.amina_user, visit)
    await amina.change("consent", participant=amina.id, **words())
    await salma.until(lambda: bool(salma.snapshot.get("waiting")))
    return salma, amina


@pytest.fixture
async def admitted(waiting: Two) -> Two:
    salma, amina = waiting
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")
    return salma, amina


@pytest.fixture
async def call(admitted: Two) -> AsyncIterator[InCall]:
    salma, amina = admitted
    doctor, patient = await connected(salma), await connected(amina)
    for peer in (doctor, patient):
        await hears(peer)
    yield salma, amina, doctor, patient
    for peer in (doctor, patient):
        peer.kill()


@pytest.fixture
async def sending_call(admitted: Two) -> AsyncIterator[tuple[Caller, Caller, DataPeer]]:
    salma, amina = admitted
    peer = await with_channel(amina)
    doctor = await with_channel(salma)
    await hears(doctor)
    yield salma, amina, peer
    peer.kill()
    doctor.kill()
