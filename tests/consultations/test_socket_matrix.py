"""Every message of the socket × everybody in a visit × own and foreign people (tests/matrix.py).

The messages come from the table of handlers: a handler without a line fails.
"""

from typing import Any
from uuid import uuid4

import pytest

from consultations.access import guest_seat
from consultations.actions.entering import enter as enter_room
from consultations.actions.entering import open_visit
from consultations.actions.guests import start_session
from consultations.handlers import HANDLERS
from consultations.models import Participant, Room
from consultations.tickets import make as make_ticket
from scheduling import links
from scheduling.actions import issue_link
from telemed.audit.actor import SYSTEM
from telemed.lib import clock
from tests import make, matrix
from tests.consultations.callers import Caller, in_thread, recording_shown, recording_words, words

LINES = {
    name: dict(zip(matrix.SOCKET_COLUMNS, cells, strict=True))
    for name, *cells in (line.split() for line in matrix.SOCKET.splitlines() if line)
}


def fields(name: str, whom: str, column: str) -> dict[str, Any]:
    """A message of this kind that the protocol's grammar accepts, about ``whom``."""
    known: dict[str, dict[str, Any]] = {
        "offer": {"sdp": "v=0"},
        "mute": {"kind": "audio", "muted": True},
        "sends": {"mode": "slow"},
        "watch": {"video": "save"},
        "stats": {
            "path": "direct",
            "round_trip": 0.08,
            "concealed": 0.01,
            "freezes": 2,
            "frozen": 1.5,
        },
        "consent": {"participant": whom, **words(patient=column == "patient")},
        "withdraw": {"participant": whom},
        "declare": {
            "person": str(uuid4()),
            "name": "Moha",
            "capacity": "father",
            "on_camera": False,
        },
        "undeclare": {"person": str(uuid4())},
        "place": {"place": "Imilchil", "phone": "", "contact": ""},
        "chat": {"text": "Bonjour", "to": None},
        "unable": {"reason": "device"},
        "admit": {"participant": whom},
        "deny": {"participant": whom},
        "remove": {"participant": whom},
        "identify": {"how": "known"},
        "override": {"reason": "She lost consciousness."},
        "record_consent": {"subject": whom, **recording_words()},
        "record_withdraw": {"subject": whom, "keep": True},
        "picture_ask": {"participant": whom, "site": "hand", "side": "left"},
        "picture_send": {
            "picture": str(uuid4()),
            "bytes": 1000,
            "sha256": "0" * 64,
            "width": 40,
            "height": 30,
            "age": 2,
        },
        "picture_end": {"picture": str(uuid4())},
        "finish": {"mode": "video"},
    }
    return known.get(name, {})


@pytest.fixture
def at_imilchil(cast):
    assert cast.amina
    assert cast.brahim
    make.records(cast.imilchil)
    make.representative(cast.amina, cast.fatima)
    return make.appointment(cast.amina, cast.at_imilchil, clock.now())


@pytest.fixture
def foreign(cast) -> str:
    """Somebody in another region's visit."""
    service = make.service(
        cast.dr_youssef, cast.dermatology, patient_place="facility", site=cast.temara
    )
    elsewhere = make.appointment(cast.zineb, service, clock.now())
    room: Room = open_visit(elsewhere)
    return str(
        Participant.objects.create(
            organisation=cast.temara, room=room, role="patient", patient=cast.zineb, name="Zineb"
        ).pk
    )


def guest_ticket(process, visit, browser, kind="interpreter") -> str:
    link = issue_link(visit, kind, SYSTEM, name="Hicham")
    session, _key = start_session(link, links.code(link))
    participant = enter_room(guest_seat(link, session), browser)
    return make_ticket(
        process.name,
        "fr",
        room=participant.room_id,
        participant=participant.pk,
        browser=browser,
        guest=session.pk,
    )


@pytest.fixture
async def people(cast, at_imilchil, enter, process):
    """Dr Salma, Amina and Brahim in the call, an interpreter waiting before it."""
    salma = await enter(cast.salma, at_imilchil)
    amina = await enter(cast.amina_user, at_imilchil)
    await amina.change("consent", participant=amina.id, **words())
    brahim = await enter(cast.brahim, at_imilchil)
    await brahim.change("consent", participant=brahim.id, **words(patient=False))
    fatima = await enter(cast.fatima, at_imilchil)
    await fatima.change("consent", participant=fatima.id, **words(patient=False))
    companion = await by_link(process, at_imilchil, "companion")
    for one in (amina, brahim, fatima, companion):
        await salma.change("admit", participant=one.id)
        await one.until(lambda one=one: one.state == "admitted")
    await salma.change("identify", how="known")
    guest = await by_link(process, at_imilchil, "interpreter")
    yield {
        "guest": guest,
        "companion": companion,
        "patient": amina,
        "repres.": fatima,
        "presenter": brahim,
        "specialist": salma,
    }
    for one in (guest, companion):
        if one.closed is None:
            await one.hang_up()


async def by_link(process, visit, kind) -> Caller:
    """Somebody who came by link and has agreed."""
    browser = uuid4()
    ticket = await in_thread(guest_ticket, process, visit, browser, kind)
    caller = await Caller(process, ticket, browser).hello()
    await caller.change("consent", participant=caller.id, **words(patient=kind == "patient"))
    return caller


@pytest.fixture
async def patient_by_link(cast, at_imilchil, enter, process):
    """Amina once more, by link: Dr Salma has admitted her."""
    salma = await enter(cast.salma, at_imilchil)
    amina = await by_link(process, at_imilchil, "patient")
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")
    yield amina
    if amina.closed is None:
        await amina.hang_up()


def target(name: str, column: str, people: dict[str, Caller]) -> str:
    """Oneself for a consent; for what the specialist decides, the interpreter or the presenter."""
    if name in {"consent", "withdraw", "record_consent", "record_withdraw"}:
        return people[column].id
    return people["presenter" if name == "remove" else "guest"].id


async def told(caller: Caller, name: str, sent: dict[str, Any]) -> str:
    answer = await caller.change(name, **sent)
    return str(answer["code"]) if answer["type"] == "refused" else "yes"


async def cell(name: str, column: str, people: dict[str, Caller], foreign: str) -> str:
    caller = people[column]
    about = fields(name, target(name, column, people), column)
    if name == "record_consent":
        about["text_sha256"] = await in_thread(recording_shown, caller.id)
    key = next((key for key in ("participant", "subject") if key in about), "")
    other = await told(caller, name, {**about, key: foreign}) if key else ""
    own = await told(caller, name, about)
    if other in ("", own):
        return own
    return f"{own}/{'X' if other == 'unknown_participant' else other}"


def test_every_message_has_a_line():
    assert set(LINES) == set(HANDLERS)


@pytest.mark.parametrize("name", list(HANDLERS))
async def test_everybody_gets_what_the_table_says(name, people, foreign):
    found = {}
    for column in matrix.SOCKET_COLUMNS:  # the specialist last: what they do may end the visit
        found[column] = await cell(name, column, people, foreign)
    assert found == LINES.get(name)


@pytest.mark.parametrize("name", list(HANDLERS))
async def test_a_patient_by_link_may_what_patients_may(name, patient_by_link, foreign):
    everybody = dict.fromkeys(("patient", "presenter", "guest"), patient_by_link)
    assert await cell(name, "patient", everybody, foreign) == LINES[name]["patient"]
