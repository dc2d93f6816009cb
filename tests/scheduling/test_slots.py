"""Free slots against a naive model that walks the clock minute by minute.

The model knows nothing of offsets: it reads the wall clock of the zone at every minute and asks
when it first showed a time or a later one.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduling import slots
from scheduling.rules import Buffers, Shape
from scheduling.slots import Availability, Claim, DatedHours, DaysAway, WeeklyHours
from telemed.lib.intervals import Interval

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
CASABLANCA = "Africa/Casablanca"
YEARS = (2024, 2028)
# Dates that no transition search would miss, and those that people fell over.
KNOWN = {
    CASABLANCA: [date(2026, 9, 20), date(2026, 2, 15), date(2026, 3, 22)],
    "Pacific/Apia": [date(2011, 12, 30)],
}
ZONES = [
    CASABLANCA,
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "Asia/Kathmandu",
    "UTC",
]


@lru_cache
def transitions(zone: str) -> list[date]:
    """The local dates around which the zone's offset changes."""
    tz, found = ZoneInfo(zone), list(KNOWN.get(zone, []))
    at = datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while at.year < YEARS[1]:
        if at.astimezone(tz).utcoffset() != (at + DAY).astimezone(tz).utcoffset():
            found.append(at.astimezone(tz).date())
        at += DAY
    return found or [date(2026, 6, 1)]


def test_the_zones_have_their_transitions():
    """Casablanca's Ramadan of the old rules, its last change on 2026-09-20, none after it."""
    assert len(transitions("Europe/Paris")) == 8
    assert date(2026, 9, 20) in {
        day + around for day in transitions(CASABLANCA)[3:] for around in (DAY * 0, DAY)
    }
    assert not [day for day in transitions(CASABLANCA) if day > date(2026, 9, 20)]


def naive_moment(wall: datetime, zone: str) -> datetime:
    """Walk the minutes from a day and a half before until the wall clock has got there."""
    tz = ZoneInfo(zone)
    at = wall.replace(tzinfo=UTC) - timedelta(hours=40)
    while at.astimezone(tz).replace(tzinfo=None) < wall:
        at += MINUTE
    return at


def wall(text: str) -> datetime:
    """What a clock on a wall shows: no zone."""
    return datetime.fromisoformat(text)


@st.composite
def walls(draw) -> tuple[datetime, str]:
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from(transitions(zone))) + draw(st.integers(-1, 2)) * DAY
    minute = draw(st.integers(0, 24 * 60 - 1))
    return datetime.combine(day, time()) + minute * MINUTE, zone


@settings(max_examples=150, deadline=None)
@given(walls())
@example((wall("2026-03-29T02:30"), "Europe/Paris"))  # a gap
@example((wall("2026-10-25T02:30"), "Europe/Paris"))  # a fold
@example((wall("2026-04-05T01:45"), "Australia/Lord_Howe"))  # a fold of half an hour
@example((wall("2026-10-04T02:15"), "Australia/Lord_Howe"))  # a gap of half an hour
@example((wall("2011-12-30T12:00"), "Pacific/Apia"))  # a day that never was
@example((wall("2026-02-15T02:30"), CASABLANCA))
@example((wall("2026-09-20T02:30"), CASABLANCA))
def test_a_wall_time_is_the_first_moment_that_shows_it(shown):
    assert slots.moment(*shown) == naive_moment(*shown)


