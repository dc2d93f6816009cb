"""Visits placed on a drawn day: a row a site, and more rows where visits overlap."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from telemed.desk.visits import Visit
from telemed.lib.timeline import Window


@dataclass(frozen=True)
class Bar:
    """``place`` is the classes that put it where it stands (``lib.timeline``)."""

    visit: Visit
    place: str


@dataclass(frozen=True)
class Row:
    """``name`` is "" in the second and further rows of one site."""

    name: str
    bars: list[Bar]


def rhythm(window: Window, visits: Iterable[Visit]) -> list[Bar]:
    """The bars of one thin line."""
    placed = (Bar(visit, _place(window, visit)) for visit in visits)
    return [bar for bar in placed if bar.place]


def board(window: Window, visits: Iterable[Visit]) -> list[Row]:
    """Sites by name, then those who sit at home."""
    sites: dict[tuple[bool, str], list[Visit]] = {}
    for visit in visits:
        sites.setdefault((not visit.site, visit.site), []).append(visit)
    rows = []
    for (at_home, name), here in sorted(sites.items(), key=lambda site: site[0]):
        for position, row in enumerate(_without_overlap(here)):
            title = _("Patients at home") if at_home else name
            rows.append(Row("" if position else title, rhythm(window, row)))
    return rows


def _without_overlap(visits: Sequence[Visit]) -> list[list[Visit]]:
    """Each in the first row where it follows everybody."""
    rows: list[list[Visit]] = []
    for visit in sorted(visits, key=lambda visit: visit.appointment.starts_at):
        starts_at = visit.appointment.starts_at
        fits = (row for row in rows if row[-1].appointment.ends_at <= starts_at)
        row = next(fits, None)
        if row is None:
            rows.append([visit])
        else:
            row.append(visit)
    return rows


def _place(window: Window, visit: Visit) -> str:
    return window.bar(visit.appointment.starts_at, visit.appointment.ends_at)
