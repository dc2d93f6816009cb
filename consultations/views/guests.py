"""What a patient with a personal link does before the visit: say that they come, or cancel."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from consultations.access import Seat, guest_of
from consultations.models import ParticipantRole
from consultations.views.cards import card
from scheduling import actions
from scheduling.actions.change import closes_at, why_not
from telemed.accounts.doors import refusal_answer, unstored
from telemed.audit import actions as audit
from telemed.lib import clock
from telemed.lib.refusals import Refused

MAX_REASON = 500


@require_POST
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    def come(seat: Seat) -> HttpResponse:
        actions.confirm_attendance(seat.appointment, seat.actor)
        return redirect("consultations:link", token)

    return _for_the_patient(request, token, come)


@require_POST
def cancel(request: HttpRequest, token: str) -> HttpResponseBase:
    """Answers with the page itself: the link opens nothing any more."""

    def undo(seat: Seat) -> HttpResponse:
        reason = request.POST.get("reason", "").strip()[:MAX_REASON]
        actions.cancel(seat.appointment, seat.actor, reason)
        context = {"cancelled": True, "card": card(seat.appointment), "role": seat.role}
        return render(request, "consultations/over.html", context)

    return _for_the_patient(request, token, undo)


def what_the_patient_may(seat: Seat, token: str) -> dict[str, Any]:
    """For the page of a visit that is not open yet; nothing for companions and interpreters."""
    if seat.link is None or seat.role != ParticipantRole.PATIENT:
        return {}
    return {
        "confirm_url": reverse("consultations:guest_confirm", args=[token]),
        "cancel_url": reverse("consultations:guest_cancel", args=[token]),
        "why_not": why_not(seat.appointment, seat.actor, clock.now()),
        "closes_at": closes_at(seat.appointment),
    }


def _for_the_patient(
    request: HttpRequest, token: str, act: Callable[[Seat], HttpResponse]
) -> HttpResponseBase:
    """``Http404`` before the code was given, and for whoever else has a link."""
    seat = guest_of(request, token)
    if seat is None or seat.role != ParticipantRole.PATIENT:
        raise Http404
    try:
        return unstored(act(seat))
    except Refused as refused:
        audit.refused(
            "appointment.change",
            seat.actor,
            refused.code,
            patient=seat.appointment.patient_id,
            subject=("appointment", seat.appointment.pk),
        )
        return unstored(refusal_answer(request, refused))
