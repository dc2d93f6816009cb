"""Storing what a connection test measured. Answers to scripts."""

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext_lazy as _

from consultations import conntests
from consultations.access import Seat
from consultations.forms import MeasuredForm
from consultations.refusals import RoomRefused
from consultations.views.seats import by_both_doors


def _keep(request: HttpRequest, seat: Seat) -> HttpResponseBase:
    form = MeasuredForm(request.POST)
    if not form.is_valid():
        raise RoomRefused("bad_message", _("This result is not complete."))
    conntests.keep(seat, form.measured())
    return JsonResponse({})


measured, guest_measured = by_both_doors(_keep)
