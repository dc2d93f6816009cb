from datetime import UTC, datetime, timedelta

import pytest

from telemed.lib.timeline import Window

ZONE = "Africa/Casablanca"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = Window.around(NOON, ZONE)


def at(hour, minute=0):
    return NOON.replace(hour=hour, minute=minute)


@pytest.mark.parametrize(
    ("start", "end", "bar"),
    [
        (at(7), at(7, 30), "at-0 for-2"),
        (at(14, 30), at(14, 50), "at-30 for-2"),
        (at(6), at(8), "at-0 for-4"),
        (at(18, 30), at(20), "at-46 for-2"),
        (at(5), at(7), ""),
        (at(19), at(20), ""),
    ],
)
def test_a_bar_stands_at_its_quarter(start, end, bar):
    assert DAY.bar(start, end) == bar


def test_the_window_holds_the_present_and_at_most_16_hours():
    for hour in range(24):
        window = Window.around(at(hour), ZONE)
        assert window.last_hour - window.first_hour <= 16
        assert 0 <= window.at(at(hour)) < window.quarters


def test_the_clock_on_the_wall_counts_across_a_change_of_time():
    """Paris, 29 March 2026: the hour from 2 to 3 does not exist."""
    window = Window.around(datetime(2026, 3, 29, 10, tzinfo=UTC), "Europe/Paris")
    start = datetime(2026, 3, 29, 7, tzinfo=UTC)  # nine on the wall
    assert window.bar(start, start + timedelta(hours=1)) == "at-8 for-4"
