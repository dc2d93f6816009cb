"""How calls went and how good places are connected: nothing clinical, no address, no device id."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from consultations import call_quality, drawn_call, logbook, places, queries
from consultations.models import CallRecord, Participant
from consultations.snapshot import name_of
from scheduling.access import acting_on, appointment_for
from scheduling.models import Appointment
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May
from telemed.audit import actions as audit
from telemed.lib import clock

TESTS_OF = timedelta(days=30)
MEGABYTE = 1_000_000


@require_safe
@door(May.ROOM_SEE_QUALITY)
def call(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """The page, or for the appointment's page what stands in it."""
    who = viewer(request)
    found = appointment_for(who, appointment_id, May.ROOM_SEE_QUALITY)
    actor = acting_on(who, found.patient_id, May.ROOM_SEE_QUALITY)
    audit.record(
        "call.read",
        actor,
        patient=found.patient_id,
        organisation=found.organisation_id,
        subject=("appointment", found.pk),
    )
    template = "_call" if request.headers.get("HX-Request") else "call"
    return render(request, f"consultations/{template}.html", _context(found))


def _context(found: Appointment) -> dict[str, Any]:
    now, language = clock.now(), get_language() or "fr"
    people = queries.people_with_calls(found)
    visit = getattr(found, "consultation", None)
    trouble = call_quality.finding(found, visit, people, now)
    lines = [(str(one.get_role_display()), list(one.calls.all())) for one in people]
    return {
        "appointment": found,
        "trouble": call_quality.in_words(trouble) if trouble else None,
        "picture": drawn_call.picture(lines, found.time_zone),
        "people": [
            (name_of(one, language), one, [_told(record) for record in one.calls.all()])
            for one in people
            if _has_part(one)
        ],
    }


def _has_part(one: Participant) -> bool:
    return one.beside_id is None and bool(one.calls.all() or one.unable_reason)


def _told(record: CallRecord) -> dict[str, Any]:
    """One media session in words and whole numbers; None for what was not told."""
    moments: list[tuple[datetime, str | Promise, int]] = [
        (record.started_at + timedelta(seconds=at), CallRecord.Mode(mode).label, 0)
        for at, _end, mode, _chosen in call_quality.spans(record)
    ]
    moments += [
        (record.started_at + timedelta(seconds=at), "", max(1, round(seconds)))
        for at, seconds in record.gaps
    ]
    return {
        "record": record,
        "lasted": timedelta(seconds=call_quality.length(record)),
        "over": logbook.is_over(record),
        "loss_up": _percent(record.loss_up),
        "loss_down": _percent(record.loss_down),
        "concealed": _percent(record.concealed),
        "frozen": None if record.frozen_seconds is None else round(record.frozen_seconds),
        "up": record.bytes_up / MEGABYTE,
        "down": record.bytes_down / MEGABYTE,
        "course": sorted(moments, key=lambda moment: moment[0]),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


@require_safe
@door(May.SITE_SEE_QUALITY)
def by_place(request: HttpRequest) -> HttpResponse:
    since = clock.now() - TESTS_OF
    tests = queries.connection_tests(viewer(request), since)
    context = {"places": places.places(tests), "days": TESTS_OF.days}
    return render(request, "consultations/by_place.html", context)
