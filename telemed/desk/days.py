"""What stands on each role's home page. Reading only; each builder takes a viewer and gives the
context of its template."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from consultations.call_quality import in_words
from consultations.models import Participant
from consultations.queries import to_review
from scheduling.access import appointments_in, in_care
from scheduling.models import Appointment, AppointmentStatus
from scheduling.rules import NOT_OCCUPYING
from telemed.accounts.access import Viewer, today
from telemed.accounts.models import Organisation
from telemed.accounts.names import display_name, user_name
from telemed.accounts.roles import May, Role
from telemed.desk.board import board, rhythm
from telemed.desk.rules import OVER, Standing
from telemed.desk.visits import Visit, day_of, of, visits
from telemed.lib.fields import localized
from telemed.lib.timeline import Window
from telemed.messaging.models import Message
from telemed.records import queries as records

SOON = timedelta(hours=2)
PAST_SHOWN = 10
FAILED_SHOWN = 20
EXPIRES_SOON = timedelta(days=90)
UNFINISHED_FOR = timedelta(days=30)

Context = dict[str, Any]


@dataclass(frozen=True)
class Day:
    """``poll_seconds``: how often an open page asks again."""

    ability: May
    template: str
    build: Callable[[Viewer], Context]
    poll_seconds: int


def patient(who: Viewer) -> Context:
    """The next visit, what comes after it, what was: theirs and of those in their care."""
    mine = in_care(who, May.APPOINTMENT_SEE_TIMES)
    rows = Appointment.objects.filter(patient__in=mine, voided_at__isnull=True)
    found = visits(_with_names(rows), who.now)
    coming = [visit for visit in found if visit.standing != Standing.OVER]
    past = [visit for visit in reversed(found) if visit.standing == Standing.OVER]
    summaries = records.released_for(in_care(who, May.SUMMARY_READ))
    return {
        "next": coming[0] if coming else None,
        "coming": coming[1:],
        "past": [(visit, summaries.get(visit.appointment.pk)) for visit in past[:PAST_SHOWN]],
        "own": who.patient,
        "in_care": [display_name(row.patient) for row in who.representations],
    }


def specialist(who: Viewer) -> Context:
    rows = appointments_in(who, May.OWN_DAY).filter(_today(who.now) | _unfinished(who.now))
    found = visits(rows, who.now)
    later, waiting = of(found, Standing.LATER), of(found, Standing.WAITING)
    window = Window.around(who.now, settings.TIME_ZONE)
    return {
        "heading": user_name(who.user),
        "waiting": sorted(waiting, key=lambda visit: visit.waiting_since or who.now),
        "live": of(found, Standing.LIVE),
        "next": later[:1],
        "later": later[1:],
        "awaiting": _awaiting(who),
        "over": of(found, Standing.OVER),
        "unfinished": of(found, Standing.UNFINISHED),
        "unsigned": [
            (note, display_name(note.consultation.appointment.patient))
            for note in records.unsigned_notes(who.user, who.now)
        ],
        "window": window,
        "window_now": window.at(who.now),
        "rhythm": rhythm(window, _taking_time(found)),
        "alert": len(waiting),
    }


def _awaiting(who: Viewer) -> list[Visit]:
    """What they have to accept, of all the days to come."""
    rows = appointments_in(who, May.OWN_DAY).filter(
        status=AppointmentStatus.PENDING, starts_at__gt=who.now
    )
    return visits(rows, who.now)


def presenter(who: Viewer) -> Context:
    """Today at the places where they work."""
    places = list(who.organisations(May.CENTRE_DAY))
    rows = appointments_in(who, May.CENTRE_DAY).filter(_today(who.now), site__in=places)
    found = visits(rows, who.now)
    return {
        "heading": ", ".join(localized(place.name) for place in places),
        "places": len(places),
        "expected": [visit for visit in found if visit.standing != Standing.OVER],
        "over": of(found, Standing.OVER),
    }


def coordinator(who: Viewer) -> Context:
    rows = appointments_in(who, May.REGION_DAY).filter(_today(who.now) | _unfinished(who.now))
    found = visits(rows, who.now)
    window = Window.around(who.now, settings.TIME_ZONE)
    needs = [
        *(("waits", visit) for visit in found if visit.waits_long),
        *(("late", visit) for visit in found if visit.is_late),
        *(("unfinished", visit) for visit in of(found, Standing.UNFINISHED)),
    ]
    failed = _failed_messages(who)
    emergencies = [
        (override, display_name(override.consultation.appointment.patient))
        for override in to_review(who)
    ]
    return {
        "needs": needs,
        "emergencies": emergencies,
        "failed": failed,
        "underway": of(found, Standing.WAITING, Standing.LIVE),
        "today": _taking_time(found),
        "troubled": [(visit, in_words(visit.trouble)) for visit in found if visit.trouble],
        "window": window,
        "window_now": window.at(who.now),
        "board": board(window, _taking_time(found)),
        "alert": len(needs) + len(failed) + len(emergencies),
    }


def administrator(who: Viewer) -> Context:
    """Places, when their authorisation ends, and how many people work there."""
    day = today(who.now)
    working = Q(memberships__valid_from__lte=day) & (
        Q(memberships__valid_to=None) | Q(memberships__valid_to__gte=day)
    )
    places = who.organisations(May.ORGANISATION_EDIT).annotate(
        people=Count("memberships", filter=working)
    )
    return {
        "places": [
            (place, localized(place.name), _expires_soon(place, day))
            for place in places.order_by("kind", "id")
        ],
    }


def auditor(who: Viewer) -> Context:
    """Links, no patients."""
    return {}


DAYS: dict[Role, Day] = {
    Role.SPECIALIST: Day(May.OWN_DAY, "specialist", specialist, 5),
    Role.PRESENTER: Day(May.CENTRE_DAY, "presenter", presenter, 10),
    Role.COORDINATOR: Day(May.REGION_DAY, "coordinator", coordinator, 10),
    Role.ADMINISTRATOR: Day(May.ORGANISATION_EDIT, "administrator", administrator, 0),
    Role.AUDITOR: Day(May.AUDIT_READ, "auditor", auditor, 0),
    Role.PATIENT: Day(May.APPOINTMENT_SEE_TIMES, "patient", patient, 20),
}


def _today(now: datetime) -> Q:
    """What began yesterday and is not over yet belongs to today as well, and what begins soon after
    midnight, whose people come before."""
    begins, ends = day_of(now, settings.TIME_ZONE)
    return Q(starts_at__lt=max(ends, now + SOON), ends_at__gt=begins)


def _unfinished(now: datetime) -> Q:
    """Somebody was admitted, the time is over, and nobody finished it."""
    admitted = Participant.objects.filter(
        room__consultation__appointment=OuterRef("pk"), admitted_at__isnull=False
    )
    return Q(Exists(admitted), ends_at__lte=now, ends_at__gt=now - UNFINISHED_FOR) & ~Q(
        status__in=OVER
    )


def _expires_soon(place: Organisation, day: date) -> bool:
    expires = place.authorisation_expires
    return expires is not None and expires <= day + EXPIRES_SOON


def _taking_time(found: list[Visit]) -> list[Visit]:
    return [visit for visit in found if visit.appointment.status not in NOT_OCCUPYING]


def _failed_messages(who: Viewer) -> list[tuple[Message, str]]:
    """With the name of the patient whose appointment they were about."""
    failed = Message.objects.filter(
        state=Message.State.FAILED, organisation__in=who.reach(May.MESSAGE_SEE_FAILED)
    ).order_by("-due_at")[:FAILED_SHOWN]
    about = {message.pk: message.references.get("appointment") for message in failed}
    rows = appointments_in(who, May.REGION_DAY).filter(pk__in=filter(None, about.values()))
    names = {str(row.pk): display_name(row.patient) for row in rows}
    return [(message, names.get(about[message.pk] or "", "")) for message in failed]


def _with_names(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    related = (
        "patient",
        "service__speciality",
        "specialist__user",
        "specialist__organisation",
        "site",
    )
    return rows.select_related(*related).prefetch_related("patient__names")
