"""What a room knows of being recorded: who has agreed, what runs, and its end when it may not."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from consultations import rules
from consultations.consent_texts import ConsentText
from consultations.models import (
    Consent,
    Consultation,
    Participant,
    PresentPerson,
    Recording,
    RecordingConsent,
    Room,
)
from consultations.rules import ConsentState, RecordingFacts
from telemed.accounts.models import Organisation
from telemed.accounts.names import user_name
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM
from telemed.lib import clock
from telemed.lib.fields import localized

State, Why = Recording.State, Recording.Why
WHY = {"off": Why.OFF, "room": Why.ROOM, "unconsented": Why.UNCONSENTED}
KEPT = (State.STOPPED, State.MUXING, State.READY)


@dataclass(frozen=True)
class Subject:
    """Somebody at either end: a participant, or a ``person`` declared at that one's end.

    ``agreed_at`` is when they first agreed, whatever became of that.
    """

    participant: Participant
    person: PresentPerson | None
    consent: ConsentState
    agreed_at: datetime | None = None

    @property
    def id(self) -> str:
        return str(self.person.pk if self.person else self.participant.pk)


@dataclass(frozen=True)
class Recorded:
    """``latest`` is the newest recording of the visit; ``until`` is when the newest ended of which
    something is still there."""

    site: Organisation
    subjects: list[Subject]
    latest: Recording | None
    until: datetime | None

    @property
    def offered(self) -> bool:
        return is_offered(self.site)

    @property
    def running(self) -> Recording | None:
        latest = self.latest
        return latest if latest is not None and latest.state == State.RECORDING else None

    @property
    def taken(self) -> bool:
        """Whether anything of the visit was recorded that is still there."""
        return self.running is not None or self.until is not None

    def taken_of(self, one: Subject) -> bool:
        """Whether something is still there that was taken while they had agreed."""
        return bool(one.agreed_at and self.until and self.until >= one.agreed_at)


def site_of(visit: Consultation) -> Organisation:
    """Whose authorisation a recording needs: the patient's site, else their organisation's."""
    return visit.appointment.site or visit.appointment.organisation


def is_offered(site: Organisation) -> bool:
    purpose = any(text.strip() for text in site.recording_purpose.values())
    return bool(site.recording_enabled and purpose and site.recording_reference.strip())


def words_of(site: Organisation, language: str) -> tuple[str, str]:
    """The purpose and the reference that a site's text names; who agreed to others agreed to
    something else."""
    return localized(site.recording_purpose, language)[:200], site.recording_reference


def shown(visit: Consultation, text: ConsentText) -> tuple[str, str]:
    """What people read, with the names of this visit and its site, and the SHA-256 of that."""
    site, specialist = site_of(visit), visit.appointment.specialist.user
    purpose, reference = words_of(site, text.language)
    words = text.shown(user_name(specialist, text.language), purpose=purpose, reference=reference)
    return words, hashlib.sha256(words.encode()).hexdigest()


def load(room: Room, people: list[Participant], present: list[PresentPerson]) -> Recorded:
    """``people`` and ``present`` are all of the room's that hold; those who wait do not count."""
    site = site_of(room.consultation)
    rows = Recording.objects.filter(consultation=room.consultation_id, voided_at__isnull=True)
    newest_first = list(rows.defer("films").order_by("-started_at"))
    ended = [row.stopped_at for row in newest_first if row.state in KEPT and row.stopped_at]
    concerned = is_offered(site) or newest_first
    subjects = _subjects(room, site, people, present) if concerned else []
    return Recorded(site, subjects, next(iter(newest_first), None), max(ended, default=None))


def facts_of(room: Room) -> RecordingFacts:
    """As the database says now; the room's state as it is about to be."""
    site = site_of(room.consultation)
    people = list(room.participants.filter(voided_at__isnull=True))
    present = PresentPerson.objects.filter(
        participant__in=people, left_at__isnull=True, voided_at__isnull=True
    )
    subjects = _subjects(room, site, people, list(present))
    return RecordingFacts(is_offered(site), room.state, tuple(one.consent for one in subjects))


def _subjects(
    room: Room, site: Organisation, people: list[Participant], present: list[PresentPerson]
) -> list[Subject]:
    rows = RecordingConsent.objects.filter(
        consultation=room.consultation_id,
        specialist=room.consultation.appointment.specialist_id,
        voided_at__isnull=True,
    )
    newest: dict[tuple[UUID, UUID | None], RecordingConsent] = {}
    agreed_at: dict[tuple[UUID, UUID | None], datetime] = {}
    for row in rows.order_by("received_at"):
        key = row.participant_id, row.person_id
        if row.decision == Consent.Decision.GIVEN:
            agreed_at.setdefault(key, row.received_at)
        if (row.purpose, row.reference) == words_of(site, row.language):
            newest[key] = row

    def subject(one: Participant, person: PresentPerson | None = None) -> Subject:
        key = one.pk, person.pk if person else None
        row = newest.get(key)
        if row is None:
            state = ConsentState.NONE
        else:
            state = ConsentState.WITHDRAWN if row.withdrawn_at else ConsentState(row.decision)
        return Subject(one, person, state, agreed_at.get(key))

    inside = {one.pk: one for one in people if one.state in rules.INSIDE}
    found = [subject(one) for one in inside.values()]
    there = [person for person in present if person.participant_id in inside]
    return found + [subject(inside[person.participant_id], person) for person in there]


def settle(room: Room) -> None:
    """Part of every change of a room: what may no longer be recorded ends with that change."""
    running = _running(room)
    if running is None:
        return
    reason = rules.may_record(facts_of(room))
    if reason:
        end(running, WHY[reason])


def take_back(room: Room, one: Participant, person: PresentPerson | None = None) -> datetime | None:
    """Part of a change of a room: what somebody agreed to holds no more, and what runs with it
    ends. Returns since when they had agreed, None where they never had."""
    rows = RecordingConsent.objects.filter(
        consultation=room.consultation_id,
        participant=one,
        person=person,
        decision=Consent.Decision.GIVEN,
    )
    agreed = rows.order_by("received_at").first()
    if agreed is None:
        return None
    rows.filter(withdrawn_at__isnull=True).update(withdrawn_at=clock.now())
    end_running(room, Why.WITHDRAWN)
    return agreed.received_at


def end_running(room: Room, why: str) -> None:
    running = _running(room)
    if running is not None:
        end(running, why)


def _running(room: Room) -> Recording | None:
    rows = Recording.objects.filter(consultation=room.consultation_id, state=State.RECORDING)
    return rows.first()


def end(running: Recording, why: str) -> bool:
    """Part of a transaction. False when it had ended already: the first reason stands."""
    rows = Recording.objects.filter(pk=running.pk, state=State.RECORDING)
    if not rows.update(state=State.STOPPED, stopped_at=clock.now(), why=why):
        return False
    audit.record(
        "recording.stop",
        SYSTEM,
        patient=running.consultation.appointment.patient_id,
        organisation=running.organisation_id,
        subject=("recording", running.pk),
        code=why,
    )
    return True


def folder(recording_id: UUID | str) -> Path:
    return Path(settings.RECORDINGS_DIR) / str(recording_id)


def packets_path(recording_id: UUID | str) -> Path:
    return folder(recording_id) / "packets"


def packets_name(recording_id: UUID | str) -> str:
    """To which the file's encryption is bound."""
    return f"recording {recording_id} packets"


def film_path(recording_id: UUID | str, number: int) -> Path:
    return folder(recording_id) / f"{number}.webm"


def film_name(recording_id: UUID | str, number: int) -> str:
    return f"recording {recording_id} film {number}"
