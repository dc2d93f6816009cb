"""Dates, hours, durations and numbers in words: the same in page, mail, SMS, calendar file and PDF.

Everything is drawn on the server, in the zone the people agreed on, never by the browser's zone
data. Arabic is written as in Morocco (Babel ``ar_MA``: digits 0–9, غشت شتنبر نونبر دجنبر; Django's
own ``ar`` prints other names). ``zone`` is an IANA name or a tzinfo, ``language`` one of
``settings.LANGUAGES`` or ``zgh``, by default the active one.
"""

from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_timedelta, get_timezone_location
from django.utils import translation
from django.utils.translation import gettext

_LOCALES = {"ar": "ar_MA", "fr": "fr_MA", "en": "en_GB", "zgh": "zgh"}
_LEFT_TO_RIGHT_ISOLATE, _POP_ISOLATE = "\u2066", "\u2069"

Zone = str | tzinfo


def locale_of(language: str | None = None) -> Locale:
    code = (language or translation.get_language() or "en").split("-")[0]
    return Locale.parse(_LOCALES.get(code, "en_GB"))


def local(moment: datetime, zone: Zone) -> datetime:
    """The wall time of an aware moment. Raises ValueError on a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place on a page")
    return moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)


def long_day(day: date, language: str | None = None) -> str:
    """mardi 24 novembre 2026"""
    return _pattern(day, "EEEE d MMMM y", language)


def day_and_month(day: date, language: str | None = None) -> str:
    """mardi 24 novembre"""
    return _pattern(day, "EEEE d MMMM", language)


def short_day(day: date, language: str | None = None) -> str:
    """mar. 24 nov."""
    return _pattern(day, "EEE d MMM", language)


def weekday(day: date, language: str | None = None) -> str:
    """mar."""
    return _pattern(day, "EEE", language)


def month(day: date, language: str | None = None) -> str:
    """nov."""
    return _pattern(day, "MMM", language)


def plain_day(day: date, language: str | None = None) -> str:
    """24 novembre 2026, for birth dates and signatures."""
    return _pattern(day, "d MMMM y", language)


def hour(moment: datetime, zone: Zone) -> str:
    """14:30. The same in every language; to be isolated left to right where it is drawn."""
    return local(moment, zone).strftime("%H:%M")


def zone_in_words(moment: datetime, zone: Zone, language: str | None = None) -> str:
    """heure de Casablanca (UTC+0): the zone is told wherever an appointment's hour stands."""
    wall = local(moment, zone)
    with translation.override(language or translation.get_language()):
        place = get_timezone_location(wall.tzinfo, locale=locale_of(language), return_city=True)
        return gettext("%(place)s time (%(offset)s)") % {
            "place": place,
            "offset": isolated(utc_offset(wall)) if is_mirrored(language) else utc_offset(wall),
        }


def utc_offset(wall: datetime) -> str:
    """UTC+0, UTC+5:30"""
    minutes = int((wall.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def in_words(moment: datetime, zone: Zone, language: str | None = None) -> str:
    """mardi 24 novembre 2026, 14:30, heure de Casablanca (UTC+0): for mails and documents."""
    wall = local(moment, zone)
    told = isolated(hour(moment, zone)) if is_mirrored(language) else hour(moment, zone)
    comma = "، " if is_mirrored(language) else ", "
    return comma.join(
        (long_day(wall.date(), language), told, zone_in_words(moment, zone, language))
    )


def duration(length: timedelta, language: str | None = None) -> str:
    """12 minutes; rounded to the largest unit that says something."""
    return str(format_timedelta(length, threshold=1.5, locale=locale_of(language)))


def is_mirrored(language: str | None = None) -> bool:
    return locale_of(language).text_direction == "rtl"


def isolated(text: str) -> str:
    """Left-to-right whatever stands around it, for plain text; pages use ``<bdi dir="ltr">``."""
    return f"{_LEFT_TO_RIGHT_ISOLATE}{text}{_POP_ISOLATE}"


def _pattern(day: date, pattern: str, language: str | None) -> str:
    locale = locale_of(language)
    text = str(format_date(day, pattern, locale=locale))
    if locale.language == "fr" and day.day == 1:
        # CLDR has no ordinal for the first of the month, which French always writes.
        head, one, tail = text.partition("1 ")
        return f"{head}1er {tail}" if one else text
    return text
