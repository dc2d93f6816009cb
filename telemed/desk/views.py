"""The home page of each role. The first request is a page; an open page then asks for its
fragment, and gets it only when something on it changed."""

import hashlib
import re
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from consultations import notice
from consultations.actions.override import review as review_override
from consultations.queries import to_review
from scheduling.access import acting_on, appointment_for
from scheduling.actions.outcome import stamp_arrival
from telemed.accounts.access import Viewer, today, viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May, Role
from telemed.audit import actions as audit
from telemed.desk import actions
from telemed.desk.days import DAYS
from telemed.messaging.models import Message

OPENED = "days_opened"  # in the session: when each role's day was last opened
STAYS_OPEN = timedelta(hours=1)
_CSRF_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


@require_safe
@door()
def home(request: HttpRequest) -> HttpResponse:
    """The day of the first role they hold, in the order of ``DAYS``."""
    role = next((role for role in DAYS if role in viewer(request).roles), None)
    if role is None:
        return render(request, "desk/nobody.html")
    return _day(request, role)


@require_safe
@door()
def day(request: HttpRequest, role: Role) -> HttpResponse:
    """Somebody with several roles chooses."""
    if role not in viewer(request).roles:
        raise Http404
    return _day(request, role)


@require_POST
@door(May.APPOINTMENT_MARK_ARRIVAL)
def arrive(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    who = viewer(request)
    appointment = appointment_for(who, appointment_id, May.APPOINTMENT_MARK_ARRIVAL)
    actor = acting_on(who, appointment.patient_id, May.APPOINTMENT_MARK_ARRIVAL)
    if stamp_arrival(appointment, actor):
        messages.success(request, _("Arrival noted. The specialist sees it."))
    return redirect("desk:day", role=Role.PRESENTER)


@require_POST
@door(May.MESSAGE_SEE_FAILED)
def retry(request: HttpRequest, message_id: UUID) -> HttpResponse:
    who = viewer(request)
    reach = who.reach(May.MESSAGE_SEE_FAILED)
    message = get_object_or_404(Message, id=message_id, organisation__in=reach)
    if actions.retry_message(message, who.actor(May.MESSAGE_SEE_FAILED)):
        messages.success(request, _("The message will be sent again within some seconds."))
    return redirect("desk:day", role=Role.COORDINATOR)


@require_POST
@door(May.OVERRIDE_REVIEW)
def review(request: HttpRequest, override_id: UUID) -> HttpResponse:
    who = viewer(request)
    override = get_object_or_404(to_review(who), id=override_id)
    if review_override(override, who.actor(May.OVERRIDE_REVIEW)):
        messages.success(request, _("The review was noted."))
    return redirect("desk:day", role=Role.COORDINATOR)


def _day(request: HttpRequest, role: Role) -> HttpResponse:
    who, page = viewer(request), DAYS[role]
    built = page.build(who)
    if role == Role.SPECIALIST:
        notice.shown(one for visit in built["waiting"] for one in visit.waiting)
    context = {
        **built,
        "now": who.now,
        "day_zone": settings.TIME_ZONE,
        "role": role,
        "roles": [held for held in DAYS if held in who.roles],
        "poll_seconds": page.poll_seconds,
    }
    fragment = render_to_string(f"desk/_{page.template}.html", context, request)
    context["fragment"] = fragment
    context["seen"] = _digest(fragment)
    if request.htmx:  # type: ignore[attr-defined]
        if request.GET.get("seen") == context["seen"]:
            return HttpResponse(status=204)
        if not _is_open(request, who, role):
            _audit_reading(request, who, role)
        return render(request, "desk/_polled.html", context)
    _audit_reading(request, who, role)
    return render(request, f"desk/{page.template}.html", context)


def _digest(fragment: str) -> str:
    """What the page shows, but for the tokens that differ in every answer."""
    return hashlib.sha256(_CSRF_TOKEN.sub("", fragment).encode()).hexdigest()[:16]


def _is_open(request: HttpRequest, who: Viewer, role: Role) -> bool:
    """Whether this session opened the page on this day, and not long ago."""
    opened = request.session.get(OPENED, {}).get(role)
    if opened is None:
        return False
    at = datetime.fromisoformat(opened)
    return at > who.now - STAYS_OPEN and today(at) == today(who.now)


def _audit_reading(request: HttpRequest, who: Viewer, role: Role) -> None:
    """Opening the page is one reading; what it asks for while it is open is none."""
    audit.record(f"day.{role}", who.actor(role))
    opened = request.session.get(OPENED, {})
    request.session[OPENED] = {**opened, role: who.now.isoformat()}
