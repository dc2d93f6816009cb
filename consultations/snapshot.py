"""The room as one person may see it: PROTOCOL.md section 5. Pure functions of ``Facts``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from consultations import picture_snapshot, recording_snapshot, rules, whereabouts
from consultations.facts import Facts
from consultations.models import ChatMessage, Participant, ParticipantRole
from telemed.accounts.names import display_name, user_name
from telemed.lib import formats
from telemed.lib.fields import localized

PROFESSIONAL = frozenset({ParticipantRole.SPECIALIST, ParticipantRole.PRESENTER})


def is_live(one: Participant, browser: str) -> bool:
    """Whether this browser is the one through which the person is in the room."""
    return one.state in rules.INSIDE and str(one.browser) == browser


def name_of(one: Participant | None, language: str) -> str:
    """In the script of the reader's language where the person has one."""
    if one is None:
        return ""
    if one.patient is not None:
        return display_name(one.patient, language)
    return user_name(one.user, language) if one.user is not None else one.name


@dataclass(frozen=True)
class Waits:
    """What somebody who waits is told: ``queue`` is ``place`` and ``minutes``."""

    queue: Mapping[str, int]
    specialist_knows: bool


@dataclass(frozen=True)
class Connections:
    """By participant: the state of their peer connection, and what their camera sends."""

    links: Mapping[str, str]
    modes: Mapping[str, str]


def of(
    facts: Facts,
    you: Participant,
    browser: str,
    language: str,
    connections: Connections,
    waits: Waits | None,
) -> dict[str, Any]:
    """``waits``: for who is not in."""
    shown: dict[str, Any] = {
        "type": "snapshot",
        "number": facts.room.snapshot,
        "room": facts.room.state,
        "you": _you(facts, you, browser, language),
    }
    if is_live(you, browser):
        shown |= _inside(facts, you, language, connections)
    elif waits is not None:
        shown["queue"] = dict(waits.queue)
        shown["specialist_knows"] = waits.specialist_knows
        shown["messages"] = [
            _message(facts, one, you, language) for one in facts.chat if _between(one, you)
        ]
    return shown


def _you(facts: Facts, you: Participant, browser: str, language: str) -> dict[str, Any]:
    state = you.state
    since = you.waiting_since
    if state in rules.INSIDE and not is_live(you, browser):
        # Another device of the same person is in the room; this one waits its turn.
        state, since = Participant.State.WAITING, you.next_since
    return {
        "id": str(you.pk),
        "role": you.role,
        "name": name_of(you, language),
        "state": state,
        "waited": int((facts.read_at - since).total_seconds()) if since else 0,
        "consent": facts.consents[you.pk],
        "carries": [
            {
                "id": str(one.pk),
                "name": name_of(one, language),
                "role": one.role,
                "consent": facts.consents[one.pk],
            }
            for one in facts.carried_by(you)
        ],
        "waiting_elsewhere": you.next_browser is not None and is_live(you, browser),
    }


def _inside(
    facts: Facts, you: Participant, language: str, connections: Connections
) -> dict[str, Any]:
    inside = [one for one in facts.people if one.state in rules.INSIDE]
    name = partial(name_of, language=language)
    shown: dict[str, Any] = {
        "people": [_person(facts, one, language, connections) for one in inside],
        "messages": [
            _message(facts, one, you, language) for one in facts.chat if _may_read(one, you)
        ],
        "visit": _visit(facts, you),
        "emergency": emergency(facts, language) if facts.room.emergency_at else None,
        "recording": recording_snapshot.of(facts, you, language, name),
        "pictures": picture_snapshot.of(facts, you, name),
    }
    if you.role == ParticipantRole.SPECIALIST:
        shown["waiting"] = [
            _waiting(facts, one, language) for one in facts.people if waits(facts, one)
        ]
    return shown


