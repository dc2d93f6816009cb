"""One appointment: see it, keep it in a calendar, confirm, move, cancel, give to another."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from scheduling import actions, links, messages, queries, rules
from scheduling.access import acting_on, appointment_for, appointments_in, in_care
from scheduling.actions.change import closes_at, why_not
from scheduling.calendar import calendar_file
from scheduling.emergency import emergency_for
from scheduling.forms import CancelForm, LinkForm, MoveForm
from scheduling.models import Appointment, PersonalLink, Question, Specialist
from scheduling.refusals import Refused
from scheduling.views.find import days_context, sent, template
from scheduling.views.refusal import with_alternatives
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May, Role
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock

FORM = ["GET", "HEAD", "POST"]


@require_safe
@door(May.APPOINTMENT_SEE_TIMES)
def appointment(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    found = appointment_for(viewer(request), appointment_id, May.APPOINTMENT_SEE_TIMES)
    return _page(request, found)


def _page(request: HttpRequest, found: Appointment, **more: Any) -> HttpResponse:
    who, now = viewer(request), clock.now()
    actor = acting_on(who, found.patient_id, May.APPOINTMENT_SEE_TIMES)
    may = {
        name: appointments_in(who, ability).filter(pk=found.pk).exists()
        for name, ability in {
            "move": May.APPOINTMENT_MOVE,
            "cancel": May.APPOINTMENT_CANCEL,
            "reassign": May.APPOINTMENT_REASSIGN,
            "read": May.APPOINTMENT_SEE_REASON,
            "invite": May.LINK_ISSUE,
            "join": May.ROOM_JOIN,
            "quality": May.ROOM_SEE_QUALITY,
        }.items()
    }
    link = _patients_link(found)
    may["renew"] = may["invite"] and actor.role != Role.PATIENT
    opens_at, shuts_at = rules.join_window(found.starts_at, found.ends_at)
    context = {
        "appointment": found,
        "may": may,
        "locked": link is not None and not link.tries_left,
        "own": found.patient_id in in_care(who, May.APPOINTMENT_SEE_TIMES),
        "performs": found.specialist.user_id == who.user.pk,
        "why_not": why_not(found, actor, clock.now()),
        "closes_at": closes_at(found),
        "opens_at": opens_at,
        "join_url": f"/visit/{found.pk}/",
        "call_url": f"/visit/{found.pk}/call/" if may["quality"] and opens_at <= now else "",
        "is_open": opens_at <= now < shuts_at and found.status not in rules.FINAL,
        "is_new": "new" in request.GET,
        "emergency": emergency_for(found.site or found.patient.organisation, now),
        **(_reading(found) if may["read"] else {}),
        **more,
    }
    _audit("appointment.read", found, actor)
    return render(request, "scheduling/appointment.html", context)


def _reading(found: Appointment) -> dict[str, Any]:
    """Reasons and answers, for those who may read them, and whether a danger sign was named."""
    answers, danger = [], False
    for question in queries.questions_answered(found):
        given = found.intake[str(question.pk)]
        answers.append((question, _in_words(question, given)))
        danger = danger or (question.danger_sign and given == "yes")
    told = bool(found.reason or answers)
    return {
        "answers": answers,
        "danger": danger,
        "appointment_told": told,
        "cancel_reason": found.cancel_reason,
    }


def _in_words(question: Question, given: str) -> Any:
    if question.kind != Question.Kind.CHOICE:
        return given
    options = dict(enumerate(question.options))
    return options.get(int(given), _("An answer that is no longer offered"))


@require_safe
@door(May.APPOINTMENT_SEE_TIMES)
def calendar(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    who = viewer(request)
    found = appointment_for(who, appointment_id, May.APPOINTMENT_SEE_TIMES)
    text = calendar_file(found, get_language() or settings.LANGUAGE_CODE)
    _audit(
        "appointment.download",
        found,
        acting_on(who, found.patient_id, May.APPOINTMENT_SEE_TIMES),
    )
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="telemed.ics"'
    return response


@require_POST
@door(May.APPOINTMENT_SEE_TIMES)
def confirm(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """The patient's side: I will be there. Who performs it: I accept. It is nobody else's."""
    who = viewer(request)
    found = appointment_for(who, appointment_id, May.APPOINTMENT_MOVE)
    if found.specialist.user_id == who.user.pk:
        actions.confirm(found, who.actor(Role.SPECIALIST))
    elif found.patient_id in in_care(who, May.APPOINTMENT_MOVE):
        actions.confirm_attendance(found, acting_on(who, found.patient_id, May.APPOINTMENT_MOVE))
    else:
        raise Http404
    return redirect("scheduling:appointment", found.pk)


@require_http_methods(FORM)
@door(May.APPOINTMENT_MOVE)
def move(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    who = viewer(request)
    found = appointment_for(who, appointment_id, May.APPOINTMENT_MOVE)
    actor = acting_on(who, found.patient_id, May.APPOINTMENT_MOVE)
    form = MoveForm(sent(request))
    if request.method == "POST" and form.is_valid():
        wanted, seen = form.cleaned_data["starts_at"], form.cleaned_data["sequence"]
        try:
            actions.move(found, wanted, actor, sequence=seen)
        except Refused as refused:
            found.refresh_from_db()
            return with_alternatives(
                request,
                refused,
                "scheduling/move.html",
                _move_context(request, found, actor),
                actor,
                "appointment.move",
                ("appointment", found.pk),
            )
        return redirect("scheduling:appointment", found.pk)
    _audit("appointment.read", found, actor)
    page = template(request, "scheduling/move.html")
    return render(request, page, _move_context(request, found, actor))


def _move_context(request: HttpRequest, found: Appointment, actor: Actor) -> dict[str, Any]:
    service, now = found.service, clock.now()
    known = queries.diary(
        [(service, found.specialist_id)], found.patient, now, but_appointment=found.pk
    )
    free = [
        start
        for start in queries.free_starts(service, found.specialist_id, found.patient, known, now)
        if start != found.starts_at
    ]
    return {
        "appointment": found,
        "why_not": why_not(found, actor, clock.now()),
        "emergency": emergency_for(found.site or found.patient.organisation, now),
        "action": reverse("scheduling:move", args=[found.pk]),
        "here": f"{reverse('scheduling:move', args=[found.pk])}?",
        **days_context(request, free, found.time_zone, service, now),
    }


@require_http_methods(FORM)
@door(May.APPOINTMENT_CANCEL)
def cancel(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    who = viewer(request)
    found = appointment_for(who, appointment_id, May.APPOINTMENT_CANCEL)
    actor = acting_on(who, found.patient_id, May.APPOINTMENT_CANCEL)
    form = CancelForm(sent(request))
    if request.method == "POST" and form.is_valid():
        actions.cancel(found, actor, form.cleaned_data["reason"])
        return redirect("scheduling:appointment", found.pk)
    _audit("appointment.read", found, actor)
    context = {"appointment": found, "form": form, "why_not": why_not(found, actor, clock.now())}
    return render(request, "scheduling/cancel.html", context)


@require_http_methods(FORM)
@door(May.APPOINTMENT_REASSIGN)
def reassign(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Another specialist of the same speciality at the same time."""
    who = viewer(request)
    found = appointment_for(who, appointment_id, May.APPOINTMENT_REASSIGN)
    actor = acting_on(who, found.patient_id, May.APPOINTMENT_REASSIGN)
    others = queries.who_else(found, clock.now())
    if request.method == "POST":
        free = [one.specialist.pk for one in others]
        chosen = get_object_or_404(Specialist, pk__in=free, pk=_pk(request))
        actions.reassign(found, chosen, actor)
        return redirect("scheduling:appointment", found.pk)
    _audit("appointment.read", found, actor)
    return render(request, "scheduling/reassign.html", {"appointment": found, "others": others})


