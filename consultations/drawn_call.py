"""The picture of a call over time: where its bars stand, for ``_drawn_call.html``.

Places along the time axis are percentages, so that the drawing needs no style and no script and
fits any width; time runs from left to right in every language.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consultations.call_quality import length, spans
from consultations.models import CallRecord
from telemed.lib import formats

ROW_HEIGHT, BAR_TOP, BAR_HEIGHT, AXIS_HEIGHT = 56, 24, 24, 28
# How high a mode's bar is, of BAR_HEIGHT: the eye reads it without colour.
HEIGHTS = {"full": 24, "small": 17, "slow": 12, "still": 8, "voice": 4}
STEPS = [
    timedelta(seconds=seconds)
    for seconds in (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600)
]
MOST_TICKS = 4
EDGE = 7.0  # percent: half a label on a phone
SHORTEST = timedelta(seconds=10)
KINDS: dict[str, str | Promise] = {
    **{mode.value: mode.label for mode in CallRecord.Mode},
    "gap": _("Connection lost"),
}


@dataclass(frozen=True)
class Bar:
    """``x`` and ``width`` in percent of the picture, ``y`` and ``height`` in its units."""

    kind: str
    x: str
    y: int
    width: str
    height: int


@dataclass(frozen=True)
class Row:
    label: str
    told: str  # the row in words
    label_y: int
    base_y: int
    bars: list[Bar]


@dataclass(frozen=True)
class Tick:
    """``label_x``: near an edge the label stands at the edge, so that it is never cut."""

    x: str
    label_x: str
    anchor: str
    label: str


@dataclass(frozen=True)
class Picture:
    height: int
    axis_y: int
    rows: list[Row]
    ticks: list[Tick]
    starts_at: datetime
    ends_at: datetime
    # For the legend, of those that are drawn: kind, word, height and top of its bar.
    kinds: list[tuple[str, str | Promise, int, int]]


@dataclass(frozen=True)
class _Scale:
    starts_at: datetime
    ends_at: datetime

    def percent(self, moment: datetime) -> float:
        whole = self.ends_at - self.starts_at
        return min(100.0, max(0.0, (moment - self.starts_at) / whole * 100))

    def at(self, moment: datetime) -> str:
        return f"{self.percent(moment):.2f}%"

    def width(self, start: datetime, end: datetime) -> str:
        return f"{max(0.3, self.percent(end) - self.percent(start)):.2f}%"


def picture(lines: Iterable[tuple[str, list[CallRecord]]], zone: formats.Zone) -> Picture | None:
    """``lines``: a label and the media sessions of each person; None when there was none."""
    drawn = [(label, records) for label, records in lines if records]
    if not drawn:
        return None
    everything = [record for _label, records in drawn for record in records]
    starts_at = min(record.started_at for record in everything)
    ends_at = max(_end(record) for record in everything)
    scale = _Scale(starts_at, max(ends_at, starts_at + SHORTEST))
    rows = [
        _row(label, records, number * ROW_HEIGHT, scale)
        for number, (label, records) in enumerate(drawn)
    ]
    seen = {bar.kind for row in rows for bar in row.bars}
    axis_y = len(rows) * ROW_HEIGHT + 4
    return Picture(
        height=axis_y + AXIS_HEIGHT,
        axis_y=axis_y,
        rows=rows,
        ticks=_ticks(scale, zone),
        starts_at=starts_at,
        ends_at=ends_at,
        kinds=[
            (kind, word, height, BAR_HEIGHT - height)
            for kind, word in KINDS.items()
            if kind in seen
            for height in [HEIGHTS.get(kind, BAR_HEIGHT)]
        ],
    )


def _end(record: CallRecord) -> datetime:
    return record.started_at + timedelta(seconds=length(record))


def _row(label: str, records: list[CallRecord], top: int, scale: _Scale) -> Row:
    bars = [bar for record in records for bar in _bars(record, top + BAR_TOP, scale)]
    told = gettext("{who}: {what}").format(who=label, what=_comma().join(_in_words(records)))
    return Row(label, told, top + 16, top + BAR_TOP + BAR_HEIGHT, bars)


def _in_words(records: list[CallRecord]) -> Iterable[str]:
    """How long each mode held in all, in the order of their goodness, and how long nothing came."""
    lasted: dict[str, float] = defaultdict(float)
    for record in records:
        for at, end, mode, _chosen in spans(record):
            lasted[mode] += end - at
        for _at, seconds in record.gaps:
            lasted["gap"] += seconds
    for kind, word in KINDS.items():
        if lasted[kind]:
            yield f"{word} {formats.duration(timedelta(seconds=round(lasted[kind])))}"


def _comma() -> str:
    return "، " if formats.is_mirrored() else ", "


def _bars(record: CallRecord, top: int, scale: _Scale) -> list[Bar]:
    """A picture does not go on while nothing comes: what a gap covers is drawn over."""

    def bar(kind: str, at: float, until: float, height: int) -> Bar:
        start = record.started_at + timedelta(seconds=at)
        end = record.started_at + timedelta(seconds=until)
        y = top + BAR_HEIGHT - height
        return Bar(kind, scale.at(start), y, scale.width(start, end), height)

    modes = [bar(mode, at, end, HEIGHTS[mode]) for at, end, mode, _ in spans(record)]
    gaps = [bar("gap", at, at + seconds, BAR_HEIGHT) for at, seconds in record.gaps]
    return [*modes, *gaps]


def _ticks(scale: _Scale, zone: formats.Zone) -> list[Tick]:
    whole = scale.ends_at - scale.starts_at
    step = next((step for step in STEPS if whole / step <= MOST_TICKS), STEPS[-1])
    first = scale.starts_at.replace(minute=0, second=0, microsecond=0)
    moment = first + -(-(scale.starts_at - first) // step) * step
    ticks = []
    while moment <= scale.ends_at:
        place = scale.percent(moment)
        here = f"{place:.2f}%"
        label_x, anchor = here, "middle"
        if place < EDGE or place > 100 - EDGE:
            label_x, anchor = ("0%", "start") if place < EDGE else ("100%", "end")
        wall = formats.local(moment, zone)
        label = f"{wall:%H:%M}" if step >= timedelta(minutes=1) else f"{wall:%H:%M:%S}"
        ticks.append(Tick(here, label_x, anchor, label))
        moment += step
    return ticks