def _person(
    facts: Facts, one: Participant, language: str, connections: Connections
) -> dict[str, Any]:
    connection = str(one.beside_id or one.pk)
    return {
        "id": str(one.pk),
        "name": name_of(one, language),
        "role": one.role,
        "state": one.state,
        "verified": one.verified,
        "beside": str(one.beside_id) if one.beside_id else None,
        "consent": facts.consents[one.pk],
        "muted": one.muted,
        "link": connections.links.get(connection, "gone"),
        "sends": connections.modes.get(connection, "full"),
        "present": [
            {
                "id": str(person.pk),
                "name": person.name,
                "capacity": person.capacity,
                "on_camera": person.on_camera,
            }
            for person in facts.present[one.pk]
        ],
    }


def waits(facts: Facts, one: Participant) -> bool:
    """Whether the specialist is to see them in the waiting room now."""
    if one.next_browser is not None:
        return True
    seen = one.last_seen_at
    return (
        one.state == Participant.State.WAITING
        and one.beside_id is None
        and seen is not None
        and facts.read_at - seen <= rules.AWAY_LIMIT
    )


def _waiting(facts: Facts, one: Participant, language: str) -> dict[str, Any]:
    elsewhere = one.next_browser is not None
    since = one.next_since if elsewhere else one.waiting_since
    return {
        "id": str(one.pk),
        "name": name_of(one, language),
        "role": one.role,
        "waited": int((facts.read_at - since).total_seconds()) if since else 0,
        "verified": one.verified,
        "consent": facts.consents[one.pk],
        "elsewhere": elsewhere,
        "carries": [name_of(other, language) for other in facts.carried_by(one)],
    }


def _between(message: ChatMessage, you: Participant) -> bool:
    return you.pk == message.to_id or (you.pk == message.author_id and message.to_id is not None)


def _may_read(message: ChatMessage, you: Participant) -> bool:
    """Professionals read all; others what was said to all since their admission, and a guest who
    went and came back since that return."""
    if message.to_id is not None:
        return _between(message, you) or you.role == ParticipantRole.SPECIALIST
    if you.role in PROFESSIONAL:
        return True
    since = you.reads_from or you.admitted_at
    return since is not None and message.received_at >= since


def _message(facts: Facts, message: ChatMessage, you: Participant, language: str) -> dict[str, Any]:
    zone = facts.appointment.time_zone
    return {
        "id": str(message.pk),
        "author": str(message.author_id),
        "name": name_of(facts.participant(message.author_id), language),
        "text": message.text,
        "at": formats.hour(message.received_at, zone),
        "to": str(message.to_id) if message.to_id else None,
        "mine": message.author_id == you.pk,
    }


def _visit(facts: Facts, you: Participant) -> dict[str, Any]:
    visit = facts.consultation
    phone = whereabouts.phone(visit, facts.contacts)
    return {
        "identified": visit.identified_how or None,
        "started_at": _iso(visit.started_at),
        "mode": visit.mode,
        "override": facts.override,
        "phone": phone.text if you.role in PROFESSIONAL else None,
        "phone_confirmed": phone.confirmed,
    }


def emergency(facts: Facts, language: str) -> dict[str, Any]:
    """What both sides need when seconds count; the patient's site, else their organisation.

    What nobody confirmed for this visit is taken from the file and marked so.
    """
    visit, booked = facts.consultation, facts.appointment
    place = whereabouts.place(visit, facts.contacts, language)
    phone = whereabouts.phone(visit, facts.contacts)
    site = booked.site or booked.organisation
    callers = [
        one for one in facts.people if one.role in PROFESSIONAL and one.state in rules.INSIDE
    ]
    doctor = next((one for one in callers if one.role == ParticipantRole.SPECIALIST), None)
    return {
        "place": place.text,
        "place_confirmed": place.confirmed,
        "phone": phone.text,
        "phone_confirmed": phone.confirmed,
        "contact": visit.contact_person,
        "number": site.emergency_number,
        "hospital": localized(site.nearest_hospital, language),
        "hospital_phone": site.nearest_hospital_phone,
        "calls_back": name_of(doctor or next(iter(callers), None), language),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