def _pk(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("specialist", ""))
    except ValueError:
        return None


@require_http_methods(FORM)
@door(May.LINK_ISSUE)
def invite(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """A link for a companion or interpreter; link and code are told apart from each other."""
    who = viewer(request)
    found = appointment_for(who, appointment_id, May.LINK_ISSUE)
    actor = acting_on(who, found.patient_id, May.LINK_ISSUE)
    form = LinkForm(sent(request))
    issued: PersonalLink | None = None
    if request.method == "POST" and form.is_valid():
        issued = actions.issue_link(
            found,
            form.cleaned_data["kind"],
            actor,
            name=form.cleaned_data["name"],
            language=get_language() or settings.LANGUAGE_CODE,
        )
    else:
        _audit("appointment.read", found, actor)
    context = {
        "appointment": found,
        "form": form,
        "issued": issued,
        "address": messages.link_address(issued) if issued else "",
        "code": links.code(issued) if issued else "",
        "closed": found.status in rules.FINAL,
    }
    return render(request, "scheduling/invite.html", context)


@require_POST
@door(May.LINK_ISSUE)
def renew_link(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """A new link and code for the patient, whose code was lost or wrong too often, or who cannot
    sign in just now. Professionals alone: they hand them over, or tell them by telephone."""
    who = viewer(request)
    found = appointment_for(who, appointment_id, May.LINK_ISSUE)
    actor = acting_on(who, found.patient_id, May.LINK_ISSUE)
    if actor.role == Role.PATIENT:
        raise Http404
    context: dict[str, Any] = {"appointment": found, "closed": found.status in rules.FINAL}
    if not context["closed"]:
        issued = actions.renew_patient_link(found, actor)
        context |= {"address": messages.link_address(issued), "code": links.code(issued)}
    return render(request, "scheduling/link.html", context)


def _patients_link(found: Appointment) -> PersonalLink | None:
    return found.links.filter(kind=PersonalLink.Kind.PATIENT).first()


def _audit(action: str, found: Appointment, actor: Actor) -> None:
    audit.record(
        action,
        actor,
        patient=found.patient_id,
        organisation=found.organisation_id,
        subject=("appointment", found.pk),
    )
