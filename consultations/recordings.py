"""What a room knows of being recorded: who has agreed, what runs, and its end when it may not."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings

from consultations import rules
from consultations.models import (
    Consultation,
    Participant,
    PresentPerson,
    Recording,
    RecordingConsent,
    Room,
)
from consultations.rules import ConsentState, RecordingFacts
from telemed.accounts.models import Organisation
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM
from telemed.lib import clock

State, Why = Recording.State, Recording.Why
WHY = {"off": Why.STOPPED, "room": Why.ROOM, "unconsented": Why.UNCONSENTED}
OPEN = (State.RECORDING, State.STOPPED, State.MUXING, State.READY)


@dataclass(frozen=True)
class Subject:
    """Somebody at either end: a participant, or a ``person`` declared at that one's end."""

    participant: Participant
    person: PresentPerson | None
    consent: ConsentState

    @property
    def id(self) -> str:
        return str(self.person.pk if self.person else self.participant.pk)


@dataclass(frozen=True)
class Recorded:
    """``latest`` is the newest recording of the visit; ``taken``: some of it is still there."""

    site: Organisation
    subjects: list[Subject]
    latest: Recording | None
    taken: bool

    @property
    def offered(self) -> bool:
        return is_offered(self.site)

    @property
    def running(self) -> Recording | None:
        latest = self.latest
        return latest if latest is not None and latest.state == State.RECORDING else None


def site_of(visit: Consultation) -> Organisation:
    """Whose authorisation a recording needs: the patient's site, else their organisation's."""
    return visit.appointment.site or visit.appointment.organisation


def is_offered(site: Organisation) -> bool:
    purpose = any(text.strip() for text in site.recording_purpose.values())
    return bool(site.recording_enabled and purpose and site.recording_reference.strip())


def load(room: Room, people: list[Participant], present: list[PresentPerson]) -> Recorded:
    """``people`` and ``present`` are all of the room's that hold; those who wait do not count."""
    site = site_of(room.consultation)
    rows = Recording.objects.filter(consultation=room.consultation_id, voided_at__isnull=True)
    newest_first = list(rows.defer("films").order_by("-started_at"))
    taken = any(row.state in OPEN for row in newest_first)
    subjects = _subjects(room, site, people, present) if is_offered(site) else []
    return Recorded(site, subjects, next(iter(newest_first), None), taken)


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
        reference=site.recording_reference,
        voided_at__isnull=True,
    )
    newest = {(row.participant_id, row.person_id): row for row in rows.order_by("received_at")}

    def subject(one: Participant, person: PresentPerson | None = None) -> Subject:
        row = newest.get((one.pk, person.pk if person else None))
        if row is None:
            state = ConsentState.NONE
        else:
            state = ConsentState.WITHDRAWN if row.withdrawn_at else ConsentState(row.decision)
        return Subject(one, person, state)

    inside = {one.pk: one for one in people if one.state in rules.INSIDE}
    found = [subject(one) for one in inside.values()]
    there = [person for person in present if person.participant_id in inside]
    return found + [subject(inside[person.participant_id], person) for person in there]


def settle(room: Room) -> None:
    """Part of every change of a room: what may no longer be recorded ends with that change."""
    running = Recording.objects.filter(
        consultation=room.consultation_id, state=State.RECORDING
    ).first()
    if running is None:
        return
    reason = rules.may_record(facts_of(room))
    if reason:
        end(running, WHY[reason])


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
