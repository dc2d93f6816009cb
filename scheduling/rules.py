"""What booking decides: states, windows, cut-offs, and what a visit occupies. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from telemed.lib.intervals import Interval

# FHIR R4 appointmentstatus: these take nobody's time.
NOT_OCCUPYING = frozenset({"proposed", "waitlist", "cancelled", "noshow", "entered-in-error"})
FINAL = frozenset({"fulfilled", "cancelled", "noshow", "entered-in-error"})
# What may still be moved, cancelled or given to another specialist.
# Somebody who waits for a specialist who does not come is helped by moving or reassigning; once
# admitted (checked-in) the visit has begun.
CHANGEABLE = frozenset({"proposed", "pending", "booked", "arrived", "waitlist"})

_NEXT: dict[str, frozenset[str]] = {
    "proposed": frozenset({"pending", "booked", "cancelled", "entered-in-error"}),
    "waitlist": frozenset({"pending", "booked", "cancelled", "entered-in-error"}),
    "pending": frozenset({"booked", "arrived", "checked-in", "cancelled", "noshow"}),
    "booked": frozenset({"arrived", "checked-in", "fulfilled", "cancelled", "noshow"}),
    "arrived": frozenset({"checked-in", "fulfilled", "noshow", "cancelled"}),
    "checked-in": frozenset({"fulfilled", "noshow", "cancelled"}),
    # An outcome set by mistake is set right by a person.
    "noshow": frozenset({"booked", "arrived", "checked-in", "fulfilled"}),
    "fulfilled": frozenset({"noshow"}),
}

JOIN_OPENS_BEFORE = timedelta(minutes=15)
JOIN_CLOSES_AFTER = timedelta(minutes=30)
LINK_LIVES_AFTER = timedelta(hours=12)
REMINDERS = {
    "reminder_day": timedelta(days=1),
    "reminder_hour": timedelta(hours=1),
}
SECOND_THOUGHTS = timedelta(minutes=10)
HOLDS_AT_ONCE = 3
CODE_TRIES = 5
ALTERNATIVES = 3

# Time around a visit that belongs to it, besides the specialist's own (Service.buffer_…).
PATIENT_AFTER = timedelta(minutes=5)
PLACE_AFTER = timedelta(minutes=5)


class Buffers(NamedTuple):
    """Time before and after a visit during which a resource is not free either."""

    before: timedelta
    after: timedelta

    def around(self, start: datetime, end: datetime) -> Interval:
        return start - self.before, end + self.after


class Resource(NamedTuple):
    """Somebody or something that can be in one visit at a time. Sorts in the order of locking."""

    kind: str
    id: UUID


@dataclass(frozen=True)
class Shape:
    """What a service asks of time."""

    duration: timedelta
    step: timedelta
    notice: timedelta
    horizon: timedelta
    specialist: Buffers

    def buffers(self, kind: str) -> Buffers:
        return {
            "specialist": self.specialist,
            "patient": Buffers(timedelta(), PATIENT_AFTER),
            "place": Buffers(timedelta(), PLACE_AFTER),
        }[kind]

    def occupies(self, kind: str, start: datetime) -> Interval:
        """The half-open interval that a visit starting then takes from a resource."""
        return self.buffers(kind).around(start, start + self.duration)


def occupies_time(status: str) -> bool:
    return status not in NOT_OCCUPYING


def may_become(status: str, other: str) -> bool:
    return other in _NEXT.get(status, frozenset())


def join_window(starts_at: datetime, ends_at: datetime) -> tuple[datetime, datetime]:
    """From when until when the *first* entry is open; coming back is not bound by it."""
    return starts_at - JOIN_OPENS_BEFORE, ends_at + JOIN_CLOSES_AFTER


def changes_close_at(starts_at: datetime, booked_at: datetime, cut_off: timedelta) -> datetime:
    """Until when the patient's side moves or cancels: before the cut-off, and at a late booking
    for some minutes after it, since a slip of the finger is taken back."""
    return max(starts_at - cut_off, min(booked_at + SECOND_THOUGHTS, starts_at))


def may_change(status: str, closes_at: datetime, now: datetime, *, patient_side: bool) -> str:
    """Empty when it may be moved or cancelled, else the code that says why not.

    Only the patient's side is held to ``closes_at``: professionals go on until the visit begins.
    """
    if status not in CHANGEABLE:
        return "wrong_state"
    return "too_late" if patient_side and now > closes_at else ""


def after_move(status: str, *, needs_confirmation: bool, accepted: bool, patient_side: bool) -> str:
    """The status at the new time, to which nobody has come yet.

    A specialist who has to accept has not accepted what the patient's side chose.
    """
    if needs_confirmation and (patient_side or (status == "arrived" and not accepted)):
        return "pending"
    return "booked" if status == "arrived" else status


def reminders(starts_at: datetime, now: datetime) -> dict[str, datetime]:
    """When each reminder is due; one whose time has passed is not sent late."""
    due = {kind: starts_at - before for kind, before in REMINDERS.items()}
    return {kind: at for kind, at in due.items() if at > now}
