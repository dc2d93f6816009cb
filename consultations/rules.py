"""What the room decides: pure functions of plain values and ``now``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from consultations.models import Participant, ParticipantRole, Picture, Room

State = Participant.State

AWAY_LIMIT = timedelta(minutes=15)
UNATTENDED_LIMIT = timedelta(minutes=2)

INSIDE = frozenset({State.ADMITTED, State.CONNECTED, State.RECONNECTING})
OUTSIDE = frozenset({State.DENIED, State.REMOVED})
# They can be asked, and can wait outside: no emergency answers for them.
GUESTS = frozenset({ParticipantRole.COMPANION, ParticipantRole.INTERPRETER})
NO_CONSENT_NEEDED = frozenset({ParticipantRole.SPECIALIST})


class ConsentState(StrEnum):
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NONE = "none"
    NOT_NEEDED = "not-needed"


def consent_state(role: str, decision: str | None, *, withdrawn: bool) -> ConsentState:
    """The newest decision of one person, in one word."""
    if role in NO_CONSENT_NEEDED:
        return ConsentState.NOT_NEEDED
    if decision is None:
        return ConsentState.NONE
    if withdrawn:
        return ConsentState.WITHDRAWN
    return ConsentState(decision)


@dataclass(frozen=True)
class Person:
    """What the rules need to know of a participant; ``beside`` is whose connection carries them."""

    id: str
    role: str
    state: str
    consent: ConsentState
    beside: str | None = None

    @property
    def inside(self) -> bool:
        return self.state in INSIDE

    def agreed(self, *, override: bool) -> bool:
        """``override`` stands in for a consent that nobody could give on the patient's side, never
        for a refusal, and never for a guest's own."""
        if self.consent in (ConsentState.GIVEN, ConsentState.NOT_NEEDED):
            return True
        return override and self.consent == ConsentState.NONE and self.role not in GUESTS


def patient_agreed(people: Iterable[Person], *, override: bool = False) -> bool:
    """Whether the patient has consented; a representative's consent is stored as the patient's."""
    return any(
        person.role == ParticipantRole.PATIENT and person.agreed(override=override)
        for person in people
    )


@dataclass(frozen=True)
class Permit:
    """Whether a connection may be seen and heard, and whether it may see and hear."""

    send: bool
    receive: bool


def permits(
    people: Iterable[Person], *, room_state: str, override: bool, attended: bool
) -> dict[str, Permit]:
    """By connection (the id of the participant who holds it).

    Nothing flows in a room that is paused, closed or unattended; nothing before the patient's
    consent; nothing from a connection before everybody it carries has consented. ``override`` is
    a life-threatening emergency declared by the specialist.
    """
    everybody = list(people)
    open_room = room_state == Room.State.IN_SESSION and attended
    going = open_room and patient_agreed(everybody, override=override)
    result = {}
    for person in everybody:
        if person.beside is not None:
            continue
        heard = [person, *(other for other in everybody if other.beside == person.id)]
        agreed = all(each.agreed(override=override) for each in heard)
        flows = going and agreed and person.inside
        result[person.id] = Permit(send=flows, receive=flows)
    return result


def keeps_place(last_seen: datetime | None, *, same_browser: bool, now: datetime) -> bool:
    """Whether somebody who comes back takes up their place without being admitted again."""
    return same_browser and last_seen is not None and now - last_seen <= AWAY_LIMIT


def state_on_entry(
    role: str, state: str, last_seen: datetime | None, *, same_browser: bool, now: datetime
) -> str:
    """The state of somebody who enters (again)."""
    if role == ParticipantRole.SPECIALIST:
        return State.ADMITTED
    back_inside = state in INSIDE or state == State.LEFT
    if back_inside and keeps_place(last_seen, same_browser=same_browser, now=now):
        return State.ADMITTED
    return State.WAITING


def state_on_leaving(state: str) -> str:
    """The state of somebody who goes. Only who was in has ``left``, and may come straight back:
    leaving the waiting room must not open the room."""
    if state in INSIDE:
        return State.LEFT
    return State.INVITED if state in (State.JOINING, State.WAITING) else state


def queue(waiting: Iterable[tuple[str, datetime]], who: str) -> int:
    """The honest place of ``who`` among all who wait for the same specialist, from 1.

    ``waiting`` holds (id, appointment's start): those booked earlier are seen earlier.
    """
    ordered = sorted(waiting, key=lambda one: (one[1], one[0]))
    return next((place for place, one in enumerate(ordered, 1) if one[0] == who), 1)


def expected_wait(
    starts_at: datetime, before: Iterable[timedelta], running_until: datetime | None, now: datetime
) -> timedelta:
    """How long until the specialist can come: never before the booked time, after the visit that
    runs and those before, each taken at its booked length."""
    free_at = max(now, running_until or now) + sum(before, timedelta())
    return max(starts_at, free_at) - now


def may_consent_alone(birth_date: date | None, today: date, majority: int) -> bool:
    """Whether somebody is of age; who has no birth date on record is taken for an adult."""
    if birth_date is None:
        return True
    birthday = (birth_date.month, birth_date.day) <= (today.month, today.day)
    return today.year - birth_date.year - (not birthday) >= majority


def identification_is_due(identified: str, *, patient_admitted: bool, by_telephone: bool) -> bool:
    """Whether a visit cannot be finished before it is said how the patient was identified, or that
    they were not: somebody was seen, or spoken with."""
    return not identified and (patient_admitted or by_telephone)


