"""Finding somebody: one list of people sorted by soonest, each with where the patient sits."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from scheduling import queries, slots
from scheduling.models import Service, Specialist, Speciality
from scheduling.walltime import zone_for
from telemed.accounts.access import today, valid_on
from telemed.accounts.models import Organisation, OrganisationParent, Patient
from telemed.accounts.tree import Tree

Part = tuple[str | Promise, list[datetime]]  # its name and its starts
NEXT_TIMES = 3
# Until which hour each part of the day lasts.
PARTS = (
    (6, _("Night")),
    (12, _("Morning")),
    (18, _("Afternoon")),
    (24, _("Evening")),
)
DAYS_SHOWN = 14


@dataclass(frozen=True)
class Offer:
    """One service with its next free starts, in the zone where the patient will sit."""

    service: Service
    times: list[datetime]
    zone: str


@dataclass(frozen=True)
class Person:
    """A specialist with every place at which the patient may see them, the soonest first."""

    specialist: Specialist
    offers: list[Offer] = field(default_factory=list)

    @property
    def soonest(self) -> datetime:
        return self.offers[0].times[0]


@dataclass(frozen=True)
class Wish:
    """What was asked for; an empty text means anything."""

    language: str = ""
    sex: str = ""
    place: str = ""


@dataclass(frozen=True)
class Day:
    date: date
    free: int


def specialities(patient: Patient, now: datetime) -> Iterable[Speciality]:
    """What somebody near this patient offers."""
    ids = near(patient, now).values("speciality")
    return Speciality.objects.filter(id__in=ids).order_by("position", "code")


def near(patient: Patient, now: datetime) -> QuerySet[Service]:
    """Services at home, and at the sites of the patient's own region."""
    reach = region(patient.organisation, now)
    return queries.bookable_services().filter(Q(site__isnull=True) | Q(site__in=reach))


def region(organisation: Organisation, now: datetime) -> frozenset[object]:
    """The sites of the regional group over a place, or those below it where there is none."""
    edges = OrganisationParent.objects.filter(valid_on(today(now)))
    tree = Tree.of(edges.values_list("child_id", "parent_id"))
    above = tree.above([organisation.pk])
    groups = Organisation.objects.filter(id__in=above, kind=Organisation.Kind.GROUP)
    return tree.below(groups.values_list("id", flat=True)) | {organisation.pk}


def people(patient: Patient, speciality: Speciality, wish: Wish, now: datetime) -> list[Person]:
    """Everybody who has a free time, sorted by it. Reads their time with five queries."""
    services = [
        service
        for service in _wished(near(patient, now).filter(speciality=speciality), wish)
        if not wish.language or wish.language in service.specialist.spoken_languages
    ]
    known = queries.diary([(service, service.specialist_id) for service in services], patient, now)
    offers: dict[Specialist, list[Offer]] = defaultdict(list)
    for service in services:
        free = queries.free_starts(service, service.specialist_id, patient, known, now)
        if times := list(islice(free, NEXT_TIMES)):
            zone = zone_for(service, patient)
            offers[service.specialist].append(Offer(service, times, zone))
    found = [
        Person(specialist, sorted(theirs, key=lambda offer: offer.times[0]))
        for specialist, theirs in offers.items()
    ]
    return sorted(found, key=lambda person: person.soonest)


def _wished(services: QuerySet[Service], wish: Wish) -> QuerySet[Service]:
    if wish.sex:
        services = services.filter(specialist__sex=wish.sex)
    if wish.place:
        services = services.filter(patient_place=wish.place)
    return services


def strip(free: Iterable[datetime], zone: str, now: datetime, chosen: date | None) -> list[Day]:
    """The next days with their free counts; as far as the chosen day when that is later."""
    counts = queries.day_counts(free, zone)
    first = now.astimezone(slots.zone(zone)).date()
    last = max(first + timedelta(days=DAYS_SHOWN - 1), chosen or first)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [Day(day, counts.get(day, 0)) for day in days]


def on_day(free: Iterable[datetime], zone: str, day: date) -> list[datetime]:
    return [start for start in free if start.astimezone(slots.zone(zone)).date() == day]


def parts_of_day(
    starts: Iterable[datetime], zone: str
) -> list[tuple[str | Promise, list[datetime]]]:
    """Morning, afternoon and so on with their starts; a part without any is left out."""
    parts: dict[str | Promise, list[datetime]] = defaultdict(list)
    for start in starts:
        hour = start.astimezone(slots.zone(zone)).hour
        parts[next(word for until, word in PARTS if hour < until)].append(start)
    return list(parts.items())
