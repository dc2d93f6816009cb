"""The pages of a visit: before, waiting room and call are one page, so that nothing is lost
between them; the personal link asks for its code first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from consultations import consent_texts, refused_links, rules, whereabouts
from consultations.access import GUEST_COOKIE, Seat, guest_of, link_or_404, seat_for
from consultations.actions.entering import may_come_late, open_visit, opened
from consultations.actions.guests import start_session
from consultations.models import Consultation, Participant, ParticipantRole, Picture, Room
from consultations.snapshot import PROFESSIONAL
from consultations.views.cards import card
from consultations.views.guests import what_the_patient_may
from consultations.views.tickets import browser_of
from scheduling import links
from scheduling.models import Appointment, AppointmentStatus
from scheduling.rules import FINAL, join_window
from telemed.accounts.access import viewer
from telemed.accounts.doors import door, unstored
from telemed.accounts.queries import first_contacts
from telemed.accounts.roles import May
from telemed.audit import actions as audit
from telemed.lib import clock
from telemed.lib.refusals import Refused

GUEST_SECONDS = 24 * 3600
SAYS_WHERE = PROFESSIONAL | {ParticipantRole.PATIENT, ParticipantRole.REPRESENTATIVE}


@require_safe
@door(May.ROOM_JOIN)
def room(request: HttpRequest, appointment_id: UUID) -> HttpResponseBase:
    seat = seat_for(viewer(request), appointment_id)
    return _visit_page(
        request,
        seat,
        ticket_url=reverse("consultations:ticket", args=[appointment_id]),
        trouble_url=reverse("consultations:trouble", args=[appointment_id]),
        test_url=reverse("consultations:test_ticket"),
        measured_url=reverse("consultations:measured", args=[appointment_id]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponseBase:
    """A GET changes nothing: previews of messages fetch links before people open them."""
    personal = links.genuine(token)
    if personal is None or not links.is_live(personal):
        refused_links.keep(personal)
        raise Http404
    seat = guest_of(request, token)
    if seat is not None:
        return unstored(
            _visit_page(
                request,
                seat,
                ticket_url=reverse("consultations:guest_ticket", args=[token]),
                trouble_url=reverse("consultations:guest_trouble", args=[token]),
                test_url=reverse("consultations:guest_test_ticket", args=[token]),
                measured_url=reverse("consultations:guest_measured", args=[token]),
                before=what_the_patient_may(seat, token),
            )
        )
    return unstored(_ask_code(request, token))


def _ask_code(request: HttpRequest, token: str) -> HttpResponseBase:
    personal = link_or_404(token)
    refused: Refused | None = None
    if request.method == "POST":
        try:
            _session, key = start_session(personal, request.POST.get("code", ""))
        except Refused as why:
            refused = why
        else:
            inside = redirect("consultations:link", token)
            inside.set_cookie(
                GUEST_COOKIE,
                key,
                max_age=GUEST_SECONDS,
                secure=request.is_secure(),
                httponly=True,
                samesite="Lax",
            )
            return inside
    context = {
        "card": card(personal.appointment),
        "kind": personal.kind,
        "refused": refused,
        # Whose link it is is not known before the code; the link's own language is.
        "spoken": [personal.language],
    }
    return render(request, "consultations/code.html", context, status=400 if refused else 200)


def _visit_page(
    request: HttpRequest,
    seat: Seat,
    *,
    ticket_url: str,
    trouble_url: str,
    test_url: str,
    measured_url: str,
    before: dict[str, Any] | None = None,
) -> HttpResponseBase:
    """``before``: what a guest may do on the page while the visit is not open yet."""
    now = clock.now()
    visit = open_visit(seat.appointment)
    context = {
        "appointment": seat.appointment,
        "card": card(seat.appointment),
        "role": seat.role,
        "professional": seat.role in PROFESSIONAL,
        "spoken": seat.appointment.patient.spoken_languages,
        "specialist": seat.role == ParticipantRole.SPECIALIST,
        "records_url": _records_url(visit) if seat.role == ParticipantRole.SPECIALIST else "",
    }
    if visit.state == Room.State.CLOSED or seat.appointment.status in FINAL:
        _audit_opening(seat, "over")
        context["cancelled"] = seat.appointment.status == AppointmentStatus.CANCELLED
        context["recordings_url"] = _recordings_url(seat, visit)
        return render(request, "consultations/over.html", context)
    participant = opened(seat)
    back = participant.waiting_since is not None or participant.admitted_at is not None
    closed = _closed_door(seat, now)
    if closed and not back:
        _audit_opening(seat, "late" if closed["late"] else "early")
        return render(request, "consultations/early.html", context | closed | (before or {}))
    _audit_opening(seat)
    context |= {
        "ticket_url": ticket_url,
        "trouble_url": trouble_url,
        "test_url": test_url,
        "measured_url": measured_url,
        "returning": back and _same_browser(request, participant, now),
        "language": get_language() or "fr",
        "patient_text": consent_texts.text_for(get_language() or "fr", patient=True),
        "other_text": consent_texts.text_for(get_language() or "fr", patient=False),
        "identifications": Consultation.Identification.choices,
        "body_sites": Picture.Site.choices,
        "sides": Picture.Side.choices,
        "pictures_url": _pictures_url(seat),
        "site": seat.appointment.site or seat.appointment.organisation,
        "help_phone": _help_phone(seat.appointment),
        "where": _where(visit.consultation, seat) if seat.role in SAYS_WHERE else None,
    }
    return render(request, "consultations/room.html", context)


def _audit_opening(seat: Seat, code: str = "") -> None:
    audit.record(
        "visit.open",
        seat.actor,
        patient=seat.appointment.patient_id,
        organisation=seat.appointment.organisation_id,
        subject=("appointment", seat.appointment.pk),
        code=code,
    )


def _help_phone(appointment: Appointment) -> str:
    """Of the nearest place that has one."""
    places = (appointment.site, appointment.organisation, appointment.specialist.organisation)
    return next((place.phone for place in places if place is not None and place.phone), "")


def _where(visit: Consultation, seat: Seat) -> dict[str, Any]:
    """What the confirmation of place and number begins with. A link may have come into other
    hands: only who signed in is shown what is on file, or was said before."""
    if not seat.verified:
        return {"confirmed": bool(visit.place_confirmed)}
    contacts = first_contacts(seat.appointment.patient_id)
    place = whereabouts.place(visit, contacts, get_language() or "fr")
    return {
        "place": place.text,
        "phone": whereabouts.phone(visit, contacts).text,
        "contact": visit.contact_person,
        "confirmed": place.confirmed,
    }


def _closed_door(seat: Seat, now: datetime) -> dict[str, Any]:
    """Why they do not come in yet, or any more; empty while the window is open."""
    opens_at, closes_at = join_window(seat.appointment.starts_at, seat.appointment.ends_at)
    if now < opens_at:
        return {"opens_at": opens_at, "wait": opens_at - now, "late": False}
    if now > closes_at and not may_come_late(seat, now):
        return {"opens_at": opens_at, "late": True}
    return {}


def _same_browser(request: HttpRequest, participant: Participant, now: datetime) -> bool:
    """Whether a reload goes straight back in, without asking anything again."""
    return participant.state not in rules.OUTSIDE and rules.keeps_place(
        participant.last_seen_at, same_browser=participant.browser == browser_of(request), now=now
    )


def _recordings_url(seat: Seat, visit: Room) -> str:
    """For those who may know of what was recorded, where something was; guests have no login."""
    concerned = seat.role in (
        ParticipantRole.SPECIALIST,
        ParticipantRole.PATIENT,
        ParticipantRole.REPRESENTATIVE,
    )
    if not (seat.verified and concerned and visit.consultation.recordings.exists()):
        return ""
    return reverse("consultations:recordings", args=[seat.appointment.pk])


def _pictures_url(seat: Seat) -> str:
    """For those who see all of a visit's pictures: a page of its own, beside the call."""
    if not (seat.verified and seat.role in PROFESSIONAL):
        return ""
    return reverse("consultations:pictures", args=[seat.appointment.pk])


def _records_url(visit: Room) -> str:
    """Pages compose upwards by address: the chart belongs to an app above this one."""
    try:
        return reverse("records:panel", args=[visit.consultation_id])
    except NoReverseMatch:
        return ""