class Speaker(StrEnum):
    """Whose words a decision about being seen and heard is."""

    THEMSELVES = "themselves"
    REPRESENTATIVE = "representative"
    NAMED = "named"  # a parent or guardian at that end, heard by the presenter


@dataclass(frozen=True)
class Saying:
    """Somebody of ``role`` sends a decision about one person.

    ``own``: it is about themselves; ``beside``: that person sits at their device; ``spoken``: it
    was heard, not tapped; ``may_consent`` and ``guardian``: what their representation of the
    patient allows, and whether the law put them in an adult's place; ``named``: it is said who
    spoke.
    """

    role: str
    own: bool = False
    beside: bool = False
    of_patient: bool = True
    given: bool = True
    spoken: bool = False
    of_age: bool = True
    may_consent: bool = False
    guardian: bool = False
    named: bool = False


def speaker(it: Saying) -> Speaker | str:
    """Whose decision it is, or the code of the refusal. Anybody may say no for themselves."""
    with_presenter = it.beside and it.role == ParticipantRole.PRESENTER
    if it.spoken and not with_presenter:
        return "no_witness"
    competent = it.of_age or not it.of_patient or not it.given
    if it.own or with_presenter:
        if competent:
            return Speaker.THEMSELVES
        return Speaker.NAMED if it.spoken and it.named else "representative_needed"
    if it.role != ParticipantRole.REPRESENTATIVE or not it.of_patient:
        return "not_allowed"
    # On one device with their representative, an adult taps for themselves.
    if it.beside and competent and not it.guardian:
        return Speaker.THEMSELVES
    if it.may_consent:
        return Speaker.REPRESENTATIVE
    return "representative_needed" if it.beside else "not_allowed"


@dataclass(frozen=True)
class Attendance:
    """Who came, as the room saw it. ``reached``: entered the waiting room; ``opened``: opened the
    link, the test or the page; ``trouble``: why they could not join, as they or their browser told.
    """

    specialist_reached: bool
    patient_reached: bool
    patient_opened: bool
    patient_admitted: bool
    trouble: str = ""


def outcome_after(seen: Attendance) -> tuple[str, str] | None:
    """The appointment's status and reason when its time is over and nobody has said anything.

    FHIR's ``noshow`` is said of either side; the reason tells which. Somebody who tried is no
    no-show. None leaves it to a person: somebody was admitted, so the visit is unfinished.
    """
    if seen.patient_admitted:
        return None
    if seen.patient_reached:
        return (
            ("arrived", "not_admitted")
            if seen.specialist_reached
            else (
                "noshow",
                "specialist_absent",
            )
        )
    if seen.patient_opened:
        return "arrived", f"could_not_join_{seen.trouble or 'unknown'}"
    return "noshow", "patient_absent"


# --- pictures

SENDS_PICTURES = frozenset(
    {ParticipantRole.PATIENT, ParticipantRole.REPRESENTATIVE, ParticipantRole.PRESENTER}
)
MAX_PICTURE_BYTES = 20_000_000
MAX_PICTURE_PIXELS = 120_000_000  # decoded, a third of a gigabyte
MAX_OPEN_PICTURES = 3
PICTURE_LIMIT = timedelta(hours=2)  # from the asking until it is whole


@dataclass(frozen=True)
class Asking:
    """A picture asked of somebody of ``role``; ``with_device``: not on somebody else's.
    ``open``: so many are asked of them already."""

    role: str
    inside: bool
    with_device: bool
    room_state: str
    open: int


def may_ask_for_picture(it: Asking) -> str:
    """Why not: ``not_allowed``, ``picture_not_now``, ``picture_many``; "" when it may."""
    if it.role not in SENDS_PICTURES or not it.with_device:
        return "not_allowed"
    if not it.inside or it.room_state != Room.State.IN_SESSION:
        return "picture_not_now"
    return "picture_many" if it.open >= MAX_OPEN_PICTURES else ""


def may_send_picture(*, asked: bool, state: str, size: int, pixels: int) -> str:
    """Why a picture of ``size`` bytes may not be announced: ``not_allowed`` by whom it was not
    ``asked`` of, ``picture_over``, ``picture_too_large``; "" when it may, another in its place as
    well."""
    if not asked:
        return "not_allowed"
    if state not in (Picture.State.ASKED, Picture.State.SENDING):
        return "picture_over"
    fits = 0 < size <= MAX_PICTURE_BYTES and 0 < pixels <= MAX_PICTURE_PIXELS
    return "" if fits else "picture_too_large"


# --- recording


@dataclass(frozen=True)
class RecordingFacts:
    """``enabled`` by the site, with a purpose and a reference; ``consents``: about being recorded,
    of everybody declared present at either end, on camera or not."""

    enabled: bool
    room_state: str
    consents: tuple[ConsentState, ...]


def may_record(facts: RecordingFacts) -> str:
    """Why a recording may not run now: ``off``, ``room``, ``unconsented``; "" when it may.

    No emergency stands in for a consent here, and nobody is excepted, the specialist neither.
    """
    if not facts.enabled:
        return "off"
    if facts.room_state != Room.State.IN_SESSION:
        return "room"
    if not facts.consents or set(facts.consents) != {ConsentState.GIVEN}:
        return "unconsented"
    return ""


def says_for_present(*, at_that_end: bool, spoken: bool, professional: bool) -> str:
    """Whether somebody may send what a declared person decided, as "" or a refusal's code: on the
    device of their end; what was spoken needs a professional there who heard it."""
    if not at_that_end:
        return "not_allowed"
    return "no_witness" if spoken and not professional else ""
