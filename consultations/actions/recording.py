"""Recording a visit: asked for, agreed to by everybody, started, stopped, taken back, handed over.

Files are written and deleted elsewhere; here stands what holds.
"""

import shutil
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from consultations import consent_texts, groups, recordings, rules
from consultations.actions import consent as consents
from consultations.actions.change import change, participant_of, require_specialist
from consultations.actions.consent import Words
from consultations.consent_texts import ConsentText
from consultations.models import (
    Consent,
    Participant,
    PresentPerson,
    Recording,
    RecordingConsent,
    Room,
)
from consultations.recordings import Subject
from consultations.refusals import RoomRefused
from consultations.snapshot import PROFESSIONAL
from telemed.accounts.models import Organisation, User
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM, Actor
from telemed.lib import clock
from telemed.lib.sealed_file import new_key

State, Why = Recording.State, Recording.Why
MAKE_FILMS = "consultations.tasks.make_films"


def ask(room_id: str, by: Participant, actor: Actor) -> None:
    """Ask everybody at either end whether they agree to be recorded."""
    with change(room_id, "recording.ask", actor) as room:
        require_specialist(by)
        _offering_site(room)
        room.recording_asked_at = room.recording_asked_at or clock.now()


def decide(room_id: str, by: Participant, actor: Actor, subject_id: str, words: Words) -> None:
    """Store what somebody decided about being recorded; the same ``words.id`` again stores
    nothing.

    Refused as ``consent.decide`` is, and ``recording_off`` where it is not offered.
    """
    if RecordingConsent.objects.filter(pk=words.id).exists():
        return
    with change(room_id, f"recording.{words.decision}", actor, about=by) as room:
        site = _offering_site(room)
        one, person = _subject(room, subject_id)
        text = _text(room, words)
        purpose, reference = recordings.words_of(site, text.language)
        row = RecordingConsent(
            id=words.id,
            organisation_id=one.organisation_id,
            device_time=words.device_time,
            consultation=room.consultation,
            participant=one,
            person=person,
            specialist_id=room.consultation.appointment.specialist_id,
            decision=words.decision,
            text_version=words.text_version,
            text_hash=text.sha256,
            language=text.language,
            purpose=purpose,
            reference=reference,
            how=words.how,
            witness=by.user if words.how == Consent.How.SPOKEN else None,
        )
        if person is None:
            _by_participant(row, room, by, one, words)
        else:
            _by_present(row, by, person, words)
        row.save()


def _by_participant(
    row: RecordingConsent, room: Room, by: Participant, one: Participant, words: Words
) -> None:
    spoke = consents.named(by, one, words)
    whose = consents.speaker(room, by, one, words, spoke)
    if by.pk == one.pk or whose == rules.Speaker.REPRESENTATIVE:
        row.given_by = by.user
    if whose == rules.Speaker.NAMED:
        row.spoken_by = spoke


def _by_present(
    row: RecordingConsent, by: Participant, person: PresentPerson, words: Words
) -> None:
    """``words.speaker``: the parent or guardian at that end who decides for a minor."""
    refusal = rules.says_for_present(
        at_that_end=_is_at(by, person),
        spoken=words.how == Consent.How.SPOKEN,
        professional=by.role in PROFESSIONAL,
    )
    if refusal:
        raise _not_theirs()
    if words.speaker is None:
        return
    if words.speaker in (by.pk, person.participant_id):
        row.guardian = by
        return
    row.spoken_by = PresentPerson.objects.filter(
        pk=words.speaker,
        participant=person.participant_id,
        left_at__isnull=True,
        voided_at__isnull=True,
    ).first()
    if row.spoken_by is None:
        raise _not_theirs()


def _is_at(by: Participant, person: PresentPerson) -> bool:
    """Whether this participant holds the device of that end."""
    return by.pk in (person.participant_id, person.participant.beside_id)


