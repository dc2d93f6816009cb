"""Where a visit stands, and who asks for help."""

from datetime import UTC, date, datetime, timedelta

import pytest

from telemed.desk import rules
from telemed.desk.rules import Standing

START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
END = START + timedelta(minutes=20)


def at(minutes):
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("now", "status", "facts", "expected"),
    [
        (at(-60), "booked", {}, Standing.LATER),
        (at(5), "booked", {}, Standing.LATER),
        (at(21), "booked", {}, Standing.OVER),
        (at(-5), "arrived", {"waiting_since": at(-6)}, Standing.WAITING),
        (at(40), "arrived", {"waiting_since": at(-6)}, Standing.WAITING),
        (at(5), "checked-in", {"is_live": True, "has_begun": True}, Standing.LIVE),
        (at(19), "checked-in", {"is_live": True, "has_begun": True}, Standing.LIVE),
        (
            at(90),
            "checked-in",
            {"is_live": True, "is_seen": True, "has_begun": True},
            Standing.LIVE,
        ),
        (at(90), "checked-in", {"is_live": True, "has_begun": True}, Standing.UNFINISHED),
        (at(5), "checked-in", {"is_live": True, "waiting_since": at(4)}, Standing.LIVE),
        (at(90), "checked-in", {"has_begun": True}, Standing.UNFINISHED),
        (at(90), "fulfilled", {"has_begun": True}, Standing.OVER),
        (at(-90), "cancelled", {}, Standing.OVER),
    ],
)
def test_standing(now, status, facts, expected):
    assert rules.standing(now, END, status, **facts) == expected


@pytest.mark.parametrize(
    ("now", "status", "arrived", "late"),
    [
        (at(4), "booked", None, False),
        (at(5), "booked", None, True),
        (at(5), "pending", None, True),
        (at(5), "booked", at(-1), False),
        (at(5), "cancelled", None, False),
        (at(20), "booked", None, False),
    ],
)
def test_late(now, status, arrived, late):
    assert rules.is_late(now, START, END, status, arrived) is late


@pytest.mark.parametrize(
    ("now", "since", "long"),
    [
        (at(9), at(-15), False),  # came early: counted from the agreed time
        (at(10), at(-15), True),
        (at(14), at(5), False),
        (at(15), at(5), True),
        (at(15), None, False),
    ],
)
def test_waits_long(now, since, long):
    assert rules.waits_long(now, since, START) is long


@pytest.mark.parametrize(
    ("born", "years"),
    [(date(1979, 11, 24), 47), (date(1979, 11, 25), 46), (None, None)],
)
def test_age(born, years):
    assert rules.age(born, date(2026, 11, 24)) == years
