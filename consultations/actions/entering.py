"""Coming in, being seen, going: none of it ends the visit."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from consultations import queries, rules
from consultations.access import Seat
from consultations.actions.change import Holder, change, participant_of
from consultations.models import Consultation, Participant, ParticipantRole, Room
from consultations.refusals import RoomRefused
from scheduling.actions.outcome import stamp_arrival
from scheduling.models import Appointment
from scheduling.rules import FINAL, join_window
from telemed.audit.actor import Actor
from telemed.lib import clock

State = Participant.State
CARRIES_THE_PATIENT = (ParticipantRole.PRESENTER, ParticipantRole.REPRESENTATIVE)


def open_visit(appointment: Appointment) -> Room:
    """The appointment's consultation and room, made when first asked for."""
    with transaction.atomic():
        consultation, _made = Consultation.objects.get_or_create(
            appointment=appointment, defaults={"organisation_id": appointment.organisation_id}
        )
        room, _made = Room.objects.get_or_create(consultation=consultation)
    return room


def opened(seat: Seat) -> Participant:
    """Note that somebody opened the visit's page or link: they tried, so they are no no-show."""
    room = open_visit(seat.appointment)
    participant = _participant(room, seat)
    Participant.objects.filter(pk=participant.pk, opened_at__isnull=True).update(
        opened_at=clock.now()
    )
    return participant


def enter(seat: Seat, browser: UUID) -> Participant:
    """Come in or come back with this browser.

    Refused ``too_early`` or ``too_late`` (with ``opens_at``) outside the join window at the first
    entry (a specialist is never too late for somebody who waits), ``removed`` for somebody the
    specialist sent away, ``room_closed`` afterwards.
    """
    room_id = open_visit(seat.appointment).pk
    now = clock.now()
    with change(room_id, "room.enter", seat.actor) as room:
        participant = _participant(room, seat)
        _check_window(seat, participant, now)
        if participant.state == State.REMOVED:
            raise RoomRefused("removed", _("The specialist ended your part in this visit."))
        _sit_down(participant, browser, now)
        if seat.role in CARRIES_THE_PATIENT:
            _seat_patient_beside(room, participant)
        if room.state == Room.State.SCHEDULED:
            room.state = Room.State.WAITING
    if seat.role != ParticipantRole.SPECIALIST:
        stamp_arrival(seat.appointment, seat.actor)
    return participant


def _check_window(seat: Seat, participant: Participant, now: datetime) -> None:
    if participant.waiting_since or participant.admitted_at:
        return
    if seat.appointment.status in FINAL:
        raise RoomRefused("room_closed", _("This appointment is over or was cancelled."))
    opens_at, closes_at = join_window(seat.appointment.starts_at, seat.appointment.ends_at)
    if now < opens_at:
        raise RoomRefused("too_early", _("The visit is not open yet."), opens_at=opens_at)
    if now > closes_at and not may_come_late(seat, now):
        raise RoomRefused("too_late", _("The time of this visit is over."), opens_at=opens_at)


def may_come_late(seat: Seat, now: datetime) -> bool:
    """Whether they may come in for the first time although the window has closed."""
    return seat.role == ParticipantRole.SPECIALIST and queries.somebody_waits(seat.appointment, now)


def _sit_down(participant: Participant, browser: UUID, now: datetime) -> None:
    same_browser = participant.browser == browser
    live = participant.state in rules.INSIDE and rules.keeps_place(
        participant.last_seen_at, same_browser=True, now=now
    )
    if live and not same_browser and participant.role != ParticipantRole.SPECIALIST:
        participant.next_browser, participant.next_since = browser, now
        participant.save(update_fields=["next_browser", "next_since"])
        return
    if participant.state == State.LEFT and participant.role in rules.GUESTS:
        participant.reads_from = now
    participant.state = rules.state_on_entry(
        participant.role,
        participant.state,
        participant.last_seen_at,
        same_browser=same_browser,
        now=now,
    )
    if participant.state == State.WAITING and not (same_browser and participant.waiting_since):
        participant.waiting_since = now
    if participant.state == State.ADMITTED and participant.admitted_at is None:
        participant.admitted_at = now
    participant.browser, participant.last_seen_at = browser, now
    if not live:  # while the live device comes back, the one that waits goes on waiting
        participant.next_browser = participant.next_since = None
    participant.unable_reason, participant.left_at, participant.beside = "", None, None
    participant.save()


