"""Why somebody could not come in, as the page before the visit found out. Answers to scripts."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from consultations.access import Seat, guest_of, seat_for
from consultations.actions.entering import report_trouble
from consultations.messages import REASONS
from consultations.refusals import RoomRefused
from consultations.views.tickets import in_words
from telemed.accounts.access import viewer
from telemed.accounts.doors import door, unstored
from telemed.accounts.roles import May


@require_POST
@door(May.ROOM_JOIN)
def trouble(request: HttpRequest, appointment_id: UUID) -> HttpResponseBase:
    seat = seat_for(viewer(request), appointment_id)
    return in_words(lambda: _keep(request, seat))


@require_POST
def guest_trouble(request: HttpRequest, token: str) -> HttpResponseBase:
    seat = guest_of(request, token)
    if seat is None:
        raise Http404
    return unstored(in_words(lambda: _keep(request, seat)))


def _keep(request: HttpRequest, seat: Seat) -> HttpResponseBase:
    reason = request.POST.get("reason", "")
    if reason not in REASONS:
        raise RoomRefused("bad_message", _("This reason is not known."))
    report_trouble(seat, reason)
    return JsonResponse({})
