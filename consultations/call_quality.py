"""What the records of a visit's calls tell: the facts of ``quality_rules``, and their words."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consultations.logbook import is_over
from consultations.models import (
    CallRecord,
    Consultation,
    ConsultationStatus,
    Participant,
    ParticipantRole,
)
from consultations.quality_rules import Attendee, Cause, Finding, Leg, classify
from scheduling.models import Appointment, AppointmentStatus

Ending = CallRecord.Ending
STILL_MODES = frozenset({CallRecord.Mode.STILL, CallRecord.Mode.VOICE})
CALLED_OFF = frozenset({AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR})

# ``{who}`` is a role, so that no sentence depends on it.
SENTENCES: dict[tuple[Cause, str], Promise] = {
    (Cause.PERMISSION, "not_allowed"): _(
        "{who}: the browser was not allowed to use the camera or microphone."
    ),
    (Cause.DEVICE, "no_device"): _("{who}: no camera or microphone that works was found."),
    (Cause.DEVICE, "browser"): _("{who}: this browser cannot carry a video visit."),
    (Cause.DEVICE, "slow_device"): _(
        "{who}: the device could not keep up; the picture stood still {amount} of the time."
    ),
    (Cause.NETWORK, "no_path"): _("{who}: sound and picture found no way through the network."),
    (Cause.NETWORK, "lost"): _("{who}: the connection was lost and did not come back."),
    (Cause.NETWORK, "broke"): _("{who}: the connection broke off ({amount} ×)."),
    (Cause.NETWORK, "loss"): _("{who}: the network lost {amount} of sound and picture."),
    (Cause.NETWORK, "slow_answer"): _("{who}: the network was slow; an answer took {amount}."),
    (Cause.NETWORK, "narrow"): _(
        "{who}: the network carried no moving picture for {amount} of the time."
    ),
    (Cause.NETWORK, "sound"): _("{who}: {amount} of the sound did not arrive in time."),
    (Cause.NETWORK, "frozen"): _("{who}: the picture stood still {amount} of the time."),
    (Cause.SERVER, "interrupted"): _("The video service was interrupted during the call."),
    (Cause.ABSENCE, "did_not_come"): _("{who}: did not come."),
    (Cause.ABSENCE, "nobody_admitted"): _("The patient waited and was not let in."),
}
SHARES = frozenset({"slow_device", "loss", "narrow", "sound", "frozen"})  # told in percent
CAUSES: dict[Cause, Promise] = {
    Cause.NETWORK: _("Network"),
    Cause.DEVICE: _("Device"),
    Cause.PERMISSION: _("Permission"),
    Cause.ABSENCE: _("Absence"),
    Cause.SERVER: _("Video service"),
}
MENDS: dict[Cause, Promise] = {
    Cause.NETWORK: _(
        "Have the connection tested at that end before the next visit, or agree on the telephone."
    ),
    Cause.DEVICE: _("Use another device or browser at that end, and test it before the visit."),
    Cause.PERMISSION: _(
        "Help them to allow camera and microphone: the page before the visit shows how."
    ),
    Cause.ABSENCE: _("Call them, and offer another time."),
    Cause.SERVER: _("Tell whoever operates the service if it happens again."),
}


def finding(
    booked: Appointment,
    visit: Consultation | None,
    people: Iterable[Participant],
    now: datetime,
) -> Finding | None:
    """``people`` with their ``calls``; who was voided, or sits beside another, has no part.

    ``visit`` is None as long as nobody has opened it. Nothing is found of a cancelled one.
    """
    if booked.status in CALLED_OFF:
        return None
    attendees = [
        _attendee(one) for one in people if one.voided_at is None and one.beside_id is None
    ]
    finished = visit is not None and visit.status == ConsultationStatus.FINISHED
    by_telephone = visit is not None and visit.mode == Consultation.Mode.TELEPHONE
    return classify(
        attendees,
        # Whom a telephone reached is missing in the room, and was there.
        over=booked.ends_at <= now and not by_telephone,
        finished=finished and not by_telephone,
    )


def _attendee(one: Participant) -> Attendee:
    return Attendee(
        role=one.role,
        came=one.waiting_since is not None or one.admitted_at is not None,
        admitted=one.admitted_at is not None,
        trouble=one.unable_reason,
        legs=tuple(_leg(record) for record in one.calls.all()),
    )


def _leg(record: CallRecord) -> Leg:
    over = is_over(record)
    killed = over and record.ended_at is None
    seconds = length(record)
    gaps = [seconds for at, seconds in record.gaps if at + seconds < length(record) - 1]
    losses = [loss for loss in (record.loss_up, record.loss_down) if loss is not None]
    return Leg(
        connected=record.connected_at is not None,
        over=over,
        stopped=killed or record.ending == Ending.SHUTDOWN,
        lost=record.ending == Ending.TIMEOUT,
        seconds=seconds,
        breaks=len(gaps),
        gaps=sum(gaps),
        voice_only=still_seconds(record) / seconds if seconds else 0.0,
        loss=max(losses, default=None),
        round_trip_ms=record.round_trip_ms,
        concealed=record.concealed,
        frozen=None if record.frozen_seconds is None else record.frozen_seconds / max(seconds, 1.0),
    )


def length(record: CallRecord) -> float:
    """Seconds from the start to the last that is known."""
    return max(0.0, ((record.ended_at or record.seen_at) - record.started_at).total_seconds())


def spans(record: CallRecord) -> list[tuple[float, float, str, bool]]:
    """From second, to second, the mode that held between, and whether they chose it."""
    ends = [at for at, *_step in record.modes[1:]] + [length(record)]
    pairs = zip(record.modes, ends, strict=False)
    return [(at, max(at, end), mode, bool(chosen)) for (at, mode, *chosen), end in pairs]


def still_seconds(record: CallRecord) -> float:
    """In which no moving picture came about, though one was wanted."""
    return sum(
        end - at for at, end, mode, chosen in spans(record) if mode in STILL_MODES and not chosen
    )


def in_words(found: Finding) -> dict[str, Any]:
    """For a page: ``cause``, ``sentence``, ``mend`` and whether they did not meet at all."""
    who = ParticipantRole(found.role).label
    sentence = str(SENTENCES[found.cause, found.detail])
    return {
        "cause": CAUSES[found.cause],
        "sentence": sentence.format(who=who, amount=_amount(found)),
        "mend": MENDS[found.cause],
        "failed": found.grade == "failed",
    }


def _amount(found: Finding) -> str:
    if found.detail in SHARES:
        return f"{found.amount} %"
    if found.detail == "slow_answer":
        return f"{number_format(found.amount / 1000, 1)} s"
    return str(found.amount)
