import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest

from telemed.lib import formats

OFFSET = """
from datetime import datetime
from zoneinfo import ZoneInfo
import babel.dates
print(datetime(2027, 7, 15, tzinfo=babel.dates.LOCALTZ).utcoffset())
import telemed.settings
print(datetime(2027, 7, 15, tzinfo=ZoneInfo("Africa/Casablanca")).utcoffset())
"""
MOMENT = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "day", "told"),
    [
        ("fr", date(2026, 11, 24), "mardi 24 novembre 2026"),
        ("fr", date(2026, 12, 1), "mardi 1er décembre 2026"),
        ("fr", date(2026, 12, 21), "lundi 21 décembre 2026"),
        ("en", date(2026, 11, 24), "Tuesday 24 November 2026"),
        ("ar", date(2026, 8, 24), "الاثنين 24 غشت 2026"),
        ("ar", date(2026, 9, 24), "الخميس 24 شتنبر 2026"),
        ("ar", date(2026, 11, 24), "الثلاثاء 24 نونبر 2026"),
        ("ar", date(2026, 12, 24), "الخميس 24 دجنبر 2026"),
    ],
)
def test_days_are_written_as_in_morocco(language, day, told):
    assert formats.long_day(day, language) == told


def test_the_hour_is_the_zones_and_the_zone_is_told():
    assert formats.hour(MOMENT, "Africa/Casablanca") == "14:30"
    assert formats.hour(MOMENT, "Europe/Paris") == "15:30"
    assert "UTC+1" in formats.zone_in_words(MOMENT, "Europe/Paris", "en")
    assert "UTC+5:30" in formats.zone_in_words(MOMENT, "Asia/Kolkata", "fr")
    assert "UTC-3:30" in formats.zone_in_words(MOMENT, "America/St_Johns", "fr")


def test_morocco_stands_at_utc_all_year_in_the_pinned_zone_data():
    for month in (1, 3, 7, 12):
        there = formats.local(datetime(2027, month, 15, 12, tzinfo=UTC), "Africa/Casablanca")
        assert there.utcoffset() == timedelta()


def test_zone_data_that_was_read_before_the_settings_is_read_anew(tmp_path):
    """A machine that knows Morocco's time otherwise, and says that it stands there."""
    zone = tmp_path / "Africa" / "Casablanca"
    zone.parent.mkdir()
    zone.write_bytes((files("tzdata") / "zoneinfo/Asia/Tokyo").read_bytes())
    environment = os.environ | {"TZ": "Africa/Casablanca", "PYTHONTZPATH": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", OFFSET], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["9:00:00", "0:00:00"]


def test_numbers_stand_left_to_right_in_arabic_text_only():
    assert "\u206614:30\u2069" in formats.in_words(MOMENT, "Africa/Casablanca", "ar")
    assert "\u2066" not in formats.in_words(MOMENT, "Africa/Casablanca", "fr")


def test_a_naive_datetime_is_refused():
    with pytest.raises(ValueError, match="naive"):
        formats.hour(datetime(2026, 11, 24, 14, 30), "Africa/Casablanca")  # noqa: DTZ001


def test_durations_round_to_what_says_something():
    assert formats.duration(timedelta(minutes=12), "fr") == "12 minutes"
    assert formats.duration(timedelta(hours=2, minutes=3), "en") == "2 hours"
    assert formats.duration(timedelta(minutes=12), "ar") == "12 دقيقة"
