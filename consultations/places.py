"""The quality of places' connections by the hour of their day, from the tests made there."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consultations.models import CallRecord, ConnectionTest
from consultations.quality_rules import VERDICTS, Summary, Trial, summary
from telemed.accounts.models import Organisation
from telemed.lib import formats
from telemed.lib.fields import localized

# As states are told: an icon and a tone.
TONES = {
    "good": ("check-circle", "ok"),
    "fair": ("check-circle", "plain"),
    "poor": ("exclamation-triangle", "warn"),
    "voice-only": ("exclamation-triangle", "warn"),
    "lost": ("x-circle", "danger"),
}
EXPECTED: dict[str, str | Promise] = {
    "": "",
    CallRecord.Mode.FULL: _("clear picture"),
    CallRecord.Mode.SMALL: _("small picture"),
    CallRecord.Mode.SLOW: _("small picture that moves slowly"),
    CallRecord.Mode.STILL: _("still pictures"),
    CallRecord.Mode.VOICE: _("voice only"),
}


@dataclass(frozen=True)
class Told:
    """A summary as a page tells it; ``hour`` is "08:00", "" for all hours together."""

    hour: str
    summary: Summary

    @property
    def word(self) -> str:
        return str(ConnectionTest.Verdict(self.summary.verdict).label)

    @property
    def icon(self) -> str:
        return TONES[self.summary.verdict][0]

    @property
    def tone(self) -> str:
        return TONES[self.summary.verdict][1]

    @property
    def expected(self) -> str | Promise:
        return "" if self.summary.verdict == "voice-only" else EXPECTED[self.summary.mode]


@dataclass(frozen=True)
class Place:
    """``at_home``: its patients' own connections, not that of the house."""

    name: str
    at_home: bool
    overall: Told
    hours: list[Told]


def places(tests: Iterable[ConnectionTest]) -> list[Place]:
    """The worst first, then by name."""
    found: dict[tuple[Organisation, bool], list[ConnectionTest]] = defaultdict(list)
    for test in tests:
        found[test.organisation, test.at_home].append(test)
    made = [_place(where, at_home, rows) for (where, at_home), rows in found.items()]
    return sorted(made, key=_rank)


def _place(where: Organisation, at_home: bool, rows: list[ConnectionTest]) -> Place:
    by_hour: dict[str, list[Trial]] = defaultdict(list)
    for row in rows:
        by_hour[_hour(row.hour, where.time_zone)].append(_tested(row))
    return Place(
        localized(where.name),
        at_home,
        Told("", summary([_tested(row) for row in rows])),
        [Told(hour, summary(tests)) for hour, tests in sorted(by_hour.items())],
    )


def _hour(moment: datetime, zone: str) -> str:
    return f"{formats.local(moment, zone):%H}:00"


def _tested(row: ConnectionTest) -> Trial:
    return Trial(row.verdict, row.expected_mode, row.kbit_up, row.kbit_down, row.round_trip_ms)


def _rank(place: Place) -> tuple[int, str, bool]:
    return -VERDICTS.index(place.overall.summary.verdict), place.name, place.at_home
