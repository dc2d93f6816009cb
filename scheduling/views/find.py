"""From danger signs to a time: start, people, days and hours."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from scheduling import find, queries, slots
from scheduling.access import hold_of
from scheduling.emergency import emergency_for
from scheduling.forms import WishForm
from scheduling.models import Service, Speciality
from scheduling.views.whom import those_in_care, whom
from scheduling.walltime import zone_for
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.models import Patient
from telemed.accounts.roles import May
from telemed.lib import clock

BOOKING = (May.APPOINTMENT_BOOK_OWN, May.APPOINTMENT_BOOK_ANY)


@require_safe
@door(*BOOKING)
def start(request: HttpRequest) -> HttpResponse:
    chosen = whom(request)
    if chosen is None:
        return _choose(request)
    patient, _actor = chosen
    now = clock.now()
    context = {
        "patient": patient,
        "others": [person for person in those_in_care(request) if person != patient],
        "may_search": viewer(request).may(May.PATIENT_SEARCH),
        "emergency": emergency_for(patient.organisation, now),
        "specialities": find.specialities(patient, now),
    }
    return render(request, "scheduling/start.html", context)


@require_safe
@door(*BOOKING)
def people(request: HttpRequest, speciality: str) -> HttpResponse:
    chosen = whom(request)
    if chosen is None:
        return _choose(request)
    patient, now = chosen[0], clock.now()
    asked = get_object_or_404(Speciality, code=speciality, retired_at__isnull=True)
    wishes = WishForm(request.GET)
    wish = wishes.wish()
    context = {
        "patient": patient,
        "speciality": asked,
        "wishes": wishes,
        "wished": wish != find.Wish(),
        "people": find.people(patient, asked, wish, now),
        "emergency": emergency_for(patient.organisation, now),
        "hold": hold_of(viewer(request), patient, now),
    }
    return render(request, "scheduling/people.html", context)


@require_safe
@door(*BOOKING)
def times(request: HttpRequest, service_id: UUID) -> HttpResponse:
    chosen = whom(request)
    if chosen is None:
        return _choose(request)
    service = get_object_or_404(queries.bookable_services(), pk=service_id)
    context = times_context(request, service, chosen[0])
    return render(request, template(request, "scheduling/times.html"), context)


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: also an empty POST, which a bare ``or None`` would lose."""
    return request.POST if request.method == "POST" else None


def template(request: HttpRequest, page: str) -> str:
    """The page, or the part of it that HTMX swaps: only the days and hours."""
    return "scheduling/_days.html" if request.htmx else page  # type: ignore[attr-defined]


def times_context(
    request: HttpRequest, service: Service, patient: Patient, around: datetime | None = None
) -> dict[str, Any]:
    """What the page of one service's days and hours shows; ``around`` chooses the day."""
    now, zone = clock.now(), zone_for(service, patient)
    known = queries.diary([(service, service.specialist_id)], patient, now)
    free = list(queries.free_starts(service, service.specialist_id, patient, known, now))
    return {
        "patient": patient,
        "service": service,
        "here": f"{reverse('scheduling:times', args=[service.pk])}?patient={patient.pk}&",
        "action": reverse("scheduling:keep"),
        "hold": hold_of(viewer(request), patient, now),
        **days_context(request, free, zone, service, now, around),
    }


def days_context(
    request: HttpRequest,
    free: list[datetime],
    zone: str,
    service: Service,
    now: datetime,
    around: datetime | None = None,
) -> dict[str, Any]:
    """The strip of days with the hours of the asked one, else of the first that has any.

    A day before today or past the service's horizon is asked for by hand: the nearest is shown.
    """
    asked = _day(request.GET.get("day", ""))
    if around is not None:
        asked = around.astimezone(slots.zone(zone)).date()
    first_free = free[0].astimezone(slots.zone(zone)).date() if free else None
    today = now.astimezone(slots.zone(zone)).date()
    horizon = today + timedelta(days=service.horizon_days)
    day = min(max(asked or first_free or today, today), horizon)
    strip = find.strip(free, zone, now, day)
    more = strip[-1].date < horizon
    hours = find.on_day(free, zone, day)
    return {
        "zone": zone,
        "days": strip,
        "day": day,
        "later": min(strip[-1].date + timedelta(days=7), horizon) if more else None,
        "hours": find.parts_of_day(hours, zone),
        "zone_at": hours[0] if hours else now,
        "next_free": next(
            (at for at in free if at.astimezone(slots.zone(zone)).date() > day), None
        ),
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _choose(request: HttpRequest) -> HttpResponse:
    who = viewer(request)
    context = {
        "those_in_care": those_in_care(request),
        "may_search": who.may(May.PATIENT_SEARCH),
    }
    return render(request, "scheduling/choose.html", context)