def start(room_id: str, by: Participant, actor: Actor) -> None:
    """Begin to record. Refused ``recording_off``, ``recording_not_now``,
    ``recording_unconsented``."""
    with change(room_id, "recording.start", actor) as room:
        require_specialist(by)
        reason = rules.may_record(recordings.facts_of(room))
        if reason:
            raise RoomRefused(*_REFUSALS[reason])
        running = Recording.objects.filter(consultation=room.consultation, state=State.RECORDING)
        if not running.exists():
            Recording.objects.create(
                organisation_id=by.organisation_id,
                consultation=room.consultation,
                started_by=by.user,
                process_id=room.process_id,
                epoch=room.epoch,
                key=new_key(),
            )
        room.recording_asked_at = None


def stop(room_id: str, by: Participant, actor: Actor) -> None:
    """End the recording, or the asking for one; what was taken is kept."""
    with change(room_id, "recording.stop", actor) as room:
        require_specialist(by)
        room.recording_asked_at = None
        recordings.end_running(room, Why.STOPPED)


def withdraw(room_id: str, by: Participant, actor: Actor, subject_id: str, *, keep: bool) -> None:
    """Take an agreement to be recorded back: nothing more is taken, and what was taken while it
    held is kept, or closed to everybody now and deleted within a day."""
    with change(room_id, "recording.withdrawn", actor, about=by) as room:
        one, person = _subject(room, subject_id)
        theirs = _is_at(by, person) if person else consents.takes_back(room, by, one)
        if not theirs:
            raise RoomRefused("not_allowed", _("Only they can take back their consent."))
        room.recording_asked_at = None
        agreed = recordings.take_back(room, one, person)
        if agreed is not None and not keep:
            with_them = Q(stopped_at__isnull=True) | Q(stopped_at__gte=agreed)
            _close(Recording.objects.filter(with_them, consultation=room.consultation), by.user)


def may_take_back(by: Participant, subjects: Iterable[Subject], subject_id: str) -> bool:
    """Whether somebody may speak against one of these being recorded, as far as is seen here."""
    found = next((one for one in subjects if one.id == subject_id), None)
    if found is None:
        return False
    if found.person is not None:
        return by.pk in (found.participant.pk, found.participant.beside_id)
    return consents.may_take_back(by, found.participant)


# --- what the media process and the worker tell


def ended(recording_id: str, why: str) -> None:
    """No packet is taken any more. The first reason stands."""
    with transaction.atomic():
        row = Recording.objects.select_related("consultation__appointment").get(pk=recording_id)
        room = Room.objects.select_for_update().get(consultation=row.consultation_id)
        if not recordings.end(row, why):
            return
        Room.objects.filter(pk=room.pk).update(snapshot=room.snapshot + 1)
        transaction.on_commit(partial(groups.hint_room, room.pk), robust=True)


def end_where_not_allowed(place: UUID | None = None) -> None:
    """Nothing is recorded at a site that allows it no more, or, where ``place`` was just changed,
    in other words than those that were agreed to."""
    running = Recording.objects.filter(state=State.RECORDING).select_related(
        "consultation__room",
        "consultation__appointment__site",
        "consultation__appointment__organisation",
    )
    for row in running:
        site = recordings.site_of(row.consultation)
        changed = place == site.pk and rules.may_record(recordings.facts_of(row.consultation.room))
        if changed or not recordings.is_offered(site):
            ended(str(row.pk), Why.OFF)


def written(recording_id: str) -> None:
    """The media process has let go of the file of packets: a worker may make films of it."""
    rows = Recording.objects.filter(pk=recording_id, written_at__isnull=True)
    if rows.update(written_at=clock.now()):
        # Told at once; when that is lost, the periodic look finds it.
        tell = partial(current_app.send_task, MAKE_FILMS, [str(recording_id)], retry=False)
        transaction.on_commit(tell, robust=True)


def claim(recording_id: UUID) -> Recording | None:
    """For the worker that makes the films; None when there is nothing to make of it now."""
    now = clock.now()
    rows = Recording.objects.filter(pk=recording_id, state=State.STOPPED, written_at__isnull=False)
    if not rows.update(state=State.MUXING, muxing_since=now):
        return None
    return Recording.objects.get(pk=recording_id)


