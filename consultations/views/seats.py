"""What a page's script says for the seat it was opened by: signed in, or by a personal link."""

from collections.abc import Callable
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST

from consultations.access import Seat, guest_of, seat_for
from consultations.views.tickets import in_words
from telemed.accounts.access import viewer
from telemed.accounts.doors import door, unstored
from telemed.accounts.roles import May

Answer = Callable[[HttpRequest, Seat], HttpResponseBase]
View = Callable[..., HttpResponseBase]


def by_both_doors(answer: Answer) -> tuple[View, View]:
    """The view of an ``appointment_id`` and the one of a link's ``token``."""

    @require_POST
    @door(May.ROOM_JOIN)
    def signed_in(request: HttpRequest, appointment_id: UUID) -> HttpResponseBase:
        seat = seat_for(viewer(request), appointment_id)
        return in_words(lambda: answer(request, seat))

    @require_POST
    def by_link(request: HttpRequest, token: str) -> HttpResponseBase:
        seat = guest_of(request, token)
        if seat is None:
            raise Http404
        return unstored(in_words(lambda: answer(request, seat)))

    return signed_in, by_link
