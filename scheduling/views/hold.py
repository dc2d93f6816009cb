"""Keeping a time and booking it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from scheduling import actions, queries
from scheduling.access import appointments_in, hold_for, patient_to_book
from scheduling.emergency import emergency_for
from scheduling.forms import HoldForm, IntakeForm, MomentField, questions_for
from scheduling.models import Hold
from scheduling.refusals import Refused
from scheduling.views.find import BOOKING, sent, times_context
from scheduling.views.refusal import with_alternatives
from scheduling.walltime import zone_for
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May
from telemed.lib import clock


@require_http_methods(["GET", "HEAD", "POST"])
@door(*BOOKING)
def hold(request: HttpRequest) -> HttpResponse:
    """A press on a time: keep it and go on, or say what is free instead.

    Whoever comes here without a time, reloading or changing the language, begins anew.
    """
    form = HoldForm(sent(request))
    if not form.is_valid():
        return redirect("scheduling:start")
    asked = form.cleaned_data
    patient, actor = patient_to_book(viewer(request), asked["patient"])
    service = get_object_or_404(queries.bookable_services(), pk=asked["service"])
    replaces = Hold.objects.filter(pk=asked["replaces"], held_by=viewer(request).user).first()
    try:
        kept = actions.hold_slot(
            service,
            asked["starts_at"],
            patient,
            actor,
            replaces=replaces,
            hold_id=asked["hold"],
        )
    except Refused as refused:
        around = next(iter(refused.facts.get("alternatives", ())), None)
        context = times_context(request, service, patient, around)
        return with_alternatives(
            request,
            refused,
            "scheduling/times.html",
            context,
            actor,
            "slot.hold",
            ("service", service.pk),
        )
    return redirect("scheduling:hold", kept.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@door(*BOOKING)
def book(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """Reason and questions for a kept time; sending them books it."""
    booked = appointments_in(viewer(request), May.APPOINTMENT_SEE_TIMES).filter(pk=hold_id).first()
    if booked is not None:  # sent twice, or came back
        return redirect("scheduling:appointment", booked.pk)
    kept = hold_for(viewer(request), hold_id)
    form = IntakeForm(questions_for(kept.service), sent(request))
    if request.method == "POST" and form.is_valid():
        return _book(request, kept, form)
    return render(request, "scheduling/hold.html", _context(kept, form))


def _book(request: HttpRequest, kept: Hold, form: IntakeForm) -> HttpResponse:
    _patient, actor = patient_to_book(viewer(request), kept.patient_id)
    representative = viewer(request).represents(kept.patient_id, May.APPOINTMENT_BOOK_OWN)
    try:
        if instead := MomentField(required=False).clean(request.POST.get("instead")):
            kept = actions.hold_slot(kept.service, instead, kept.patient, actor, replaces=kept)
        appointment = actions.book(
            kept,
            actor,
            reason=form.cleaned_data["reason"],
            intake=form.answers(),
            representative=representative,
        )
    except Refused as refused:
        return with_alternatives(
            request,
            refused,
            "scheduling/hold.html",
            _context(kept, form),
            actor,
            "appointment.book",
            ("hold", kept.pk),
        )
    return redirect(f"{reverse('scheduling:appointment', args=[appointment.pk])}?new=1")


def _context(kept: Hold, form: IntakeForm) -> dict[str, Any]:
    now = clock.now()
    return {
        "hold": kept,
        "service": kept.service,
        "patient": kept.patient,
        "form": form,
        "zone": zone_for(kept.service, kept.patient),
        "seconds": max(0, int((kept.expires_at - now).total_seconds())),
        "emergency": emergency_for(kept.patient.organisation, now),
    }


@require_POST
@door(*BOOKING)
def release(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """Choose another time."""
    kept = hold_for(viewer(request), hold_id)
    _patient, actor = patient_to_book(viewer(request), kept.patient_id)
    actions.release_hold(kept, actor)
    address = reverse("scheduling:times", args=[kept.service_id])
    return redirect(f"{address}?patient={kept.patient_id}")
