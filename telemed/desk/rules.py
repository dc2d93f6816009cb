"""Where a visit stands in somebody's day, and what asks for help. Pure."""

from datetime import date, datetime, timedelta
from enum import StrEnum

LATE_AFTER = timedelta(minutes=5)
WAITS_LONG_AFTER = timedelta(minutes=10)

OVER = frozenset({"fulfilled", "cancelled", "noshow", "entered-in-error"})


class Standing(StrEnum):
    WAITING = "waiting"  # somebody waits in the room
    LIVE = "live"  # they are talking
    NEXT = "next"  # to come, the first of them
    LATER = "later"
    UNFINISHED = "unfinished"  # it began, its time is over, nobody finished it
    OVER = "over"


def standing(
    now: datetime,
    ends_at: datetime,
    status: str,
    *,
    has_begun: bool = False,
    is_live: bool = False,
    is_seen: bool = False,
    waiting_since: datetime | None = None,
) -> Standing:
    """``status`` is the appointment's; a visit has begun when somebody was admitted.

    ``is_live``: its room is in session; ``is_seen``: somebody was there just now. Only
    "Finish" ends a session, so that one which everybody left would go on for ever.
    """
    if status in OVER:
        return Standing.OVER
    if is_live and (now < ends_at or is_seen):
        return Standing.LIVE
    if waiting_since is not None:
        return Standing.WAITING
    if ends_at <= now:
        return Standing.UNFINISHED if has_begun else Standing.OVER
    return Standing.LATER


def is_late(
    now: datetime, starts_at: datetime, ends_at: datetime, status: str, arrived_at: datetime | None
) -> bool:
    """The visit should have begun and the patient has not come."""
    expected = status in {"pending", "booked"} and arrived_at is None
    return expected and starts_at + LATE_AFTER <= now < ends_at


def waits_long(now: datetime, waiting_since: datetime | None, starts_at: datetime) -> bool:
    """Longer than ten minutes past the agreed time: coming early is nobody's fault."""
    if waiting_since is None:
        return False
    return max(waiting_since, starts_at) + WAITS_LONG_AFTER <= now


def age(born: date | None, today: date) -> int | None:
    """Completed years."""
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
