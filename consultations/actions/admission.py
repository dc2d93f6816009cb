"""Letting in, sending away, ending somebody's part: the specialist's alone."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consultations import rules
from consultations.actions.change import change, participant_of, require_specialist
from consultations.facts import consent_states, is_overridden
from consultations.models import (
    ConsultationStatus,
    GuestSession,
    Participant,
    ParticipantRole,
    Room,
)
from consultations.refusals import RoomRefused
from scheduling.actions.outcome import set_outcome
from scheduling.models import AppointmentStatus
from telemed.audit.actor import Actor
from telemed.lib import clock

State = Participant.State


def admit(room_id: str, by: Participant, actor: Actor, participant_id: str) -> None:
    """Let one person in, and whom they carry. Refused ``no_consent`` with the names that lack it.

    Somebody who waits on another device takes over from their older one, and from the device of
    whoever carried them.
    """
    with change(room_id, "room.admit", actor) as room:
        require_specialist(by)
        one = participant_of(room, participant_id)
        _check_consents(room, one)
        now = clock.now()
        here = room.participants.filter(Q(pk=one.pk) | Q(beside=one), voided_at__isnull=True)
        here.filter(admitted_at__isnull=True).update(admitted_at=now)
        outside = here.exclude(state__in=rules.INSIDE)
        outside.filter(role__in=rules.GUESTS).update(reads_from=now)
        outside.update(state=State.ADMITTED)
        if one.next_browser is not None:
            Participant.objects.filter(pk=one.pk).update(
                browser=one.next_browser,
                next_browser=None,
                next_since=None,
                beside=None,
                state=State.ADMITTED,
            )
        if room.state != Room.State.PAUSED:
            room.state = Room.State.IN_SESSION
        visit = room.consultation
        if visit.status == ConsultationStatus.PLANNED:
            visit.status = ConsultationStatus.ARRIVED
            visit.save(update_fields=["status"])
            set_outcome(visit.appointment, AppointmentStatus.CHECKED_IN, actor, "admitted")


def _check_consents(room: Room, one: Participant) -> None:
    people = list(room.participants.filter(voided_at__isnull=True))
    states = consent_states(room, people)
    override = is_overridden(room)
    persons = {
        person.pk: rules.Person(str(person.pk), person.role, person.state, states[person.pk])
        for person in people
    }
    needed = [
        person.pk
        for person in people
        if person.pk == one.pk
        or person.beside_id == one.pk
        or person.role == ParticipantRole.PATIENT
    ]
    missing = [pk for pk in needed if not persons[pk].agreed(override=override)]
    if missing or not rules.patient_agreed(persons.values(), override=override):
        raise RoomRefused(
            "no_consent",
            _("The consent is still missing. Nobody is seen or heard before it."),
            participants=[str(pk) for pk in missing],
        )


def deny(room_id: str, by: Participant, actor: Actor, participant_id: str) -> None:
    """Send away somebody who waits; they may ask again."""
    with change(room_id, "room.deny", actor) as room:
        require_specialist(by)
        one = participant_of(room, participant_id)
        if one.next_browser is not None:
            one.next_browser = one.next_since = None
            one.save(update_fields=["next_browser", "next_since"])
        elif one.state not in rules.INSIDE:
            _put_out(room, one, State.DENIED)


def remove(room_id: str, by: Participant, actor: Actor, participant_id: str) -> None:
    """End somebody's part in this visit, a guest's session with it."""
    with change(room_id, "room.remove", actor) as room:
        require_specialist(by)
        one = participant_of(room, participant_id)
        if one.role == ParticipantRole.SPECIALIST:
            raise RoomRefused("not_allowed", _("You cannot remove yourself: finish the visit."))
        _put_out(room, one, State.REMOVED)
        if one.link_id is not None:
            GuestSession.objects.filter(link=one.link_id, ended_at__isnull=True).update(
                ended_at=clock.now()
            )


def _put_out(room: Room, one: Participant, state: str) -> None:
    room.participants.filter(Q(pk=one.pk) | Q(beside=one)).update(state=state, left_at=clock.now())