def _participant(room: Room, seat: Seat) -> Participant:
    """The person's row, made when first asked for; a patient has one, however they come."""
    mine = Q(patient=seat.patient) if seat.patient else Q(user=seat.user, link=seat.link)
    found = room.participants.filter(mine, role=seat.role, voided_at__isnull=True).first()
    if found is not None:
        if (found.user_id, found.link_id) != (_pk(seat.user), _pk(seat.link)):
            found.user, found.link, found.verified = seat.user, seat.link, seat.verified
            found.save(update_fields=["user", "link", "verified"])
        return found
    return Participant.objects.create(
        room=room,
        role=seat.role,
        organisation_id=seat.appointment.organisation_id,
        user=seat.user,
        patient=seat.patient,
        link=seat.link,
        name=seat.name,
        verified=seat.verified,
    )


def _pk(row: object) -> object:
    return getattr(row, "pk", None)


def _seat_patient_beside(room: Room, companion: Participant) -> None:
    """The patient sits beside the presenter or representative, on one device, unless they came
    with a device of their own."""
    appointment = room.consultation.appointment
    patient = room.participants.filter(
        role=ParticipantRole.PATIENT, patient=appointment.patient_id, voided_at__isnull=True
    ).first()
    if patient is None:
        patient = Participant(
            room=room,
            role=ParticipantRole.PATIENT,
            organisation_id=companion.organisation_id,
            patient=appointment.patient,
            verified=True,
        )
    elif _has_own_place(patient):
        return
    if (
        patient.beside_id != companion.pk
    ):  # carried already, they may wait with a device of their own
        patient.browser = patient.next_browser = patient.next_since = None
    patient.beside, patient.state = companion, companion.state
    patient.waiting_since, patient.admitted_at = companion.waiting_since, companion.admitted_at
    patient.last_seen_at = companion.last_seen_at
    patient.save()


def _has_own_place(patient: Participant) -> bool:
    """Whether they are here with a device of their own, or were told to go."""
    here = patient.browser is not None and rules.keeps_place(
        patient.last_seen_at, same_browser=True, now=clock.now()
    )
    return here or patient.state == State.REMOVED


def leave(room_id: str, by: Participant, actor: Actor) -> None:
    """Go, and be able to come back."""
    with change(room_id, "room.leave", actor, about=by) as room:
        for one in room.participants.filter(Q(pk=by.pk) | Q(beside=by)):
            one.state, one.left_at = rules.state_on_leaving(one.state), clock.now()
            one.save(update_fields=["state", "left_at"])


def give_up_other_device(room_id: str, by: Participant, actor: Actor) -> None:
    """The device that waits to take over goes; the one that is live goes on."""
    with change(room_id, "room.leave", actor, about=by) as room:
        room.participants.filter(pk=by.pk).update(next_browser=None, next_since=None)


def mute(room_id: str, by: Participant, actor: Actor, kind: str, *, muted: bool) -> None:
    """Tell everybody that somebody's microphone, camera or screen is off, or on again."""
    with change(room_id, "room.mute", actor, about=by) as room:
        one = participant_of(room, by.pk)
        one.muted = sorted({*one.muted, kind} if muted else set(one.muted) - {kind})
        one.save(update_fields=["muted"])


def could_not_join(room_id: str, by: Participant, actor: Actor, reason: str) -> None:
    """Keep why somebody could not come in: permission, device, network or browser."""
    with change(room_id, "room.unable", actor, about=by) as room:
        one = participant_of(room, by.pk)
        one.unable_reason = reason
        if one.state in (State.INVITED, State.JOINING):
            one.state = State.UNABLE
        one.save(update_fields=["unable_reason", "state"])


def report_trouble(seat: Seat, reason: str) -> None:
    """The page before the visit found it; the same reason again changes nothing."""
    participant = opened(seat)
    if participant.unable_reason != reason:
        could_not_join(str(participant.room_id), participant, seat.actor, reason)


def seen(participants: Iterable[str], holder: Holder) -> None:
    """Their sockets are open at who holds the room: their place is kept from now. No snapshot
    changes by this."""
    ids = list(participants)
    _held_by(holder).filter(Q(pk__in=ids) | Q(beside__in=ids)).update(last_seen_at=clock.now())


def note_link(participant: str, holder: Holder, *, connected: bool) -> None:
    """Remember whether media flow, for those who watch from outside the room."""
    state = State.CONNECTED if connected else State.RECONNECTING
    _held_by(holder).filter(
        Q(pk=participant) | Q(beside=participant), state__in=rules.INSIDE
    ).update(state=state)


def _held_by(holder: Holder) -> QuerySet[Participant]:
    process, epoch = holder
    return Participant.objects.filter(room__process=process, room__epoch=epoch)