@st.composite
def worlds(draw):
    """A specialist's hours around a transition, what is taken, and a service."""
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from(transitions(zone)))
    quarter = st.integers(0, 95).map(lambda number: time(number // 4, number % 4 * 15))
    near = st.integers(-1, 2).map(lambda number: day + number * DAY)
    weekly = draw(
        st.lists(
            st.builds(
                WeeklyHours,
                weekday=st.integers(0, 6),
                starts=quarter,
                ends=quarter,
                zone=st.just(zone),
                valid_from=st.just(day - 30 * DAY),
                valid_to=st.none() | near,
            ),
            min_size=1,
            max_size=6,
        )
    )
    dated = draw(
        st.lists(
            st.builds(
                DatedHours,
                closed=st.booleans(),
                day=near,
                starts=quarter,
                ends=quarter,
                zone=st.just(zone),
            ),
            max_size=2,
        )
    )
    away = draw(st.lists(near.map(lambda first: DaysAway(first, first, zone)), max_size=1))
    base = datetime.combine(day, time(), tzinfo=UTC)
    busy = [
        (base + start * MINUTE, base + (start + length) * MINUTE)
        for start, length in draw(
            st.lists(st.tuples(st.integers(-1440, 2880), st.integers(1, 300)), max_size=4)
        )
    ]
    shape = Shape(
        duration=draw(st.sampled_from([15, 20, 30])) * MINUTE,
        step=draw(st.sampled_from([10, 15, 25])) * MINUTE,
        notice=draw(st.sampled_from([0, 90])) * MINUTE,
        horizon=draw(st.sampled_from([1, 3])) * DAY,
        specialist=Buffers(draw(st.sampled_from([0, 5])) * MINUTE, 10 * MINUTE),
    )
    now = base + draw(st.integers(-1440, 600)) * MINUTE
    return Availability(weekly, dated, away), shape, busy, now


def naive_free(
    availability: Availability, shape: Shape, busy: list[Interval], now: datetime
) -> set[datetime]:
    """Every minute is asked on its own: is it open, closed, taken?"""
    opened, closed = naive_hours(availability, now.date() - 3 * DAY, shape.horizon + 6 * DAY)
    free = set()
    for start, end in opened:
        grid, was_open = start, False
        for at in minutes(start, end):
            is_open = not within(at, closed)
            if is_open and not was_open:
                grid = at  # a stretch begins: its starts count from here
            was_open = is_open
            on_grid = is_open and (at - grid) % shape.step == timedelta()
            wanted = now + shape.notice <= at < now + shape.horizon
            if on_grid and wanted and naive_fits(at, shape, opened, closed, busy):
                free.add(at)
    return free


def naive_fits(
    at: datetime,
    shape: Shape,
    opened: list[Interval],
    closed: list[Interval],
    busy: list[Interval],
) -> bool:
    visit = minutes(at, at + shape.duration)
    needed = minutes(at - shape.specialist.before, at + shape.duration + shape.specialist.after)
    return all(
        within(minute, opened) and not within(minute, closed) for minute in visit
    ) and not any(within(minute, busy) for minute in needed)


def naive_hours(
    availability: Availability, first: date, length: timedelta
) -> tuple[list[Interval], list[Interval]]:
    opened: list[Interval] = []
    closed: list[Interval] = []
    for day in (first + number * DAY for number in range(length.days)):
        for hours in availability.weekly:
            is_valid = hours.valid_from <= day <= (hours.valid_to or date.max)
            if day.weekday() == hours.weekday and is_valid:
                opened.append(naive_between(day, hours.starts, hours.ends, hours.zone))
        for dated in availability.dated:
            if dated.day == day:
                target = closed if dated.closed else opened
                target.append(naive_between(day, dated.starts, dated.ends, dated.zone))
        for away in availability.away:
            if away.first <= day <= away.last:
                closed.append(naive_between(day, time(), time(), away.zone))
    return opened, closed


def minutes(start: datetime, end: datetime) -> list[datetime]:
    return [start + number * MINUTE for number in range((end - start) // MINUTE)]


def within(at: datetime, intervals: list[Interval]) -> bool:
    return any(start <= at < end for start, end in intervals)


def naive_between(day: date, starts: time, ends: time, zone: str) -> Interval:
    last = day + DAY if ends <= starts else day
    return (
        naive_moment(datetime.combine(day, starts), zone),
        naive_moment(datetime.combine(last, ends), zone),
    )


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_free_starts_are_those_of_the_naive_model(world):
    availability, shape, busy, now = world
    claims = [Claim(shape.specialist, busy)]
    found = list(slots.free(availability, shape, claims, now))
    assert found == sorted(found)
    assert set(found) == naive_free(availability, shape, busy, now)


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(0, 4000))
def test_a_part_of_the_free_starts_is_what_the_whole_says(world, later_by):
    """Asking for a range, or for one start, never shows another grid."""
    availability, shape, busy, now = world
    claims = [Claim(shape.specialist, busy)]
    whole = list(slots.free(availability, shape, claims, now))
    middle = now + later_by * MINUTE
    later = list(slots.free(availability, shape, claims, now, middle))
    assert later == [start for start in whole if start >= middle]
    for start in whole[:5]:
        assert slots.offered(availability, shape, start, now)
        assert not slots.offered(availability, shape, start + MINUTE, now) or (
            start + MINUTE in list(slots.free(availability, shape, (), now))
        )


# --- what the model says, in a few dates that people can check by hand

TWENTY = Shape(20 * MINUTE, 20 * MINUTE, timedelta(), 60 * DAY, Buffers(timedelta(), timedelta()))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def open_on(day: date, starts: time, ends: time, zone: str) -> timedelta:
    start, end = slots.between(day, starts, ends, zone)
    return end - start


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 28), "Europe/Paris", 4),
        (date(2026, 3, 29), "Europe/Paris", 3),  # 02:00 → 03:00
        (date(2026, 10, 25), "Europe/Paris", 5),  # 03:00 → 02:00
        (date(2026, 4, 5), "Australia/Lord_Howe", 4.5),
        (date(2026, 10, 4), "Australia/Lord_Howe", 3.5),
        (date(2011, 12, 30), "Pacific/Apia", 0),
        (date(2026, 2, 15), CASABLANCA, 5),  # the last Ramadan of the old rules begins
        (date(2026, 3, 22), CASABLANCA, 3),  # and ends
        (date(2026, 9, 20), CASABLANCA, 5),  # back to UTC+0 for good
        (date(2027, 2, 14), CASABLANCA, 4),  # no Ramadan change any more
    ],
)
def test_hours_from_one_to_five_on_days_of_change(day, zone, hours):
    assert open_on(day, time(1), time(5), zone) == timedelta(hours=hours)


