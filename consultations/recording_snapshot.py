"""The part of a snapshot about being recorded (PROTOCOL.md section 5). Pure."""

from collections.abc import Callable
from typing import Any

from consultations import consent_texts, recordings
from consultations.facts import Facts
from consultations.models import Participant, ParticipantRole
from consultations.recordings import Subject
from consultations.rules import ConsentState

Name = Callable[[Participant], str]


def of(facts: Facts, you: Participant, language: str, name: Name) -> dict[str, Any] | None:
    """None where recording is not offered and nothing was recorded."""
    recorded = facts.recorded
    latest, running = recorded.latest, recorded.running
    if not recorded.offered and latest is None:
        return None
    lacking = [one for one in recorded.subjects if one.consent != ConsentState.GIVEN]
    return {
        "offered": recorded.offered,
        "asked": facts.room.recording_asked_at is not None,
        "on": running is not None,
        "since": running.started_at.isoformat() if running else None,
        "why": latest.why or None if latest else None,
        "taken": recorded.taken,
        "text": _text(facts, language) if facts.room.recording_asked_at else None,
        "missing": [_name(one, name) for one in lacking] if recorded.offered else [],
        "here": [_shown(one, facts, name) for one in recorded.subjects if _speaks_for(you, one)],
    }


def _text(facts: Facts, language: str) -> dict[str, str]:
    """As the site says it now; whoever sends its ``sha256`` has been shown it."""
    text = consent_texts.recording_text(language)
    words, sha256 = recordings.shown(facts.consultation, text)
    return {
        "version": text.version,
        "language": text.language,
        "sha256": sha256,
        "words": words,
    }


def _name(one: Subject, name: Name) -> str:
    return one.person.name if one.person else name(one.participant)


def _speaks_for(you: Participant, one: Subject) -> bool:
    stands_for = you.role == ParticipantRole.REPRESENTATIVE and one.participant.patient_id
    return you.pk in (one.participant.pk, one.participant.beside_id) or bool(stands_for)


def _shown(one: Subject, facts: Facts, name: Name) -> dict[str, Any]:
    """``speakers``: who else is at that end, and may be the parent or guardian of a minor."""
    end = one.participant
    ends = [end.pk, end.beside_id] if end.beside_id else [end.pk]
    present = [person for pk in ends for person in facts.present.get(pk, [])]
    speakers = [{"id": str(person.pk), "name": person.name} for person in present]
    if one.person is not None:
        speakers.insert(0, {"id": str(end.pk), "name": name(end)})
    return {
        "id": one.id,
        "name": _name(one, name),
        "consent": one.consent,
        "taken": facts.recorded.taken_of(one),
        "speakers": [speaker for speaker in speakers if speaker["id"] != one.id],
    }
