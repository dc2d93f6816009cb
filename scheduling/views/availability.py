"""When a specialist can be booked: their own page, and the coordinator's for the region's."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from scheduling import actions, queries
from scheduling.access import diaries, diary_for
from scheduling.forms import WEEKDAYS, ExceptionForm, LeaveForm, RuleForm
from scheduling.models import AvailabilityException, AvailabilityRule, Leave, Specialist
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock

EDITING = (May.AVAILABILITY_EDIT_OWN, May.AVAILABILITY_EDIT_ANY)
KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "hours": (AvailabilityRule, RuleForm),
    "exception": (AvailabilityException, ExceptionForm),
    "leave": (Leave, LeaveForm),
}


@require_safe
@door(*EDITING)
def everybody(request: HttpRequest) -> HttpResponse:
    """Whose hours one may edit; a specialist comes straight to their own."""
    found = list(diaries(viewer(request)))
    if len(found) == 1:
        return redirect("scheduling:availability", found[0].pk)
    return render(request, "scheduling/diaries.html", {"specialists": found})


@require_safe
@door(*EDITING)
def availability(request: HttpRequest, specialist_id: UUID) -> HttpResponse:
    specialist = diary_for(viewer(request), specialist_id)
    return _page(request, specialist)


@require_POST
@door(*EDITING)
def add(request: HttpRequest, specialist_id: UUID, kind: str) -> HttpResponse:
    specialist = diary_for(viewer(request), specialist_id)
    model, form_class = _kind(kind)
    entry = model(specialist=specialist)
    if hasattr(entry, "time_zone"):
        entry.time_zone = specialist.time_zone
    form = form_class(request.POST, instance=entry)
    if not form.is_valid():
        return _page(request, specialist, {kind: form}, status=400)
    actions.add_availability(form.instance, _actor(request, specialist))
    return redirect("scheduling:availability", specialist.pk)


@require_POST
@door(*EDITING)
def retire(request: HttpRequest, specialist_id: UUID, kind: str, entry_id: UUID) -> HttpResponse:
    specialist = diary_for(viewer(request), specialist_id)
    model, _form = _kind(kind)
    entry = get_object_or_404(model, pk=entry_id, specialist=specialist)
    actions.retire_availability(entry, _actor(request, specialist))
    return redirect("scheduling:availability", specialist.pk)


def _page(
    request: HttpRequest,
    specialist: Specialist,
    sent: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    now = clock.now()
    day = now.date()
    rules = specialist.rules.filter(retired_at__isnull=True).exclude(valid_to__lt=day)
    by_day = {number: [] for number, _word in WEEKDAYS}  # type: dict[int, list[AvailabilityRule]]
    for rule in rules.order_by("weekday", "starts"):
        by_day[rule.weekday].append(rule)
    initial = {"valid_from": day}
    forms = {
        "hours": RuleForm(prefix=None, initial=initial, auto_id="hours-%s"),
        "exception": ExceptionForm(auto_id="exception-%s"),
        "leave": LeaveForm(auto_id="leave-%s"),
        **(sent or {}),
    }
    outside = queries.outside_hours(specialist, now)
    for one in outside:
        audit.record(
            "availability.read",
            _actor(request, specialist),
            patient=one.patient_id,
            organisation=one.organisation_id,
            subject=("appointment", one.pk),
        )
    context = {
        "specialist": specialist,
        "week": [(word, by_day[number]) for number, word in WEEKDAYS],
        "exceptions": specialist.exceptions.filter(retired_at__isnull=True, date__gte=day),
        "leaves": specialist.leaves.filter(retired_at__isnull=True, last_day__gte=day),
        "outside": outside,
        "forms": forms,
        "now": now,
    }
    return render(request, "scheduling/availability.html", context, status=status)


def _actor(request: HttpRequest, specialist: Specialist) -> Actor:
    own = specialist.user_id == viewer(request).user.pk
    return viewer(request).actor(May.AVAILABILITY_EDIT_OWN if own else May.AVAILABILITY_EDIT_ANY)


def _kind(kind: str) -> tuple[type[Any], type[Any]]:
    if kind not in KINDS:
        raise Http404
    return KINDS[kind]
