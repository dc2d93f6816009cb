"""Free slots: rules − exceptions − leave − busy − buffers. Pure.

Wall times are turned into moments date by date, each in its rule's own zone, with one definition
for all clocks: a wall time is *the first moment at which the clock on the wall shows it or later*.
So a time that a spring gap skips is the moment of the jump, a time that an autumn fold repeats is
its first showing, and hours from 02:00 to 03:00 last two hours when that hour comes twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduling.rules import Buffers, Shape
from telemed.lib.intervals import Interval, merge, overlaps, subtract

ONE_DAY = timedelta(days=1)
MOMENT = timedelta.resolution


@dataclass(frozen=True)
class WeeklyHours:
    """``weekday``: Monday is 0. ``ends`` not after ``starts`` is on the next day."""

    weekday: int
    starts: time
    ends: time
    zone: str
    valid_from: date
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        until = self.valid_to or date.max
        return day.weekday() == self.weekday and self.valid_from <= day <= until


@dataclass(frozen=True)
class DatedHours:
    """Hours of one date that are added or closed."""

    closed: bool
    day: date
    starts: time
    ends: time
    zone: str


@dataclass(frozen=True)
class DaysAway:
    """Whole days, both included."""

    first: date
    last: date
    zone: str


@dataclass(frozen=True)
class Availability:
    weekly: Sequence[WeeklyHours] = ()
    dated: Sequence[DatedHours] = ()
    away: Sequence[DaysAway] = ()


@dataclass(frozen=True)
class Claim:
    """One resource that the visit needs: when it is taken, and the time it needs around."""

    buffers: Buffers
    busy: Sequence[Interval] = field(default_factory=tuple)


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def moment(wall: datetime, zone_name: str) -> datetime:
    """The first moment (UTC) at which a clock in the zone shows ``wall`` or later."""
    tz = zone(zone_name)
    found = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if found.astimezone(tz).replace(tzinfo=None) == wall:
        return found
    # Inside a gap: the jump lies after the reading with the later offset, at or before this one.
    before = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    return _jump(before, found, tz)


def _jump(before: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """The first second in (before, after] that has the offset of ``after``."""
    offset = after.astimezone(tz).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(tz).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return before + timedelta(seconds=high)


def between(day: date, starts: time, ends: time, zone_name: str) -> Interval:
    """Hours of a date as moments; empty when a gap swallows them."""
    last = day + ONE_DAY if ends <= starts else day
    return (
        moment(datetime.combine(day, starts), zone_name),
        moment(datetime.combine(last, ends), zone_name),
    )


def open_hours(availability: Availability, first: datetime, last: datetime) -> list[Interval]:
    """The stretches of work that touch [first, last), sorted; they may overlap.

    Each is whole, whatever the range asked for: its beginning is where its starts count from.
    """
    opened: list[Interval] = []
    # Zones reach from UTC−12 to UTC+14, and hours may run past midnight.
    days = list(_days(first.date() - 2 * ONE_DAY, last.date() + ONE_DAY))
    for hours in availability.weekly:
        opened += [
            between(day, hours.starts, hours.ends, hours.zone)
            for day in days
            if hours.holds_on(day)
        ]
    opened += [_dated(extra) for extra in availability.dated if not extra.closed]
    closed = closed_hours(availability)
    touching = {hours for hours in opened if overlaps(hours, (first, last))}
    return sorted(piece for hours in touching for piece in subtract([hours], closed))


def closed_hours(availability: Availability) -> list[Interval]:
    """When they do not work whatever else is said: closed hours of a date, and leave."""
    closed = [_dated(hours) for hours in availability.dated if hours.closed]
    for away in availability.away:
        start = moment(datetime.combine(away.first, time()), away.zone)
        closed.append((start, moment(datetime.combine(away.last + ONE_DAY, time()), away.zone)))
    return closed


def _dated(hours: DatedHours) -> Interval:
    return between(hours.day, hours.starts, hours.ends, hours.zone)


def is_away(availability: Availability, visit: Interval) -> bool:
    return any(overlaps(visit, closed) for closed in closed_hours(availability))


def is_usual(availability: Availability, visit: Interval) -> bool:
    """Whether it lies within their hours; where one stretch ends as the next begins they go on."""
    start, end = visit
    worked = merge(open_hours(availability, *visit))
    return any(opens <= start and end <= shuts for opens, shuts in worked)


def starts(
    hours: Sequence[Interval],
    shape: Shape,
    claims: Sequence[Claim],
    now: datetime,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Iterator[datetime]:
    """Every free start in order, in [first, last), within the service's notice and horizon.

    Starts step from the beginning of each stretch of hours, so that they do not shift when
    somebody books. A visit may run on into the next stretch where there is no break between them
    (work through midnight); its buffers may reach out of the hours.
    """
    earliest = max(now + shape.notice, first or now)
    latest = min(now + shape.horizon, last) if last else now + shape.horizon
    busy = [(claim.buffers, merge(claim.busy)) for claim in claims]
    for together in merge(hours):
        pieces = [piece for piece in hours if overlaps(piece, together)]
        until = min(latest, together[1] - shape.duration + MOMENT)  # the last that fits is one
        for at in sorted({at for piece in pieces for at in _grid(piece, shape, earliest, until)}):
            if all(_fits(at, shape.duration, buffers, taken) for buffers, taken in busy):
                yield at


def _grid(piece: Interval, shape: Shape, earliest: datetime, until: datetime) -> Iterator[datetime]:
    at, closes = piece
    if at < earliest:
        at -= ((at - earliest) // shape.step) * shape.step  # rounded up to the grid
    while at < min(closes, until):
        yield at
        at += shape.step


def _fits(at: datetime, duration: timedelta, buffers: Buffers, taken: list[Interval]) -> bool:
    needed = buffers.around(at, at + duration)
    return not any(overlaps(needed, interval) for interval in taken)


def free(
    availability: Availability,
    shape: Shape,
    claims: Sequence[Claim],
    now: datetime,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Iterator[datetime]:
    """Free starts of a service: the whole of it in one call."""
    begin = max(now, first or now)
    end = now + shape.horizon
    end = min(end, last) if last else end
    hours = open_hours(availability, begin, end + shape.duration)
    return starts(hours, shape, claims, now, first, last)


def offered(availability: Availability, shape: Shape, at: datetime, now: datetime) -> bool:
    """Whether the specialist's hours, notice and horizon offer this start, taken or not."""
    hours = open_hours(availability, at, at + shape.duration)
    return at in starts(hours, shape, (), now, at, at + shape.step)


def _days(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += ONE_DAY
