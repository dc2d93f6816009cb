"""Why somebody could not come in, as the page before the visit found out. Answers to scripts."""

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext_lazy as _

from consultations.access import Seat
from consultations.actions.entering import report_trouble
from consultations.messages import REASONS
from consultations.refusals import RoomRefused
from consultations.views.seats import by_both_doors


def _keep(request: HttpRequest, seat: Seat) -> HttpResponseBase:
    reason = request.POST.get("reason", "")
    if reason not in REASONS:
        raise RoomRefused("bad_message", _("This reason is not known."))
    report_trouble(seat, reason)
    return JsonResponse({})


trouble, guest_trouble = by_both_doors(_keep)