def test_the_same_wall_time_before_and_after_the_change_of_september():
    weekly = [
        WeeklyHours(number, time(9), time(9, 20), CASABLANCA, date(2026, 1, 1))
        for number in range(7)
    ]
    found = list(slots.free(Availability(weekly), TWENTY, (), at("2026-09-18")))[:4]
    assert found == [
        at("2026-09-18T08:00"),
        at("2026-09-19T08:00"),
        at("2026-09-20T09:00"),
        at("2026-09-21T09:00"),
    ]


def test_one_may_begin_where_another_ends():
    weekly = [WeeklyHours(0, time(9), time(10), "UTC", date(2026, 1, 1))]
    busy = [(at("2026-11-30T09:20"), at("2026-11-30T09:40"))]
    claims = [Claim(Buffers(timedelta(), timedelta()), busy)]
    found = slots.free(
        Availability(weekly), TWENTY, claims, at("2026-11-29"), None, at("2026-12-01")
    )
    assert list(found) == [at("2026-11-30T09:00"), at("2026-11-30T09:40")]


def test_a_visit_may_run_through_midnight_where_the_hours_go_on():
    night = [WeeklyHours(0, time(20, 5), time(0), "UTC", date(2026, 1, 1))]
    on_call = [*night, WeeklyHours(1, time(0), time(1), "UTC", date(2026, 1, 1))]
    late = at("2026-11-30T23:45"), at("2026-12-01T00:05")
    for weekly, may in ((night, False), (on_call, True)):
        hours, now = Availability(weekly), at("2026-11-29")
        assert slots.offered(hours, TWENTY, late[0], now) is may
        assert slots.is_usual(hours, late) is may
        assert (late[0] in slots.free(hours, TWENTY, (), now, None, late[1])) is may


def test_every_resource_must_be_free_with_its_own_buffers():
    weekly = [WeeklyHours(0, time(9), time(10), "UTC", date(2026, 1, 1))]
    free = Claim(Buffers(timedelta(), timedelta()), [])
    patient = Claim(
        Buffers(10 * MINUTE, timedelta()), [(at("2026-11-30T09:00"), at("2026-11-30T09:11"))]
    )
    found = slots.free(
        Availability(weekly), TWENTY, [free, patient], at("2026-11-29"), None, at("2026-12-01")
    )
    assert list(found) == [at("2026-11-30T09:40")]
