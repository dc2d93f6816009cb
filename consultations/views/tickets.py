"""Tickets: how a page gets its browser into the room's socket. Answers JSON to scripts."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_POST

from consultations import processes, tickets
from consultations.access import Seat, guest_of, seat_for
from consultations.actions.entering import enter
from consultations.models import MediaProcess
from telemed.accounts import sessions
from telemed.accounts.access import viewer
from telemed.accounts.doors import STATUS_BY_CODE, door, unstored
from telemed.accounts.roles import May
from telemed.audit import actions as audit
from telemed.lib.refusals import Refused

BROWSER_COOKIE = "telemed_browser"
BROWSER_SECONDS = 400 * 24 * 3600
BAD_REQUEST, TOO_MANY, UNAVAILABLE = 400, 429, 503


@require_POST
@door(May.ROOM_JOIN)
def ticket(request: HttpRequest, appointment_id: UUID) -> HttpResponseBase:
    seat = seat_for(viewer(request), appointment_id)
    return in_words(lambda: _enter(request, seat), seat)


@require_POST
def guest_ticket(request: HttpRequest, token: str) -> HttpResponseBase:
    seat = guest_of(request, token)
    if seat is None:
        raise Http404
    return unstored(in_words(lambda: _enter(request, seat), seat))


@require_POST
@door()
def test_ticket(request: HttpRequest) -> HttpResponseBase:
    """For the connection test, in a session of its own that reaches no room."""
    return in_words(_test)


@require_POST
def guest_test_ticket(request: HttpRequest, token: str) -> HttpResponseBase:
    if guest_of(request, token) is None:
        raise Http404
    return unstored(in_words(_test))


def _enter(request: HttpRequest, seat: Seat) -> HttpResponseBase:
    browser = browser_of(request)
    participant = enter(seat, browser)
    if seat.user is not None:
        sessions.remember_browser(request, browser)
    process = processes.place(participant.room)
    signed = tickets.make(
        process.name,
        get_language() or "fr",
        room=participant.room_id,
        participant=participant.pk,
        browser=browser,
        guest=seat.guest.pk if seat.guest else None,
    )
    response = _answer(process, signed)
    response.set_cookie(
        BROWSER_COOKIE,
        str(browser),
        max_age=BROWSER_SECONDS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


def _test() -> HttpResponseBase:
    process = processes.with_room()
    return _answer(process, tickets.make_for_test(process.name, get_language() or "fr"))


def _answer(process: MediaProcess, signed: str) -> JsonResponse:
    return JsonResponse(
        {"url": f"/media/{process.name}/room", "ticket": signed, "protocol": tickets.PROTOCOL}
    )


def browser_of(request: HttpRequest) -> UUID:
    """Which browser this is, by a cookie of its own: a reload is the same, a phone another."""
    try:
        return UUID(request.COOKIES.get(BROWSER_COOKIE, ""))
    except ValueError:
        return uuid4()


def in_words(work: Callable[[], HttpResponseBase], seat: Seat | None = None) -> HttpResponseBase:
    """The door's mapping of refusals, for a script instead of a person."""
    try:
        return work()
    except Refused as refused:
        if seat is not None:
            audit.refused(
                "room.enter",
                seat.actor,
                refused.code,
                patient=seat.appointment.patient_id,
                subject=("appointment", seat.appointment.pk),
            )
        status = UNAVAILABLE if refused.code in AGAIN_LATER else _status(refused.code)
        said: dict[str, Any] = {"code": refused.code, "message": str(refused.message)}
        return JsonResponse(said | refused.facts, status=status)


def _status(code: str) -> int:
    if code == "too_fast":
        return TOO_MANY
    return STATUS_BY_CODE.get(code, 409 if code in CONFLICTS else BAD_REQUEST)


AGAIN_LATER = frozenset({"unavailable", "full"})
CONFLICTS = frozenset({"too_early", "too_late", "room_closed", "removed"})
