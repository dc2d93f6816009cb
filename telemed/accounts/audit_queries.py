"""Audit events with the names that belong to them. The audit itself knows only UUIDs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet

from telemed.accounts.access import Viewer
from telemed.accounts.models import Organisation, Patient, User
from telemed.accounts.names import display_name, user_name
from telemed.accounts.roles import May
from telemed.audit.models import Event
from telemed.audit.words import in_words
from telemed.lib.fields import localized


@dataclass(frozen=True)
class Line:
    """One event as people read it."""

    event: Event
    what: str
    who: str
    where: str
    patient: str
    for_whom: str


def about(patient: Patient) -> QuerySet[Event]:
    """Everything done with this patient's data, the newest first."""
    return Event.objects.filter(patient=patient.id).order_by("-id")


@dataclass(frozen=True)
class Filter:
    """What an auditor looks for; empty parts do not narrow."""

    first_day: date | None = None
    last_day: date | None = None
    person: str = ""
    patient: UUID | None = None
    action: str = ""
    outcome: str = ""


def found(viewer: Viewer, wanted: Filter) -> QuerySet[Event]:
    """Events of the places in the viewer's reach, or about their patients, the newest first.

    Who audits a root of the tree also sees what belongs to no place: sign-ins, guests, tasks.
    """
    reach = viewer.reach(May.AUDIT_READ)
    patients = Patient.objects.filter(organisation_id__in=reach).values("id")
    scope = Q(organisation__in=reach) | Q(patient__in=patients)
    if any(not viewer.tree.parents.get(place) for place in reach):
        scope |= Q(organisation__isnull=True)
    return Event.objects.filter(scope & _wanted(wanted)).order_by("-id")


def lines(events: Iterable[Event]) -> list[Line]:
    """With names, in three queries however many there are."""
    rows = list(events)
    users = User.objects.in_bulk({row.actor for row in rows if row.actor})
    places = Organisation.objects.in_bulk({row.organisation for row in rows if row.organisation})
    ids = {row.patient for row in rows if row.patient} | {
        row.on_behalf_of for row in rows if row.on_behalf_of
    }
    patients = Patient.objects.prefetch_related("names").in_bulk(ids)
    named = {pk: display_name(patient) for pk, patient in patients.items()}
    return [
        Line(
            event=row,
            what=in_words(row.action),
            who=user_name(users[row.actor]) if row.actor in users else "",
            where=localized(places[row.organisation].name) if row.organisation in places else "",
            patient=named.get(row.patient, ""),
            for_whom=named.get(row.on_behalf_of, ""),
        )
        for row in rows
    ]


def _wanted(wanted: Filter) -> Q:
    q = Q()
    if wanted.first_day:
        q &= Q(at__gte=_midnight(wanted.first_day))
    if wanted.last_day:
        q &= Q(at__lt=_midnight(wanted.last_day + timedelta(days=1)))
    if wanted.person:
        people = User.objects.filter(
            Q(email__iexact=wanted.person)
            | Q(name__icontains=wanted.person)
            | Q(name_ar__icontains=wanted.person)
        )
        q &= Q(actor__in=people.values("id"))
    exact = {"patient": wanted.patient, "action": wanted.action, "outcome": wanted.outcome}
    return q & Q(**{name: value for name, value in exact.items() if value})


def _midnight(day: date) -> datetime:
    """The site's, as an instant: no query converts zones in the database."""
    return datetime.combine(day, datetime.min.time(), ZoneInfo(settings.TIME_ZONE))


def known_actions() -> list[tuple[str, str]]:
    """Codes and words of the actions that have happened, by their words."""
    codes = Event.objects.order_by("action").values_list("action", flat=True).distinct()
    return sorted(((code, in_words(code)) for code in codes), key=lambda pair: pair[1])
