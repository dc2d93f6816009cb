"""Recordings after the visit: for the specialist who took them, and the patient once released."""

import re
from functools import partial
from uuid import UUID

from django.core.cache import cache
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from consultations import groups
from consultations.access import playable, recorded_visit, recording_to_close, recordings_in
from consultations.actions import recording as actions
from consultations.models import Participant, Recording
from consultations.recording_files import open_film, part_of
from consultations.snapshot import name_of
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May
from telemed.audit import actions as audit
from telemed.lib.crypto import Unreadable

OK, PARTIAL, UNSATISFIABLE = 200, 206, 416
ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
HEARD_SECONDS = 3600  # within which going on with the same film is one playing of it


@require_safe
@door(May.RECORDING_PLAY)
@cache_control(no_store=True, private=True)
def index(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    who = viewer(request)
    visit = recorded_visit(who, appointment_id)
    rows = list(recordings_in(who, visit))
    _audit(request, "recording.read", [row.pk for row in rows])
    shown = [
        {
            "row": row,
            "films": _films(row) if playable(who, row) else [],
            "ours": row.started_by_id == who.user.pk,
            "closes": recording_to_close(who).filter(pk=row.pk).exists(),
        }
        for row in rows
    ]
    return render(request, "consultations/recordings.html", {"visit": visit, "shown": shown})


@require_safe
@door(May.RECORDING_PLAY)
def film(request: HttpRequest, recording_id: UUID, number: int) -> HttpResponseBase:
    """A part or all of a film, decrypted while it is sent; ``Http404`` where there is none."""
    who = viewer(request)
    row = recordings_in(who).filter(pk=recording_id).first()
    if row is None or not playable(who, row) or number >= len(row.films):
        raise Http404
    try:
        opened = open_film(row, number)
    except (FileNotFoundError, Unreadable):
        raise Http404 from None
    span = _span(request.headers.get("Range", ""), opened.size)
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store, private"}
    if span is None:
        headers["Content-Range"] = f"bytes */{opened.size}"
        return HttpResponse(status=UNSATISFIABLE, headers=headers)
    start, stop, part = span
    if _begins(request, row, number):
        _audit(request, "recording.play", [row.pk])
    headers["Content-Length"] = str(stop - start)
    headers["Content-Encoding"] = "identity"  # never pressed again on its way
    if part:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{opened.size}"
    return StreamingHttpResponse(
        part_of(opened, start, stop, partial(_is_still_there, row)),
        status=PARTIAL if part else OK,
        content_type="video/webm",
        headers=headers,
    )


@require_POST
@door(May.RECORDING_RELEASE)
def release(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    who = viewer(request)
    row = recordings_in(who).filter(pk=recording_id, started_by=who.user).first()
    if row is None:
        raise Http404
    patient = row.consultation.appointment.patient_id
    actions.release(row, who.actor(May.RECORDING_RELEASE, patient_id=patient))
    return redirect("consultations:recordings", row.consultation.appointment_id)


@require_POST
@door(May.RECORDING_CLOSE)
def close(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Closed to everybody at once; deleted within a day."""
    who = viewer(request)
    row = recording_to_close(who).filter(pk=recording_id).first()
    if row is None:
        raise Http404
    patient = row.consultation.appointment.patient_id
    actions.close(row, who.user, who.actor(May.RECORDING_CLOSE, patient_id=patient))
    return redirect("consultations:recordings", row.consultation.appointment_id)


def _is_still_there(row: Recording) -> bool:
    """Somebody may close it while it is played."""
    return Recording.objects.filter(pk=row.pk, state=row.state).exists()


def _films(row: Recording) -> list[dict[str, object]]:
    """With the name of who is seen and heard."""
    ids = [listed["participant"] for listed in row.films]
    people = Participant.objects.filter(pk__in=ids).select_related("user", "patient")
    language = get_language() or "fr"
    names = {
        str(one.pk): name_of(one, language) for one in people.prefetch_related("patient__names")
    }
    return [{**listed, "name": names.get(listed["participant"], "")} for listed in row.films]


def _span(asked: str, size: int) -> tuple[int, int, bool] | None:
    """From, before, and whether it is a part (RFC 9110, section 14.1.2); None when the file has
    nothing there. What is not one range of bytes is answered with the whole."""
    match = ONE_RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return 0, size, False
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    return (start, stop, True) if start < stop else None


def _begins(request: HttpRequest, row: Recording, number: int) -> bool:
    """Whether this is a playing of its own: browsers ask for one film in many parts."""
    key = f"film-played:{viewer(request).user.pk}:{row.pk}:{number}"
    try:
        return bool(cache.add(key, True, HEARD_SECONDS))
    except groups.LOST:
        return True


def _audit(request: HttpRequest, action: str, recordings: list[UUID]) -> None:
    for pk in recordings:
        row = Recording.objects.select_related("consultation__appointment").get(pk=pk)
        patient = row.consultation.appointment.patient_id
        audit.record(
            action,
            viewer(request).actor(May.RECORDING_PLAY, patient_id=patient),
            patient=patient,
            organisation=row.organisation_id,
            subject=("recording", pk),
        )