@transaction.atomic
def made(recording: Recording, films: list[dict[str, object]]) -> bool:
    """The films are there. False when somebody closed the recording meanwhile."""
    rows = Recording.objects.filter(pk=recording.pk, state=State.MUXING)
    if not rows.update(state=State.READY, films=films):
        return False
    _audited("recording.save", SYSTEM, recording)
    return True


def delete(recording: Recording, why: str) -> None:
    """Destroy the key and the files, for good. The row keeps telling that it was."""
    with transaction.atomic():
        row = Recording.objects.select_for_update(of=("self",)).get(pk=recording.pk)
        if row.state == State.DELETED:
            return
        row.state, row.deleted_at, row.key, row.films = State.DELETED, clock.now(), b"", []
        row.save(update_fields=["state", "deleted_at", "key", "films"])
        _audited("recording.delete", SYSTEM, row, code=why, purpose="retention")
    # Without the key they are noise already; should this fail, the hourly look finds them again.
    shutil.rmtree(recordings.folder(recording.pk), ignore_errors=True)


# --- on the page of recordings


@transaction.atomic
def release(recording: Recording, actor: Actor) -> None:
    """Hand it to the patient and who may read for them."""
    rows = Recording.objects.filter(pk=recording.pk, state=State.READY, released_at__isnull=True)
    if rows.update(released_at=clock.now()):
        _audited("recording.release", actor, recording)


@transaction.atomic
def close(recording: Recording, by: User, actor: Actor) -> None:
    """Nobody sees it from now on, and within a day it is deleted."""
    if _close(Recording.objects.filter(pk=recording.pk), by):
        _audited("recording.close", actor, recording)


# ---


def _close(rows: QuerySet[Recording], by: User | None) -> int:
    ended_ = rows.filter(state__in=recordings.KEPT)
    return ended_.update(state=State.CLOSED, closed_at=clock.now(), closed_by=by)


def _offering_site(room: Room) -> Organisation:
    site = recordings.site_of(room.consultation)
    if not recordings.is_offered(site):
        raise RoomRefused(*_REFUSALS["off"])
    return site


def _subject(room: Room, subject_id: str) -> tuple[Participant, PresentPerson | None]:
    """A participant, or somebody declared present at a participant's end."""
    person = (
        PresentPerson.objects.select_related("participant")
        .filter(
            pk=subject_id,
            participant__room=room,
            participant__voided_at__isnull=True,
            voided_at__isnull=True,
        )
        .first()
    )
    if person is not None:
        return person.participant, person
    return participant_of(room, subject_id), None


def _text(room: Room, words: Words) -> ConsentText:
    """What was shown: with the site's purpose and reference as they are now, or refused."""
    try:
        text = consent_texts.recording_text(words.language, words.text_version)
    except consent_texts.UnknownText:
        text = None
    current = words.text_version == consent_texts.RECORDING_VERSION
    if (
        text is None
        or not current
        or recordings.shown(room.consultation, text)[1] != words.text_sha256
    ):
        raise RoomRefused(
            "stale_text", _("The text of the consent has changed. Please read it again.")
        )
    return text


def _not_theirs() -> RoomRefused:
    return RoomRefused("not_allowed", _("You cannot consent for this person."))


_REFUSALS = {
    "off": ("recording_off", _("Recording is not enabled at this site.")),
    "room": ("recording_not_now", _("Recording is possible only while the visit is going on.")),
    "unconsented": (
        "recording_unconsented",
        _("Not everybody who is present has agreed to be recorded."),
    ),
}


def _audited(
    action: str, actor: Actor, recording: Recording, *, code: str = "", purpose: str = "care"
) -> None:
    audit.record(
        action,
        actor,
        patient=recording.consultation.appointment.patient_id,
        organisation=recording.organisation_id,
        subject=("recording", recording.pk),
        code=code,
        purpose=purpose,
    )
