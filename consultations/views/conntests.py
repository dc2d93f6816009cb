"""Storing what a connection test measured. Answers to scripts."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from consultations import conntests
from consultations.access import Seat, guest_of, seat_for
from consultations.forms import MeasuredForm
from consultations.refusals import RoomRefused
from consultations.views.tickets import in_words
from telemed.accounts.access import viewer
from telemed.accounts.doors import door, unstored
from telemed.accounts.roles import May


@require_POST
@door(May.ROOM_JOIN)
def measured(request: HttpRequest, appointment_id: UUID) -> HttpResponseBase:
    seat = seat_for(viewer(request), appointment_id)
    return in_words(lambda: _keep(request, seat))


@require_POST
def guest_measured(request: HttpRequest, token: str) -> HttpResponseBase:
    seat = guest_of(request, token)
    if seat is None:
        raise Http404
    return unstored(in_words(lambda: _keep(request, seat)))


def _keep(request: HttpRequest, seat: Seat) -> HttpResponseBase:
    form = MeasuredForm(request.POST)
    if not form.is_valid():
        raise RoomRefused("bad_message", _("This result is not complete."))
    conntests.keep(seat, form.measured())
    return JsonResponse({})
